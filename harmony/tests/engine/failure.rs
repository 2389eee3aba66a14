//! What fails stops what needs it, and nothing else.

use std::time::Duration;

use harmony::Inventory;
use harmony::engine::maestro::EngineError;
use harmony::engine::outcome::Ending;
use harmony_test::{Call, Failing, FakeSite, FakeThing};

use crate::programs::{chain, of_things, program, things};

fn chain_and_another() -> harmony::Scores<harmony_test::FakePlace> {
    program(|place, stage| {
        let a = stage.add(place, "a", &FakeThing::new("a"))?;
        stage.add(place, "b", &FakeThing::new("b").with_text(a.get(&FakeThing::URL)))?;
        stage.add(place, "z", &FakeThing::new("z")).map(|_| ())
    })
}

#[tokio::test]
async fn what_needs_the_failed_thing_is_not_begun_and_the_rest_goes_on() {
    let site = FakeSite::new();
    site.world.fail(Call::Apply, "a", Failing::Refused, 1);
    let outcome = site.apply(&chain_and_another()).await.unwrap();
    assert_eq!(site.world.identities(), ["z"]);
    assert_eq!(outcome.ending(), Ending::Failed);
    assert_eq!(outcome.not_begun.iter().map(|address| address.as_str()).collect::<Vec<_>>(), ["fake/b"]);
    let failure = &outcome.failures[0];
    insta::assert_snapshot!(failure.error, @"a was refused: it was told to fail");
    assert_eq!(
        (failure.address.as_str(), failure.label.as_str(), failure.origin.score.as_str()),
        ("fake/a", "thing a", "program")
    );
    let outcome = site.apply(&chain_and_another()).await.unwrap();
    assert_eq!((outcome.counts.create, outcome.counts.unchanged), (2, 1));
}

#[tokio::test]
async fn what_is_told_to_wait_is_tried_again() {
    for failing in [Failing::RetryLater, Failing::Unreachable, Failing::Conflict] {
        let site = FakeSite::new();
        site.world.fail(Call::Apply, "a", failing, 3);
        let outcome = site.apply(&things(&["a"])).await.unwrap();
        assert!(outcome.failures.is_empty(), "{failing:?}: {:?}", outcome.failures);
        assert_eq!(outcome.writes, 1, "{failing:?}");
    }
}

#[tokio::test]
async fn a_look_that_is_told_to_wait_is_tried_again() {
    let site = FakeSite::new();
    site.apply(&things(&["a"])).await.unwrap();
    site.world.fail(Call::Observe, "a", Failing::RetryLater, 3);
    assert!(!site.plan(&things(&["a"])).await.unwrap().is_pending());
}

#[tokio::test(start_paused = true)]
async fn a_look_that_is_told_to_wait_for_long_is_given_up_long_before_a_step_would_be() {
    let site = FakeSite::new();
    site.apply(&things(&["a"])).await.unwrap();
    site.world.fail(Call::Observe, "a", Failing::RetryLater, usize::MAX);
    let maestro = site.maestro().with_patience(Duration::from_secs(120));
    let begun = tokio::time::Instant::now();
    let EngineError::Observe { troubles } = maestro.plan(&Inventory::empty(), &site.place, &things(&["a"])).await.unwrap_err()
    else {
        panic!()
    };
    let took = begun.elapsed().as_secs();
    assert!((20..30).contains(&took), "{took} s");
    insta::assert_snapshot!(troubles[0].error, @"failed to look at thing a: waited 20 s for an answer: failed to reach a: it is busy");
}

#[tokio::test]
async fn waiting_ends_at_the_deadline_and_says_for_what() {
    let site = FakeSite::new();
    site.world.fail(Call::Apply, "a", Failing::RetryLater, usize::MAX);
    let maestro = site.maestro().with_patience(Duration::from_millis(50));
    let outcome = site.apply_with(&maestro, &things(&["a"])).await.unwrap();
    insta::assert_snapshot!(outcome.failures[0].error, @"waited 0 s for it to be done: failed to reach a: it is busy");
}

#[tokio::test(start_paused = true)]
async fn what_is_not_permitted_is_not_tried_again_and_says_what_to_do() {
    let site = FakeSite::new();
    site.world.fail(Call::Apply, "a", Failing::NotPermitted, usize::MAX);
    let outcome = site.apply(&chain_and_another()).await.unwrap();
    assert_eq!(site.world.take_log().iter().filter(|line| *line == "create a").count(), 1);
    assert_eq!((outcome.failures.len(), site.world.identities()), (1, vec!["z".to_owned()]));
    insta::assert_snapshot!(outcome.failures[0].error, @"failed to reach a: it says no");
    insta::assert_snapshot!(
        outcome.failures[0].hint.clone().unwrap(),
        @"give the credential that the run uses the right to do this, or use one that has it"
    );
    site.world.heal();
    site.world.fail(Call::Observe, "z", Failing::NotPermitted, 1);
    let error = site.plan(&chain_and_another()).await.unwrap_err();
    insta::assert_snapshot!(error.hint().unwrap(), @"give the credential that the run uses the right to do this, or use one that has it");
}

#[tokio::test(start_paused = true)]
async fn whoever_says_when_to_come_back_is_left_alone_until_then() {
    let site = FakeSite::new();
    let hour = Duration::from_secs(3600);
    let maestro = site.maestro().with_patience(3 * hour);
    for call in [Call::Observe, Call::Apply] {
        site.world.fail(call, "a", Failing::RetryAfter(hour), 1);
        let begun = tokio::time::Instant::now();
        let size = if call == Call::Apply { 2 } else { 1 };
        let outcome = site.apply_with(&maestro, &of_things(vec![FakeThing::new("a").with_size(size)])).await.unwrap();
        assert!(outcome.failures.is_empty(), "{call:?}: {:?}", outcome.failures);
        let waited = begun.elapsed();
        assert!(waited >= hour && waited < hour * 12 / 10, "{call:?}: {waited:?}");
    }
    assert_eq!(site.world.take_log(), ["create a", "update a", "update a"]);
}

#[tokio::test(start_paused = true)]
async fn a_time_behind_the_deadline_is_not_waited_for() {
    let site = FakeSite::new();
    site.world.fail(Call::Apply, "a", Failing::RetryAfter(Duration::from_secs(60)), usize::MAX);
    let outcome = site.apply(&things(&["a"])).await.unwrap();
    assert_eq!(site.world.writes(), 1);
    insta::assert_snapshot!(outcome.failures[0].error, @"waited 0 s for it to be done: failed to reach a: it is busy");
    insta::assert_snapshot!(
        outcome.failures[0].hint.clone().unwrap(),
        @"run it again in 60 s: that is how long it asks to be left alone"
    );
}

#[tokio::test(start_paused = true)]
async fn every_further_try_begins_with_a_look() {
    for failing in [Failing::AnswerLost, Failing::Conflict, Failing::RetryLater, Failing::Unreachable] {
        let site = FakeSite::new();
        site.world.fail(Call::Apply, "a", failing, 1);
        let seen = site.world.clone();
        let looked = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let noted = looked.clone();
        site.world.watch(move |_| noted.lock().unwrap().push(seen.observations()));
        site.apply(&things(&["a"])).await.unwrap();
        let looked = looked.lock().unwrap().clone();
        let expected = if failing == Failing::AnswerLost { 1 } else { 2 };
        assert_eq!(looked.len(), expected, "{failing:?}: what had been done was done again, or what had not was not");
        assert!(looked.windows(2).all(|pair| pair[0] < pair[1]), "{failing:?}: {looked:?}");
        site.world.watch(|_| {});
    }
}

#[tokio::test]
async fn a_place_that_would_refuse_says_so_in_the_plan() {
    let site = FakeSite::new();
    site.world.fail(Call::Preview, "a", Failing::Refused, 1);
    let error = site.plan(&things(&["a"])).await.unwrap_err();
    insta::assert_snapshot!(error, @"failed to look at thing a");
    assert_eq!(site.world.writes(), 0);
}

#[tokio::test]
async fn what_is_unchanged_between_a_failed_and_a_pending_thing_holds_it_up() {
    let site = FakeSite::new();
    let wanted = |size: u64| {
        program(move |place, stage| {
            let a = stage.add(place, "a", &FakeThing::new("a").with_size(size))?;
            let b = stage.after(&[a.address().clone()], |stage| stage.add(place, "b", &FakeThing::new("b")))?;
            stage.after(&[b.address().clone()], |stage| stage.add(place, "c", &FakeThing::new("c").with_size(size)))?;
            Ok(())
        })
    };
    site.apply(&wanted(1)).await.unwrap();
    site.world.fail(Call::Apply, "a", Failing::Refused, 1);
    let outcome = site.apply(&wanted(2)).await.unwrap();
    assert_eq!(outcome.not_begun.iter().map(|address| address.as_str()).collect::<Vec<_>>(), ["fake/c"]);
}

#[tokio::test]
async fn every_step_of_a_tangled_program_runs_once() {
    // Forty things, each behind up to three earlier ones, over four rounds in which some change, some go and some come.
    let tangled = |round: usize| {
        program(move |place, stage| {
            let mut addresses = Vec::new();
            for number in 0..40_usize {
                if (number + round).is_multiple_of(7) {
                    continue;
                }
                let gates: Vec<_> =
                    [number / 2, number / 3, (number * 5) % 11].iter().filter_map(|at| addresses.get(*at)).cloned().collect();
                let thing = FakeThing::new(&format!("t{number:02}")).with_size(((number * round) % 3) as u64);
                let group = format!("group {}", number % 2);
                let add = |stage: &mut harmony::Stage<'_>| stage.add(place, &thing.name, &thing);
                let handle = stage.after(&gates, |stage| stage.one_at_a_time(&group, add))?;
                addresses.push(handle.address().clone());
            }
            Ok(())
        })
    };
    let site = FakeSite::new();
    for round in 0..4 {
        let expected = site.plan(&tangled(round)).await.unwrap().pending().count();
        site.world.take_log();
        let outcome = site.apply(&tangled(round)).await.unwrap();
        assert_eq!((outcome.failures.len(), outcome.not_begun.len()), (0, 0));
        let mut log = site.world.take_log();
        assert_eq!(log.len(), expected, "{log:?}");
        log.sort();
        log.dedup();
        assert_eq!(log.len(), expected, "something ran twice");
        assert_eq!(site.apply(&tangled(round)).await.unwrap().writes, 0);
    }
}

#[tokio::test]
async fn a_failed_change_leaves_the_plan_as_it_was() {
    let site = FakeSite::new();
    site.apply(&chain("x")).await.unwrap();
    site.world.fail(Call::Apply, "a", Failing::Refused, 1);
    site.apply(&chain("y")).await.unwrap();
    let fresh = site.plan(&chain("y")).await.unwrap();
    assert_eq!(fresh.counts().update, 3, "`a`, and `b` and `c` which may change with it");
    assert_eq!(site.apply(&of_things(vec![FakeThing::new("a").with_text("y")])).await.unwrap().counts.delete, 2);
}
