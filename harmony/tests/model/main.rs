//! The engine against a model: sites, edits, other people, faults and operations made up at random, and rules that hold all the same.
//!
//! `HARMONY_MODEL_SCENARIOS` says how many (500 unless it does), `HARMONY_MODEL_SEED` with which the first is made up. Each scenario
//! has a seed of its own, the one after that of the scenario before it, so that any of them can be played alone:
//! `cargo xtask model --seed SEED --scenarios 1`. What fails is made smaller and printed.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "a test that cannot go on ends")]

mod aftermath;
mod hands;
mod player;
mod program;
mod reached;
mod record;
mod rules;
mod scenario;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

/// How many are played where nobody says how many.
const SCENARIOS: u64 = 500;
/// The first seed where nobody says which.
const SEED: u64 = 1;
/// How many smaller scenarios are tried when one has failed.
const SHRINKING: u32 = 3000;

fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).map_or(otherwise, |text| text.parse().unwrap_or_else(|_| panic!("{variable} is no number: {text}")))
}

#[test]
fn whatever_happens_to_a_site_the_promises_hold() {
    let (seed, scenarios) = (number("HARMONY_MODEL_SEED", SEED), number("HARMONY_MODEL_SCENARIOS", SCENARIOS));
    eprintln!("{scenarios} scenarios from seed {seed}");
    let next = AtomicU64::new(seed);
    let failure = Mutex::new(None);
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while failure.lock().unwrap().is_none() {
                    let mine = next.fetch_add(1, Ordering::Relaxed);
                    if mine >= seed + scenarios {
                        break;
                    }
                    if let Err(why) = play(mine) {
                        *failure.lock().unwrap() = Some(why);
                    }
                }
            });
        }
    });
    let failure = failure.into_inner().unwrap();
    assert!(failure.is_none(), "{}", failure.unwrap());
    let reached = reached::all();
    eprintln!("{reached:#?}");
    let missed: Vec<_> = reached::EVERYTHING.iter().filter(|what| !reached.contains_key(*what)).collect();
    assert!(scenarios < SCENARIOS || missed.is_empty(), "the scenarios did not come to {missed:?}");
}

/// Plays the scenario of one seed; if it fails, the smallest one that fails too, in words.
fn play(seed: u64) -> Result<(), String> {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let shrinking = u32::try_from(number("HARMONY_MODEL_SHRINKING", SHRINKING.into())).unwrap_or(SHRINKING);
    let config = Config { cases: 1, max_shrink_iters: shrinking, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let result =
        runner.run(&scenario::scenario(), |scenario| runtime.block_on(player::play(&scenario)).map_err(TestCaseError::fail));
    result.map_err(|error| match error {
        TestError::Fail(why, scenario) => format!("seed {seed}: {why}\n{scenario:?}"),
        TestError::Abort(why) => format!("seed {seed}: {why}"),
    })
}
