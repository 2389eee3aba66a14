//! The supercluster of nine servers in memory, with faults at points that a seed chooses.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test that cannot go on ends")]

use harmony::EngineError;
use harmony_crash::memory::{Disturbance, Ended, MemorySite};
use harmony_crash::{Command, Seed, Trouble};

const SEED: u64 = 11;
const TROUBLES: [Trouble; 6] = [
    Trouble::PermissionDenied,
    Trouble::StorageFull,
    Trouble::ReadOnlyFilesystem,
    Trouble::ConnectionReset,
    Trouble::TimedOut,
    Trouble::Interrupted,
];

/// Runs it to its end, which has to be a good one.
async fn run(site: &MemorySite, command: Command) -> usize {
    match site.run(command, Disturbance::Nothing).await {
        (Ended::Done(Ok(outcome)), ..) if outcome.failures.is_empty() && outcome.not_begun.is_empty() => outcome.writes,
        (ended, ..) => panic!("{command:?} ended so: {ended:?}"),
    }
}

/// The words of an error: what failed, and everything that caused it.
fn words(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        words = format!("{words}: {inner}");
        cause = inner.source();
    }
    words
}

/// It came to its end, or says on what it failed, why, and what to do.
fn expect_good_or_helpful(ended: &Ended, trouble: Option<Trouble>, at: &str) {
    let why = trouble.map(|trouble| std::io::Error::from(trouble.kind()).to_string()).unwrap_or_default();
    match ended {
        Ended::Abandoned => panic!("{at}: it was abandoned"),
        // The command line adds to each of these that another run goes on from here.
        Ended::Done(Ok(outcome)) => {
            outcome.failures.iter().for_each(|failed| assert!(failed.error.contains(&why), "{at}: {failed:?}"));
        }
        Ended::Done(Err(error)) => match error.as_ref() {
            EngineError::Observe { troubles } => {
                troubles.iter().for_each(|failed| assert!(failed.error.contains(&why), "{at}: {failed:?}"));
            }
            error => {
                assert!(words(error).contains(&why), "{at}: {}", words(error));
                assert!(error.hint().is_some(), "{at}: no hint with {}", words(error));
            }
        },
    }
}

/// One fault, then a run that makes everything as it should be, then one that changes nothing.
async fn disturbed(disturbance: Disturbance, trouble: Option<Trouble>, expected: &[String]) {
    let site = MemorySite::new();
    let (ended, met, _) = site.run(Command::Apply, disturbance).await;
    let at = format!("{disturbance:?}, {:?}", met.met());
    expect_good_or_helpful(&ended, trouble, &at);
    run(&site, Command::Apply).await;
    assert_eq!(site.things().all(), expected, "{at}");
    assert_eq!(run(&site, Command::Apply).await, 0, "{at}");
}

#[tokio::test]
async fn a_fault_ends_well_or_in_an_error_that_helps_and_the_next_run_needs_nothing() {
    let site = MemorySite::new();
    let (_, _, points) = site.run(Command::Apply, Disturbance::Nothing).await;
    let (expected, all) = (site.things().all(), (1..=points).collect::<Vec<u64>>());
    for (turn, number) in Seed(SEED).sample(&all, 48).into_iter().enumerate() {
        let trouble = TROUBLES[turn % TROUBLES.len()];
        disturbed(Disturbance::Fail(number, trouble), Some(trouble), &expected).await;
    }
    for (number, trouble) in
        Seed(SEED + 1).sample(&all, 8).into_iter().zip([Trouble::StorageFull, Trouble::ReadOnlyFilesystem].into_iter().cycle())
    {
        disturbed(Disturbance::NoMoreWrites(number, trouble), Some(trouble), &expected).await;
    }
    for number in Seed(SEED + 2).sample(&all, 4) {
        disturbed(Disturbance::Delay(number, 50), None, &expected).await;
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
        expect_good_or_helpful(&ended, None, "behind");
        site.things().answer_stale(0);
        run(&site, Command::Apply).await;
        assert_eq!(site.things().all(), expected, "{looks} looks behind");
        assert_eq!(run(&site, Command::Apply).await, 0);
        run(&site, Command::Destroy).await;
    }
}
