//! What a run does whose lease cannot be renewed.

use std::time::Duration;

use harmony::engine::outcome::Ending;
use harmony::{Outcome, Scores};
use harmony_test::{Call, Failing, FakePlace, FakeThing};
use tokio::time::{Instant, sleep};

use super::machines::{DURATION, Machine, Passing, Shared};
use crate::programs::{program, things};

/// Things that are made one after the other.
fn in_turn(names: &'static [&'static str]) -> Scores<FakePlace> {
    program(move |place, stage| {
        let mut before = Vec::new();
        for name in names {
            let thing = stage.after(&before, |stage| stage.add(place, name, &FakeThing::new(name)))?;
            before = vec![thing.address().clone()];
        }
        Ok(())
    })
}

const WANTED: &[&str] = &["a", "b", "c"];

/// Applies while each write takes `slow`; what passes between this machine and the lease changes after 10 s, and opens again after `open`.
async fn apply_cut_off(shared: &Shared, machine: &Machine, passing: Passing, (slow, open): (u64, u64)) -> Outcome {
    for name in WANTED {
        shared.world.fail(Call::Apply, name, Failing::Slow(Duration::from_secs(slow)), 1);
    }
    let way = machine.way.clone();
    tokio::spawn(async move {
        sleep(Duration::from_secs(10)).await;
        way.let_pass(passing);
        sleep(Duration::from_secs(open)).await;
        way.let_pass(Passing::Open);
    });
    machine.apply(&in_turn(WANTED)).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_long_run_keeps_its_lease() {
    let shared = Shared::new();
    let one = shared.machine("one");
    let begun = Instant::now();
    let outcome = apply_cut_off(&shared, &one, Passing::Open, (200, 1)).await;
    assert_eq!((outcome.ending(), outcome.writes, begun.elapsed().as_secs()), (Ending::Changed, 3, 600));
    // Six times in each duration, once to take it, once to give it back.
    let swaps = *one.way.swaps.lock().unwrap();
    assert!((100..=123).contains(&swaps), "{swaps}");
}

#[tokio::test(start_paused = true)]
async fn a_run_that_cannot_renew_says_so_and_begins_nothing_before_its_lease_could_run_out() {
    for passing in [Passing::Refused, Passing::Silent] {
        let shared = Shared::new();
        let (one, other) = (shared.machine("one"), shared.machine("other"));
        let begun = Instant::now();
        // `a` ends after 40 s, when the lease that was renewed last at 10 s has run out.
        let outcome = apply_cut_off(&shared, &one, passing, (40, 1000)).await;
        assert_eq!(outcome.ending(), Ending::Failed, "{passing:?}");
        assert_eq!(shared.world.take_log(), ["create a"], "{passing:?}");
        let not_begun: Vec<&str> = outcome.not_begun.iter().map(|address| address.as_str()).collect();
        assert_eq!(not_begun, ["fake/b", "fake/c"]);
        assert!(!outcome.interrupted && begun.elapsed() < Duration::from_secs(50), "{:?}", begun.elapsed());
        let why = outcome.lease_lost.unwrap();
        assert!(why.starts_with("it was not renewed for "), "{why}");
        let remarks = one.remarks();
        let warned = remarks.iter().any(|says| says.contains("could not be renewed") && says.contains("if that goes on"));
        assert!(warned || passing == Passing::Silent, "{remarks:?}");
        assert!(remarks.last().unwrap().ends_with("nothing new is begun"), "{remarks:?}");
        // What it was about to make is known, so that the next run goes on from there, after the lease has run out.
        let outcome = other.apply(&in_turn(WANTED)).await.unwrap();
        assert_eq!((outcome.ending(), outcome.counts.create, outcome.counts.unchanged), (Ending::Changed, 2, 1), "{passing:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_down_for_a_while_does_no_harm() {
    let shared = Shared::new();
    let one = shared.machine("one");
    let outcome = apply_cut_off(&shared, &one, Passing::Refused, (40, 15)).await;
    assert_eq!((outcome.ending(), outcome.writes), (Ending::Changed, 3));
    let remarks = one.remarks();
    assert!(remarks.len() == 1 && remarks[0].contains("if that goes on, nothing new is begun in"), "{remarks:?}");
}

#[tokio::test(start_paused = true)]
async fn a_renewal_whose_answer_is_lost_is_recognised_as_our_own() {
    let shared = Shared::new();
    let one = shared.machine("one");
    let outcome = apply_cut_off(&shared, &one, Passing::AnswerLost, (40, 15)).await;
    assert_eq!((outcome.ending(), outcome.writes), (Ending::Changed, 3), "{:?}", outcome.lease_lost);
    assert_eq!(shared.record().await.holder, None, "and given back");
}

#[tokio::test(start_paused = true)]
async fn no_write_of_a_run_that_was_cut_off_begins_after_another_has_taken_over() {
    let shared = Shared::new();
    let (one, other) = (shared.machine("one"), shared.machine("other"));
    let log = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let written = log.clone();
    shared.world.watch(move |happened| written.lock().unwrap().push((happened.to_string(), Instant::now())));
    let old = apply_cut_off(&shared, &one, Passing::Silent, (200, 60));
    let new = async {
        sleep(Duration::from_secs(15)).await;
        let prepared = other.prepare(&things(&["b", "n"])).await.unwrap();
        let taken = Instant::now();
        (prepared.apply().await.unwrap(), taken)
    };
    let begun = Instant::now();
    let (old, (new, taken)) = tokio::join!(old, new);
    assert_eq!((old.ending(), new.ending()), (Ending::Failed, Ending::Changed));
    // The last renewal was at 10 s or before, the new run has looked at it at 15 s.
    assert!(taken - begun >= Duration::from_secs(15) + DURATION && taken - begun < Duration::from_secs(60));
    let log = log.lock().unwrap().clone();
    let of_old: Vec<_> = log.iter().filter(|(_, at)| *at < taken).map(|(what, _)| what.as_str()).collect();
    let after: Vec<_> = log.iter().filter(|(_, at)| *at >= taken).map(|(what, _)| what.as_str()).collect();
    assert_eq!(of_old, ["create a"], "it was sent before");
    assert!(after.iter().all(|what| ["create b", "create n", "delete a"].contains(what)), "{after:?}");
    // What the old run had in flight has landed after the new one looked: its next run takes it away.
    assert_eq!(shared.world.identities(), ["a", "b", "n"]);
    let last = other.apply(&things(&["b", "n"])).await.unwrap();
    assert_eq!((shared.world.identities(), last.counts.delete), (vec!["b".to_owned(), "n".to_owned()], 1));
    let digest = std::fs::read(shared.state().join("ledger.json")).unwrap();
    assert_eq!(other.apply(&things(&["b", "n"])).await.unwrap().ending(), Ending::Converged);
    assert_eq!(std::fs::read(shared.state().join("ledger.json")).unwrap(), digest);
}
