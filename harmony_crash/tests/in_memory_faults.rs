//! The supercluster of nine servers in memory, with faults at points that a seed chooses; `cargo xtask crash --memory` visits all of them.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test that cannot go on ends")]

use std::sync::Mutex;

use harmony_crash::memory::{Disturbance, Ended, MemoryFaults, MemorySite, expect_good_or_helpful};
use harmony_crash::{Command, Seed, Table};

const SEED: u64 = 11;

/// Runs it to its end, which has to be a good one.
async fn run(site: &MemorySite, command: Command) -> usize {
    match site.run(command, Disturbance::Nothing).await {
        (Ended::Done(Ok(outcome)), ..) if outcome.is_complete() => outcome.writes,
        (ended, ..) => panic!("{command:?} ended so: {ended:?}"),
    }
}

#[tokio::test]
async fn a_fault_ends_well_or_in_an_error_that_helps_and_the_next_run_needs_nothing() {
    for (command, count) in [(Command::Apply, 60), (Command::Destroy, 40)] {
        let faults = MemoryFaults::of(command).await;
        let all = faults.all();
        assert!(all.len() > 5000, "too few points to be the main job: {}", all.len());
        let table = Mutex::new(Table::default());
        faults.visit(&Seed(SEED).sample(&all, count), |visit| table.lock().unwrap().add(visit));
        let table = table.into_inner().unwrap();
        println!("{command:?}, {count} of {} faults\n{table}", all.len());
        assert!(!table.failed(), "seed {SEED}\n{table}");
    }
}

#[tokio::test]
async fn looks_that_are_behind_do_no_harm_and_the_run_after_them_needs_nothing() {
    let undisturbed = MemorySite::new();
    run(&undisturbed, Command::Apply).await;
    let expected = undisturbed.things().all();
    for looks in 1..=3 {
        let site = MemorySite::new();
        site.things().answer_stale(looks);
        run(&site, Command::Apply).await;
        // Nothing of what was just made is seen: it may be refused as lost, but nothing is made twice.
        let (ended, ..) = site.run(Command::Apply, Disturbance::Nothing).await;
        expect_good_or_helpful(&ended, None);
        site.things().answer_stale(0);
        run(&site, Command::Apply).await;
        assert_eq!(site.things().all(), expected, "{looks} looks behind");
        assert_eq!(run(&site, Command::Apply).await, 0);
        run(&site, Command::Destroy).await;
    }
}
