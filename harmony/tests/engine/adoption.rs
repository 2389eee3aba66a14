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
    assert!(site.entries().is_empty(), "what was only meant counts as made");
    assert!(site.apply(&things(&["a"])).await.is_err());
    assert_eq!(site.world.writes(), 0, "the next run has overwritten it");
}

#[tokio::test]
async fn what_others_made_since_the_plan_is_not_taken_over_before_a_plan_shows_it() {
    let site = FakeSite::new();
    let (scores, maestro) = (things(&["a"]), adopting(&site, "fake/a"));
    let prepared = maestro.prepare(&harmony::Inventory::empty(), &site.place, &scores).await.unwrap();
    foreign(&site, &FakeThing::new("a").with_size(5));
    let outcome = prepared.apply().await.unwrap();
    insta::assert_snapshot!(
        outcome.failures[0].error,
        @"the plan no longer holds for thing a: it is there now, and this program has not made it"
    );
    assert_eq!((site.world.writes(), site.entries().len()), (0, 0));
    assert_eq!(site.apply_with(&maestro, &scores).await.unwrap().counts.update, 1);
}

#[tokio::test]
async fn what_a_run_did_not_come_to_is_not_taken_for_its_own_later() {
    use harmony_test::{Call, Failing};
    let site = FakeSite::new();
    let wanted = || {
        program(|place, stage| {
            let a = stage.add(place, "a", &FakeThing::new("a"))?;
            stage.after(&[a.address().clone()], |stage| stage.add(place, "b", &FakeThing::new("b"))).map(|_| ())
        })
    };
    site.world.fail(Call::Apply, "a", Failing::Refused, 1);
    site.apply(&wanted()).await.unwrap();
    assert_eq!(site.entries().len(), 1, "`a` may be half made, `b` was not begun");
    foreign(&site, &FakeThing::new("b").with_size(5));
    site.world.take_log();
    assert!(site.apply(&wanted()).await.is_err());
    assert_eq!(site.world.writes(), 0, "what others made meanwhile was overwritten");
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

#[tokio::test]
async fn what_is_taken_over_as_it_is_is_shown_as_a_step() {
    let site = FakeSite::new();
    foreign(&site, &FakeThing::new("same"));
    let scores = things(&["same"]);
    let plan = adopting(&site, "fake/same").plan(&harmony::Inventory::empty(), &site.place, &scores).await.unwrap();
    assert_eq!((change(&plan, "fake/same"), plan.counts().adopt, plan.is_pending()), (&Change::Adopt, 1, true));
    let outcome = site.apply_with(&adopting(&site, "fake/same"), &scores).await.unwrap();
    assert_eq!((outcome.counts.adopt, outcome.writes, site.world.writes()), (1, 0, 0));
    assert!(site.entries()[0].made);
    assert!(!site.plan(&scores).await.unwrap().is_pending());
}

#[tokio::test]
async fn what_is_below_an_address_is_taken_over_with_it() {
    let site = FakeSite::new();
    let scores = || {
        program(|place, stage| {
            stage.within("wing", |stage| {
                stage.add(place, "a", &FakeThing::new("a"))?;
                stage.add(place, "b", &FakeThing::new("b"))
            })?;
            stage.add(place, "wings", &FakeThing::new("c")).map(|_| ())
        })
    };
    for name in ["a", "b", "c"] {
        foreign(&site, &FakeThing::new(name));
    }
    let plan = adopting(&site, "fake/wing").plan(&harmony::Inventory::empty(), &site.place, &scores()).await.unwrap();
    assert_eq!((plan.counts().adopt, plan.counts().forbidden), (2, 1));
    assert!(matches!(change(&plan, "fake/wings"), Change::Forbidden { .. }));
}

#[tokio::test]
async fn a_lost_ledger_is_told_and_everything_is_taken_over_at_once() {
    use crate::programs::house;
    let site = FakeSite::new();
    site.apply(&house(1, &["attic"])).await.unwrap();
    std::fs::remove_dir_all(&site.site.state).unwrap();
    site.world.take_log();
    site.events.take();
    let plan = site.plan(&house(1, &["attic"])).await.unwrap();
    assert_eq!(plan.refusals().count(), 2, "the house and the key; of the attic nobody can tell");
    let said = site.events.take().into_iter().filter(|line| line.contains("--adopt-all")).count();
    assert_eq!(said, 1);
    let foreign = site.maestro().foreign(&harmony::Inventory::empty(), &site.place, &house(1, &["attic"])).await.unwrap();
    assert_eq!(foreign.len(), 2, "{foreign:?}");
    let all = site.maestro().with_allowances(Allowances { adopts_all: true, ..Allowances::default() });
    let outcome = site.apply_with(&all, &house(1, &["attic"])).await.unwrap();
    assert!(outcome.failures.is_empty(), "{:?}", outcome.failures);
    assert_eq!((outcome.counts.adopt, site.world.writes(), site.entries().len()), (3, 0, 3));
    assert_eq!(site.apply(&house(1, &["attic"])).await.unwrap().writes, 0);
    assert!(site.destroy().await.unwrap().failures.is_empty());
    assert!(site.world.identities().is_empty());
}

#[tokio::test]
async fn a_site_in_which_something_was_made_is_not_taken_for_one_that_lost_its_ledger() {
    let site = FakeSite::new();
    site.apply(&things(&["a"])).await.unwrap();
    foreign(&site, &FakeThing::new("b"));
    site.events.take();
    site.plan(&things(&["a", "b"])).await.unwrap();
    assert!(site.events.take().iter().all(|line| !line.contains("--adopt-all")));
}
