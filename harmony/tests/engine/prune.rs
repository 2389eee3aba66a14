//! What left the program goes.

use harmony::engine::plan::Change;
use harmony_test::{Call, Failing, FakeSite, FakeThing};

use crate::programs::{chain, change, of_things, things};

#[tokio::test]
async fn what_left_the_program_is_shown_and_taken_away() {
    let site = FakeSite::new();
    site.apply(&things(&["a", "b"])).await.unwrap();
    let plan = site.plan(&things(&["a"])).await.unwrap();
    assert_eq!(change(&plan, "fake/b"), &Change::Delete { because: "no Score wants it any more".to_owned() });
    let outcome = site.apply(&things(&["a"])).await.unwrap();
    assert_eq!((outcome.counts.delete, outcome.writes), (1, 1));
    assert_eq!((site.world.identities(), site.entries().len()), (vec!["a".to_owned()], 1));
}

#[tokio::test]
async fn what_goes_and_does_not_answer_is_shown_with_why() {
    let site = FakeSite::new();
    site.apply(&things(&["b"])).await.unwrap();
    for (failing, why) in [
        (Failing::Unreachable, "no Score wants it any more, and it cannot be looked at: failed to reach b: nobody answers"),
        (Failing::NotPermitted, "no Score wants it any more, and it may not be looked at: failed to reach b: it says no"),
    ] {
        site.world.fail(Call::Observe, "b", failing, 1);
        let prepared = site.maestro().prepare_destroy(&site.place).await.unwrap();
        assert_eq!(change(prepared.plan(), "fake/b"), &Change::Delete { because: why.to_owned() });
    }
}

#[tokio::test]
async fn things_go_in_the_reverse_order_of_their_making() {
    let site = FakeSite::new();
    site.apply(&chain("x")).await.unwrap();
    site.world.take_log();
    site.apply(&things(&["other"])).await.unwrap();
    let log = site.world.take_log();
    assert_eq!(log.iter().filter(|line| line.starts_with("delete")).collect::<Vec<_>>(), ["delete c", "delete b", "delete a"]);
}

#[tokio::test]
async fn the_order_of_going_is_kept_through_proofs() {
    let site = FakeSite::new();
    site.apply(&crate::programs::proven(1)).await.unwrap();
    site.world.take_log();
    site.destroy().await.unwrap();
    assert_eq!(site.world.take_log(), ["delete b", "delete a"]);
}

#[tokio::test]
async fn what_is_gone_already_is_struck_out() {
    let site = FakeSite::new();
    site.apply(&things(&["a", "b"])).await.unwrap();
    site.world.remove("fake-thing/v1", "b");
    site.world.take_log();
    let outcome = site.apply(&things(&["a"])).await.unwrap();
    assert_eq!((outcome.counts.forget, outcome.writes), (1, 0));
    assert_eq!(site.entries().len(), 1);
}

#[tokio::test]
async fn what_could_not_go_is_tried_again() {
    let site = FakeSite::new();
    site.apply(&chain("x")).await.unwrap();
    site.world.fail(Call::Delete, "b", Failing::Refused, 1);
    let outcome = site.destroy().await.unwrap();
    assert_eq!(outcome.failures.len(), 1);
    assert_eq!(outcome.not_begun.iter().map(|address| address.as_str()).collect::<Vec<_>>(), ["fake/a"]);
    assert_eq!(site.world.identities(), ["a", "b"]);
    assert!(site.destroy().await.unwrap().failures.is_empty());
    assert!(site.world.identities().is_empty());
}

#[tokio::test]
async fn a_deletion_is_tried_again_while_it_is_told_to_wait() {
    let site = FakeSite::new();
    site.apply(&things(&["a"])).await.unwrap();
    site.world.fail(Call::Delete, "a", Failing::RetryLater, 3);
    assert!(site.destroy().await.unwrap().failures.is_empty());
    assert!(site.world.identities().is_empty());
}

#[tokio::test]
async fn a_failed_deletion_does_not_keep_others_from_their_work() {
    let site = FakeSite::new();
    site.apply(&things(&["a", "b"])).await.unwrap();
    site.world.fail(Call::Delete, "b", Failing::Refused, 1);
    let outcome = site.apply(&of_things(vec![FakeThing::new("a").with_size(9)])).await.unwrap();
    assert_eq!((outcome.failures.len(), outcome.counts.update), (1, 1));
}
