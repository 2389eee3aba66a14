//! What a place makes only where nothing is: a look and a write in one.

use harmony::Inventory;
use harmony_test::{Call, Failing, FakeSite, FakeThing, Stored};
use serde_json::json;

use crate::programs::things;

fn site() -> FakeSite {
    let site = FakeSite::new();
    site.world.make_at_once();
    site
}

fn put_by_others(site: &FakeSite, name: &str) {
    let state = json!({"name": name, "text": "", "size": 5, "colour": "red", "nature": "plain"});
    site.world.put("fake-thing/v1", name, Stored { state, outputs: json!({"url": format!("fake://{name}")}), holds: None });
}

#[tokio::test]
async fn what_is_made_at_once_is_not_looked_at_before() {
    let site = site();
    let outcome = site.apply(&things(&["a", "b", "c"])).await.unwrap();
    assert_eq!((outcome.counts.create, outcome.writes, site.world.writes()), (3, 3, 3));
    assert_eq!(site.world.observations(), 1, "all in one look, for the plan");
    assert!(!site.plan(&things(&["a", "b", "c"])).await.unwrap().is_pending());
}

#[tokio::test]
async fn what_others_made_since_the_plan_is_not_touched_by_what_is_made_at_once() {
    let site = site();
    let scores = things(&["a", "b"]);
    let prepared = site.maestro().prepare(&Inventory::empty(), &site.place, &scores).await.unwrap();
    put_by_others(&site, "a");
    let outcome = prepared.apply().await.unwrap();
    assert_eq!(site.world.take_log(), ["create b"]);
    assert!(outcome.failures[0].error.contains("this program has not made it"), "{:?}", outcome.failures);
    assert_eq!(site.entries().len(), 1, "what was only meant counts as made");
}

#[tokio::test]
async fn what_was_made_at_once_and_not_answered_is_found_by_the_next_look() {
    let site = site();
    site.world.fail(Call::Apply, "a", Failing::AnswerLost, 1);
    let outcome = site.apply(&things(&["a"])).await.unwrap();
    assert_eq!((outcome.counts.create, outcome.writes, outcome.failures.len()), (1, 1, 0));
    assert_eq!(site.world.take_log(), ["create a"], "it was made twice");
}

#[tokio::test]
async fn what_cannot_be_made_at_once_is_looked_at_before_the_next_try() {
    for failing in [Failing::Conflict, Failing::Unreachable, Failing::RetryLater] {
        let site = site();
        site.world.fail(Call::Apply, "a", failing, 1);
        assert_eq!(site.apply(&things(&["a"])).await.unwrap().writes, 1, "{failing:?}");
        assert_eq!((site.world.writes(), site.world.observations()), (2, 2), "{failing:?}");
    }
}

#[tokio::test]
async fn what_stands_is_changed_after_a_look_as_ever() {
    let site = site();
    site.apply(&things(&["a"])).await.unwrap();
    let before = site.world.observations();
    let larger = crate::programs::of_things(vec![FakeThing::new("a").with_size(7)]);
    assert_eq!(site.apply(&larger).await.unwrap().counts.update, 1);
    assert_eq!(site.world.observations() - before, 2, "for the plan, and before the write");
}
