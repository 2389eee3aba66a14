//! What is there although this program has not made it.

use harmony::engine::plan::{Allowances, Change};
use harmony_test::{FakeNamespace, FakeSite, FakeThing, Stored};
use serde_json::json;

use crate::programs::{change, of_things, program, things};

fn foreign(site: &FakeSite, thing: &FakeThing) {
    let state = json!({"name": thing.name, "text": "", "size": thing.size, "colour": "red", "nature": "plain"});
    let outputs = json!({"url": format!("fake://{}", thing.name)});
    site.world.put("fake-thing/v1", &thing.name, Stored { state, outputs, holds: None });
}

fn adopting(site: &FakeSite, address: &str) -> harmony::Maestro {
    let adoptions = [address.to_owned()].into();
    site.maestro().with_allowances(Allowances { adoptions, ..Allowances::default() })
}

#[tokio::test]
async fn what_others_made_is_not_touched() {
    let site = FakeSite::new();
    foreign(&site, &FakeThing::new("a"));
    let plan = site.plan(&things(&["a"])).await.unwrap();
    let Change::Forbidden { because, hint } = change(&plan, "fake/a") else { panic!("{plan:?}") };
    insta::assert_snapshot!(because, @"thing a is there already, and this program has not made it");
    insta::assert_snapshot!(hint, @"remove it, choose another name, or take it over with `--adopt fake/a`");
    assert!(site.apply(&things(&["a"])).await.is_err());
    assert_eq!(site.world.writes(), 0);
}

#[tokio::test]
async fn what_others_made_since_the_plan_is_not_touched_either() {
    let site = FakeSite::new();
    let scores = things(&["a"]);
    let prepared = site.maestro().prepare(&harmony::Inventory::empty(), &site.place, &scores).await.unwrap();
    foreign(&site, &FakeThing::new("a").with_size(5));
    let outcome = prepared.apply().await.unwrap();
    assert_eq!(site.world.writes(), 0, "it was overwritten");
    assert!(outcome.failures[0].error.contains("this program has not made it"), "{:?}", outcome.failures);
}

#[tokio::test]
async fn what_is_adopted_belongs_to_the_program_from_then_on() {
    let site = FakeSite::new();
    for (name, size, writes) in [("same", 1, 0), ("other", 5, 1)] {
        foreign(&site, &FakeThing::new(name).with_size(size));
        let outcome = site.apply_with(&adopting(&site, &format!("fake/{name}")), &things(&["keep", name])).await;
        site.world.take_log();
        assert_eq!(outcome.unwrap().counts.update, writes);
        assert_eq!(site.entries().len(), 2, "{name} was not written down");
        assert_eq!(site.apply(&things(&["keep", name])).await.unwrap().writes, 0);
        site.apply(&things(&["keep"])).await.unwrap();
        assert_eq!(site.world.identities(), ["keep"], "{name} was not taken away");
    }
}

#[tokio::test]
async fn what_is_shared_is_taken_as_it_is_and_left_behind() {
    let site = FakeSite::new();
    let shared = |names: &'static [&'static str]| {
        program(move |place, stage| {
            stage.add(place, "keep", &FakeThing::new("keep"))?;
            for name in names {
                stage.add(place, name, &FakeNamespace { name: (*name).to_owned() })?;
            }
            Ok(())
        })
    };
    let namespace = Stored { state: json!({"name": "theirs"}), outputs: json!(null), holds: None };
    site.world.put("fake-namespace/v1", "theirs", namespace);
    site.apply(&shared(&["ours", "theirs"])).await.unwrap();
    site.world.take_log();
    let outcome = site.apply(&shared(&[])).await.unwrap();
    assert_eq!((outcome.counts.forget, outcome.writes), (2, 0));
    assert_eq!(site.world.identities(), ["ours", "theirs", "keep"]);
    assert_eq!(site.entries().len(), 1);
}

#[tokio::test]
async fn a_lost_answer_is_not_taken_for_a_foreign_thing() {
    use harmony_test::{Call, Failing};
    let site = FakeSite::new();
    site.world.fail(Call::Apply, "a", Failing::AnswerLost, 1);
    let outcome = site.apply(&of_things(vec![FakeThing::new("a")])).await.unwrap();
    assert!(outcome.failures.is_empty(), "{:?}", outcome.failures);
    assert_eq!((outcome.writes, outcome.counts.create), (1, 1));
    assert_eq!(site.world.take_log(), ["create a"], "what had been done was done again");
}
