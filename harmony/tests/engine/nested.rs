//! Things that live inside others.

use harmony::Scores;
use harmony::engine::maestro::EngineError;
use harmony::engine::plan::Change;
use harmony_test::{Call, Failing, FakeAccess, FakeGarden, FakePlace, FakeRoom, FakeSecret, FakeSite, FakeStore, FakeThing};

use crate::programs::{change, house, program, step};

const ROOM: &str = "fake-room/v1";
const THING: &str = "fake-thing/v1";

#[tokio::test]
async fn what_lives_in_something_to_be_made_is_planned_and_made_in_one_run() {
    let site = FakeSite::new();
    let plan = site.plan(&house(1, &["attic", "cellar"])).await.unwrap();
    assert_eq!(plan.counts().create, 4);
    assert_eq!(site.apply(&house(1, &["attic", "cellar"])).await.unwrap().counts.create, 4);
    assert_eq!(site.apply(&house(1, &["attic", "cellar"])).await.unwrap().writes, 0);
}

#[tokio::test]
async fn things_behind_one_access_are_looked_at_in_one_batch() {
    let site = FakeSite::new();
    site.apply(&house(1, &["attic", "cellar", "kitchen"])).await.unwrap();
    let before = site.world.observations();
    site.plan(&house(1, &["attic", "cellar", "kitchen"])).await.unwrap();
    assert_eq!(site.world.observations() - before, 3, "one for the house, one for the key, one for the rooms");
}

#[tokio::test]
async fn what_lives_in_something_that_changes_is_unknown_until_then() {
    let site = FakeSite::new();
    site.apply(&house(1, &["attic"])).await.unwrap();
    let plan = site.plan(&house(2, &["attic"])).await.unwrap();
    assert_eq!(change(&plan, "fake/attic"), &Change::UnknownUntil { until: vec!["fake/house".parse().unwrap()] });
    let outcome = site.apply(&house(2, &["attic"])).await.unwrap();
    assert_eq!((outcome.counts.update, outcome.writes), (1, 1), "what was unknown turned out to be as it should");
}

#[tokio::test]
async fn destroying_goes_from_the_inside_out() {
    let site = FakeSite::new();
    site.apply(&house(1, &["attic", "cellar"])).await.unwrap();
    site.world.take_log();
    let outcome = site.destroy().await.unwrap();
    let log = site.world.take_log();
    assert!(log[..2].iter().all(|line| line.starts_with("delete house.")), "{log:?}");
    assert_eq!((outcome.counts.delete, outcome.failures.len()), (4, 0));
    assert!(site.world.identities().is_empty());
    assert!(!site.site.state.join("ledger.json").exists());
}

#[tokio::test]
async fn what_lived_in_something_that_is_gone_is_gone_with_it() {
    let site = FakeSite::new();
    site.apply(&house(1, &["attic"])).await.unwrap();
    site.world.remove(THING, "house");
    site.world.remove(ROOM, "house.attic");
    assert!(matches!(site.destroy().await, Err(EngineError::Refused { .. })), "nobody can say what the attic held");
    let maestro = site.maestro().with_allowances(losing("fake/attic"));
    let outcome = maestro.prepare_destroy(&site.place).await.unwrap().apply().await.unwrap();
    assert!(outcome.failures.is_empty(), "{:?}", outcome.failures);
    assert!(site.entries().is_empty());
}

fn losing(address: &str) -> harmony::engine::plan::Allowances {
    harmony::engine::plan::Allowances { losses: [address.to_owned()].into(), ..Default::default() }
}

#[tokio::test]
async fn what_goes_leaves_before_what_it_lives_in_changes() {
    let site = FakeSite::new();
    site.apply(&house(1, &["attic", "cellar"])).await.unwrap();
    site.world.take_log();
    let outcome = site.apply(&house(2, &["attic"])).await.unwrap();
    assert!(outcome.failures.is_empty(), "{:?}", outcome.failures);
    assert_eq!(site.world.take_log(), ["delete house.cellar", "update house"]);
}

#[tokio::test]
async fn what_goes_and_cannot_be_reached_leaves_after_its_holder_is_there_again() {
    let site = FakeSite::new();
    site.apply(&house(1, &["attic", "cellar"])).await.unwrap();
    let house_as_it_was = site.world.find(THING, "house").unwrap();
    site.world.remove(THING, "house");
    let plan = site.plan(&house(1, &["attic"])).await.unwrap();
    assert_eq!(step(&plan, "fake/cellar").loss.as_ref().unwrap().what, "nobody can say what: it cannot be looked at now");
    site.world.take_log();
    let outcome = site.apply_losing(&house(1, &["attic"]), &["fake/cellar"]).await.unwrap();
    assert!(outcome.failures.is_empty(), "{:?}", outcome.failures);
    assert_eq!(site.world.take_log(), ["create house", "delete house.cellar"]);
    assert_eq!(site.world.find(THING, "house").unwrap().state, house_as_it_was.state);
}

#[tokio::test]
async fn unreachable_with_nothing_pending_is_an_error() {
    use harmony_test::{Call, Failing};
    let site = FakeSite::new();
    site.apply(&house(1, &["attic"])).await.unwrap();
    site.world.fail(Call::Observe, "house.attic", Failing::Unreachable, 1);
    let error = site.plan(&house(1, &["attic"])).await.unwrap_err();
    insta::assert_snapshot!(error, @"failed to look at room house.attic");
    let EngineError::Observe { troubles } = error else { panic!() };
    insta::assert_snapshot!(
        troubles[0].error,
        @"failed to look at room house.attic: failed to reach house.attic: nobody answers"
    );
}

#[tokio::test]
async fn what_we_may_not_look_at_is_an_error_unless_its_holder_is_about_to_change() {
    use harmony_test::{Call, Failing};
    let site = FakeSite::new();
    site.apply(&house(1, &["attic"])).await.unwrap();
    site.world.fail(Call::Observe, "house.attic", Failing::NotPermitted, usize::MAX);
    let EngineError::Observe { troubles } = site.plan(&house(1, &["attic"])).await.unwrap_err() else { panic!() };
    insta::assert_snapshot!(troubles[0].error, @"failed to reach house.attic: it says no");
    assert!(troubles[0].hint.as_ref().unwrap().contains("credential"), "{troubles:?}");
    let plan = site.plan(&house(2, &["attic"])).await.unwrap();
    assert_eq!(change(&plan, "fake/attic"), &Change::UnknownUntil { until: vec!["fake/house".parse().unwrap()] });
    assert!(matches!(site.destroy().await, Err(EngineError::Refused { .. })), "nobody can say what the attic holds");
    let maestro = site.maestro().with_allowances(losing("fake/attic"));
    let outcome = maestro.prepare_destroy(&site.place).await.unwrap().apply().await.unwrap();
    assert!(outcome.failures.is_empty(), "{:?}", outcome.failures);
    assert!(site.world.identities().is_empty());
}

#[tokio::test]
async fn what_is_locked_away_behind_a_lost_secret_is_named_with_what_to_do() {
    let site = FakeSite::new();
    site.apply(&house(1, &["attic"])).await.unwrap();
    site.world.remove("fake-secret/v1", "key");
    let wanted = program(|place, stage| stage.add(place, "house", &FakeThing::new("house")).map(|_| ()));
    let maestro = site.maestro().with_allowances(losing("fake/attic"));
    let outcome = site.apply_with(&maestro, &wanted).await.unwrap();
    insta::assert_snapshot!(outcome.failures[0].error, @"failed to prepare room house.attic: `fake/key`, by which it is reached, gave no value for it");
    insta::assert_snapshot!(outcome.failures[0].hint.clone().unwrap(), @"bring back what was at `fake/key`, or remove room house.attic yourself and `forget` it");
}

#[tokio::test]
async fn what_goes_unseen_with_its_holder_is_written_down_until_that_is_gone() {
    use harmony_test::{Call, Failing};
    let site = FakeSite::new();
    let wanted = program(|place, stage| {
        let key = stage.add(place, "key", &FakeSecret::new("key"))?;
        let house = stage.add(place, "house", &FakeThing::new("house"))?;
        // The attic goes before the gate, and the gate before the house.
        let gate = stage.after(&[house.address().clone()], |stage| stage.add(place, "gate", &FakeSecret::new("gate")))?;
        let (access, attic) = (FakeAccess::new(&house, &key), FakeRoom::new("house", "attic"));
        stage.after(&[gate.address().clone()], |stage| stage.add_through(place, &access, "attic", &attic)).map(|_| ())
    });
    site.apply(&wanted).await.unwrap();
    site.world.fail(Call::Observe, "house", Failing::Unreachable, 1);
    site.world.fail(Call::Delete, "house", Failing::Refused, 1);
    let losing_the_attic = site.maestro().with_allowances(losing("fake/attic"));
    let destroyed = losing_the_attic.prepare_destroy(&site.place).await.unwrap().apply().await.unwrap();
    assert_eq!(destroyed.failures.len(), 1);
    let left: Vec<String> = site.entries().into_iter().map(|entry| entry.label).collect();
    assert_eq!(left, ["house.attic", "house"], "the attic is there as long as the house is");
}

#[tokio::test]
async fn a_key_goes_after_what_it_opens_also_if_that_could_not_be_looked_at() {
    let site = FakeSite::new();
    site.apply(&house(1, &["attic"])).await.unwrap();
    site.world.remove(THING, "house");
    site.world.take_log();
    let wanted = program(|place, stage| stage.add(place, "house", &FakeThing::new("house")).map(|_| ()));
    let outcome = site.apply_losing(&wanted, &["fake/attic"]).await.unwrap();
    assert!(outcome.failures.is_empty(), "{:?}", outcome.failures);
    assert_eq!(site.world.take_log(), ["create house", "delete house.attic", "delete key"]);
}

#[tokio::test]
async fn the_loss_of_a_holder_shows_for_what_lives_in_it_before_anything_is_done() {
    let site = FakeSite::new();
    let wanted = |engine: &'static str| {
        program(move |place, stage| {
            let key = stage.add(place, "key", &FakeSecret::new("key"))?;
            let store = stage.add(place, "store", &FakeStore { engine: engine.into(), ..FakeStore::new("store") })?;
            let access = FakeAccess { url: store.get(&FakeStore::URL), password: key.get(&FakeSecret::VALUE) };
            stage.add_through(place, &access, "attic", &FakeRoom::new("store", "attic")).map(|_| ())
        })
    };
    site.apply(&wanted("steam")).await.unwrap();
    site.world.edit("fake-store/v1", "store", |stored| stored.holds = Some("12 apples".to_owned()));
    let EngineError::Refused { steps } = site.apply(&wanted("diesel")).await.unwrap_err() else { panic!() };
    assert_eq!(steps.iter().map(|step| step.address.as_str()).collect::<Vec<_>>(), ["fake/attic", "fake/store"]);
    let outcome = site.apply_losing(&wanted("diesel"), &["fake/attic", "fake/store"]).await.unwrap();
    assert_eq!((outcome.failures.len(), outcome.counts.replace, outcome.counts.create), (0, 1, 1));
}

#[tokio::test]
async fn what_is_lost_with_a_holder_that_promised_to_lose_nothing_stops_its_branch() {
    let site = FakeSite::new();
    let wanted = |colour: &'static str| {
        program(move |place, stage| {
            let key = stage.add(place, "key", &FakeSecret::new("key"))?;
            let house = stage.add(place, "house", &FakeThing::new("house").with_colour(colour))?;
            stage.add_through(place, &FakeAccess::new(&house, &key), "attic", &FakeRoom::new("house", "attic")).map(|_| ())
        })
    };
    site.apply(&wanted("red")).await.unwrap();
    let plan = site.plan(&wanted("blue")).await.unwrap();
    assert!(step(&plan, "fake/house").loss.is_none());
    assert_eq!(change(&plan, "fake/attic"), &Change::UnknownUntil { until: vec!["fake/house".parse().unwrap()] });
    let outcome = site.apply(&wanted("blue")).await.unwrap();
    insta::assert_snapshot!(
        outcome.failures[0].error,
        @"the plan no longer holds for room house.attic: it would now be lost: an earlier run made it and it is gone; it held nothing when last seen"
    );
}

#[tokio::test]
async fn a_holder_under_another_name_takes_what_lives_in_it_along() {
    let site = FakeSite::new();
    let named = |name: &'static str| {
        program(move |place, stage| {
            let key = stage.add(place, "key", &FakeSecret::new("key"))?;
            let house = stage.add(place, "house", &FakeThing::new(name))?;
            stage.add_through(place, &FakeAccess::new(&house, &key), "attic", &FakeRoom::new(name, "attic")).map(|_| ())
        })
    };
    site.apply(&named("old")).await.unwrap();
    site.world.take_log();
    let outcome = site.apply(&named("new")).await.unwrap();
    assert!(outcome.failures.is_empty(), "{:?}", outcome.failures);
    assert_eq!(site.world.identities(), ["new.attic", "key", "new"]);
    let mut log = site.world.take_log();
    let at = |wanted: &str| log.iter().position(|line| line == wanted).unwrap();
    assert!(at("delete old.attic") < at("delete old"), "{log:?}");
    log.sort();
    assert_eq!(log, ["create new", "create new.attic", "delete old", "delete old.attic"]);
}

#[tokio::test]
async fn a_holder_that_could_not_go_is_still_reached_by_its_own_address_later() {
    use harmony_test::{Call, Failing};
    let site = FakeSite::new();
    let named = |name: &'static str| {
        program(move |place, stage| {
            let key = stage.add(place, "key", &FakeSecret::new("key"))?;
            let house = stage.add(place, "house", &FakeThing::new(name))?;
            stage.add_through(place, &FakeAccess::new(&house, &key), "attic", &FakeRoom::new(name, "attic")).map(|_| ())
        })
    };
    site.apply(&named("old")).await.unwrap();
    site.world.fail(Call::Delete, "old.attic", Failing::Refused, 1);
    let outcome = site.apply(&named("new")).await.unwrap();
    assert_eq!(outcome.failures.len(), 1);
    let addresses: Vec<String> = site.entries().iter().map(|entry| entry.address.to_string()).collect();
    assert_eq!(addresses, ["fake/attic", "fake/attic/before-2", "fake/key", "fake/house", "fake/house/before-2"]);
    let outcome = site.apply(&named("new")).await.unwrap();
    assert!(outcome.failures.is_empty(), "{:?}", outcome.failures);
    assert_eq!(site.world.identities(), ["new.attic", "key", "new"]);
}

#[tokio::test]
async fn what_a_killed_run_meant_to_make_and_cannot_have_begun_is_given_up_without_a_question() {
    let site = FakeSite::new();
    // The house is never made, so that nobody can look whether the attic holds something; but nobody can have made an attic either.
    let slow = harmony_test::Failing::Slow(std::time::Duration::from_secs(60));
    site.world.fail(harmony_test::Call::Apply, "house", slow, 1);
    let killed = tokio::time::timeout(std::time::Duration::from_millis(200), site.apply(&house(1, &["attic"]))).await;
    assert!(killed.is_err(), "{killed:?}");
    assert!(site.entries().iter().any(|entry| entry.label.ends_with("attic") && !entry.made));
    let outcome = site.destroy().await.unwrap();
    assert_eq!((outcome.failures.len(), site.entries().len()), (0, 0));
}

/// A house with a garden that is seen from it.
fn house_with_a_garden() -> Scores<FakePlace> {
    program(|place, stage| {
        let key = stage.add(place, "key", &FakeSecret::new("key"))?;
        let house = stage.add(place, "house", &FakeThing::new("house"))?;
        let access = FakeAccess::new(&house, &key);
        stage.add_through(place, &access, "garden", &FakeGarden { name: "garden".to_owned() })?;
        Ok(())
    })
}

#[tokio::test]
async fn what_stands_alone_and_does_not_answer_is_taken_away_all_the_same() {
    for failing in [Failing::Unreachable, Failing::NotPermitted] {
        let site = FakeSite::new();
        site.apply(&house_with_a_garden()).await.unwrap();
        let prepared = site.maestro().prepare_destroy(&site.place).await.unwrap();
        site.world.fail(Call::Observe, "garden", failing, usize::MAX);
        let outcome = prepared.apply().await.unwrap();
        assert!(outcome.is_complete(), "{failing:?}: {outcome:?}");
        assert_eq!((site.world.identities(), outcome.counts.delete), (Vec::<String>::new(), 3), "{failing:?}");
    }
}

#[tokio::test]
async fn what_stands_alone_is_taken_away_also_where_the_way_to_it_is_lost() {
    for lost in [THING, "fake-secret/v1"] {
        let site = FakeSite::new();
        site.apply(&house_with_a_garden()).await.unwrap();
        site.world.remove(lost, if lost == THING { "house" } else { "key" });
        let outcome = site.destroy().await.unwrap();
        assert!(
            outcome.is_complete() && site.world.identities().is_empty(),
            "{lost}: {outcome:?}, {:?}",
            site.world.identities()
        );
    }
}

#[tokio::test]
async fn what_falls_silent_on_the_way_stays_written_down_until_what_it_is_in_is_gone() {
    let site = FakeSite::new();
    site.apply(&house(1, &["attic"])).await.unwrap();
    let prepared = site.maestro().prepare_destroy(&site.place).await.unwrap();
    site.world.fail(Call::Observe, "house.attic", Failing::Unreachable, 1);
    site.world.fail(Call::Delete, "house", Failing::Refused, 1);
    assert_eq!(prepared.apply().await.unwrap().failures.len(), 1);
    assert!(site.entries().iter().any(|entry| entry.key.kind == ROOM), "{:?}", site.entries());
    let outcome = site.apply(&house(1, &["attic"])).await.unwrap();
    assert!(outcome.is_complete(), "{:?}", outcome.failures);
    assert!(site.destroy().await.unwrap().is_complete() && site.world.identities().is_empty());
}
