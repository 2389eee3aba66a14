//! Groups in which one at a time is changed.

use std::time::Duration;

use harmony::Scores;
use harmony_test::{Call, Failing, FakePlace, FakeSite, FakeThing};

use crate::programs::program;

const SLOW: Failing = Failing::Slow(Duration::from_millis(30));

fn cluster(size: u64, names: &'static [&'static str]) -> Scores<FakePlace> {
    program(move |place, stage| {
        stage.one_at_a_time("cluster", |stage| {
            names.iter().try_for_each(|name| stage.add(place, name, &FakeThing::new(name).with_size(size)).map(|_| ()))
        })
    })
}

#[tokio::test]
async fn members_are_made_side_by_side_and_changed_one_after_another() {
    let site = FakeSite::new();
    let names = &["n1", "n2", "n3"];
    names.iter().for_each(|name| site.world.fail(Call::Apply, name, SLOW, 2));
    site.apply(&cluster(1, names)).await.unwrap();
    assert_eq!(site.world.take_most_at_once(), 3);
    site.apply(&cluster(2, names)).await.unwrap();
    assert_eq!(site.world.take_most_at_once(), 1);
}

#[tokio::test]
async fn new_members_are_made_before_any_is_changed() {
    let site = FakeSite::new();
    site.apply(&cluster(1, &["n1", "n2"])).await.unwrap();
    site.world.fail(Call::Apply, "n3", SLOW, 1);
    site.world.take_log();
    site.apply(&cluster(2, &["n1", "n2", "n3"])).await.unwrap();
    assert_eq!(site.world.take_log(), ["create n3", "update n1", "update n2"]);
}

#[tokio::test]
async fn a_failed_change_keeps_the_others_as_they_are() {
    let site = FakeSite::new();
    site.apply(&cluster(1, &["n1", "n2", "n3"])).await.unwrap();
    site.world.fail(Call::Apply, "n1", Failing::Refused, 1);
    let outcome = site.apply(&cluster(2, &["n1", "n2", "n3"])).await.unwrap();
    assert_eq!(outcome.not_begun.len(), 2);
}

#[tokio::test]
async fn turns_follow_needs_that_go_against_the_names() {
    let site = FakeSite::new();
    let wanted = |size: u64, with_new: bool| {
        program(move |place, stage| {
            stage.one_at_a_time("cluster", |stage| {
                let b = stage.add(place, "b", &FakeThing::new("b").with_size(size))?;
                stage.add(place, "a", &FakeThing::new("a").with_size(size).with_text(b.get(&FakeThing::URL)))?;
                if with_new {
                    // What is made needs something that is changed: "made first" cannot be had, and must not hold up the run.
                    stage.add(place, "new", &FakeThing::new("new").with_text(b.get(&FakeThing::URL)))?;
                }
                Ok(())
            })
        })
    };
    site.apply(&wanted(1, false)).await.unwrap();
    ["a", "b"].iter().for_each(|name| site.world.fail(Call::Apply, name, SLOW, 1));
    site.world.take_log();
    let outcome = site.apply(&wanted(2, true)).await.unwrap();
    assert_eq!((outcome.failures.len(), outcome.not_begun.len()), (0, 0));
    let log = site.world.take_log();
    assert_eq!(log[0], "update b", "{log:?}");
    assert_eq!(log.len(), 3);
}
