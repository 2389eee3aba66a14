//! What is kept, how often it is written, and what is left of it.

use std::fs;

use harmony::engine::ledger::{Ledger, LedgerError, LedgerState};
use harmony_test::World;
use harmony_testbed::{ControlPlane, available};

use crate::fixture::{Machine, NAME, NAMESPACE, asked, kept, long_names, named, things, with_namespace};

#[tokio::test]
async fn a_run_with_an_empty_state_directory_sees_everything_writes_nothing_and_destroys_without_a_trace() {
    let name = "a_run_with_an_empty_state_directory_sees_everything_writes_nothing_and_destroys_without_a_trace";
    let Some(plane) = available(name, ControlPlane::start().map(with_namespace)) else { return };
    let (world, scores) = (World::default(), things(&named(&["a", "b", "c"])));
    let one = Machine::new("one", &plane.kubeconfig(), &world);
    assert_eq!(one.applied(&scores).await, 3);
    assert!(!one.site.state.join("ledger.json").exists());
    assert_eq!(kept(&plane), [NAME]);

    let other = Machine::new("other", &plane.kubeconfig(), &world);
    assert!(!other.plan(&scores).await.unwrap().is_pending());
    let mark = plane.audit().mark().unwrap();
    assert_eq!(other.applied(&scores).await, 0);
    let second = asked(&plane, mark);
    assert!(second.mutating().is_empty(), "{:?}", second.tally());
    assert!(second.len() <= 2, "its number and itself: {:?}", second.tally());

    let third = Machine::new("third", &plane.kubeconfig(), &world);
    assert_eq!(third.destroyed().await, 3);
    assert_eq!((world.identities(), kept(&plane)), (Vec::<String>::new(), Vec::new()));
    assert!(!third.site.state.exists());
    let numbers = plane.kubectl().run(&[
        "-n",
        NAMESPACE,
        "get",
        "lease",
        NAME,
        "-o",
        "jsonpath={.spec.leaseTransitions} {.spec.holderIdentity}",
    ]);
    assert_eq!(numbers.unwrap(), "3 ", "the number goes on, and nobody holds it");
}

#[tokio::test]
async fn five_thousand_entries_fit_and_cost_a_few_requests() {
    let name = "five_thousand_entries_fit_and_cost_a_few_requests";
    let Some(plane) = available(name, ControlPlane::start().map(with_namespace)) else { return };
    let (world, names) =
        (World::default(), (0..5000).map(|number| format!("thing-of-a-large-site-{number}")).collect::<Vec<_>>());
    let one = Machine::new("one", &plane.kubeconfig(), &world);
    let mark = plane.audit().mark().unwrap();
    let begun = std::time::Instant::now();
    assert_eq!(one.applied(&things(&names)).await, 5000);
    let (first, took) = (asked(&plane, mark).mutating(), begun.elapsed());
    let most = 2 + usize::try_from(took.as_secs()).unwrap() / 5;
    assert!(first.len() <= most, "at the beginning, every five seconds, at the end: {:?} in {took:?}", first.tally());
    let other = Machine::new("other", &plane.kubeconfig(), &world);
    assert_eq!(Ledger::of(&other.site).await.unwrap().entries().filter(|entry| entry.made).count(), 5000);
    assert_eq!(other.applied(&things(&names)).await, 0);
}

#[tokio::test]
async fn what_is_too_large_for_one_object_is_kept_in_several_and_shrinks_again() {
    let name = "what_is_too_large_for_one_object_is_kept_in_several_and_shrinks_again";
    let Some(plane) = available(name, ControlPlane::start().map(with_namespace)) else { return };
    let (world, names) = (World::default(), long_names(12));
    let one = Machine::new("one", &plane.kubeconfig(), &world);
    assert_eq!(one.applied(&things(&names)).await, 12);
    let objects = kept(&plane);
    assert!(objects.len() > 1 && objects[0] == NAME, "{objects:?}");
    let other = Machine::new("other", &plane.kubeconfig(), &world);
    assert_eq!(other.applied(&things(&names)).await, 0);
    assert_eq!(kept(&plane), objects, "nothing is written");
    assert_eq!(other.applied(&things(&names[..3])).await, 9);
    assert_eq!(kept(&plane), [NAME], "the parts of the old one are gone");
    assert_eq!(one.applied(&things(&names)).await, 9);
    assert_eq!(one.destroyed().await, 12);
    assert!(kept(&plane).is_empty());
    assert!(fs::metadata(&one.site.state).is_err());
}

#[tokio::test]
async fn lines_stand_beside_the_whole_that_they_belong_to_and_go_with_it() {
    let name = "lines_stand_beside_the_whole_that_they_belong_to_and_go_with_it";
    let Some(plane) = available(name, ControlPlane::start().map(with_namespace)) else { return };
    let store = Machine::new("one", &plane.kubeconfig(), &World::default()).site.ledger_store();
    let empty = store.find().await.unwrap();
    assert!(empty.whole.is_none() && empty.state == LedgerState::default());
    assert!(store.append(&empty.state, b"early", None).await.is_err(), "there is no whole beside which they could stand");
    let first = store.save(&empty.state, b"first", None).await.unwrap();
    let mut known = first.clone();
    for lines in ["one\ntwo", "three"] {
        known = store.append(&known, lines.as_bytes(), None).await.unwrap();
    }
    let found = store.find().await.unwrap();
    assert_eq!((found.whole.unwrap(), found.lines), (b"first".to_vec(), b"one\ntwo\nthree\n".to_vec()));
    assert!(found.state == known && known.has_lines);
    // Who knows an older state writes over nothing.
    for refused in [
        store.save(&first, b"stale", None).await.map(drop),
        store.append(&first, b"stale", None).await.map(drop),
        store.remove(&first, None).await,
    ] {
        assert!(matches!(refused, Err(LedgerError::Superseded { .. })), "{refused:?}");
    }
    let second = store.save(&known, b"second", None).await.unwrap();
    let found = store.find().await.unwrap();
    assert_eq!((found.whole.unwrap(), found.lines.len(), found.state), (b"second".to_vec(), 0, second.clone()));
    store.remove(&second, None).await.unwrap();
    assert!(store.find().await.unwrap().whole.is_none() && kept(&plane).is_empty());
}
