//! One fault at each of many points of the supercluster in memory, and what has to hold after it.

use std::error::Error;
use std::io;
use std::panic::AssertUnwindSafe;
use std::sync::Mutex;
use std::time::Instant;

use futures::FutureExt;
use harmony::EngineError;

use super::disturbed::Disturbance;
use super::instants::World;
use super::site::{Ended, MemorySite};
use crate::fault::Trouble;
use crate::matrix::{Command, Visit, words_of};

/// A command on the supercluster in memory, and what an undisturbed run of it leaves.
pub struct MemoryFaults {
    command: Command,
    before: World,
    expected: Vec<String>,
    points: u64,
}

/// Every way in which a point can go wrong without anybody dying.
const TROUBLES: [Trouble; 6] = [
    Trouble::PermissionDenied,
    Trouble::StorageFull,
    Trouble::ReadOnlyFilesystem,
    Trouble::ConnectionReset,
    Trouble::TimedOut,
    Trouble::Interrupted,
];

/// How many milliseconds a slow answer takes longer.
const SLOW: u64 = 50;

impl MemoryFaults {
    /// The command, which is run once undisturbed.
    ///
    /// # Panics
    /// If that does not end well.
    pub async fn of(command: Command) -> Self {
        let site = MemorySite::new();
        if command == Command::Destroy {
            expect_well(&site, Command::Apply).await;
        }
        let before = World::of(&site);
        let site = before.site();
        let (ended, _, points) = site.run(command, Disturbance::Nothing).await;
        assert!(ended.is_good(), "{ended:?}");
        Self { command, before, expected: site.things().all(), points }
    }

    /// Everything that can happen to it: each fault at each point.
    #[must_use]
    pub fn all(&self) -> Vec<Disturbance> {
        let at = |number| {
            let failing = TROUBLES.into_iter().map(move |trouble| Disturbance::Fail(number, trouble));
            let full = [Trouble::StorageFull, Trouble::ReadOnlyFilesystem].into_iter();
            failing
                .chain(full.map(move |trouble| Disturbance::NoMoreWrites(number, trouble)))
                .chain([Disturbance::Delay(number, SLOW)])
        };
        (1..=self.points).flat_map(at).collect()
    }

    /// Lets each of `disturbances` happen to a run, as many side by side as there are cores, and checks what follows.
    pub fn visit(&self, disturbances: &[Disturbance], tell: impl Fn(&Visit) + Sync) {
        let left = Mutex::new(disturbances.iter());
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        std::thread::scope(|scope| {
            for _ in 0..cores {
                scope.spawn(|| {
                    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
                    loop {
                        let disturbance = left.lock().ok().and_then(|mut left| left.next());
                        let Some(disturbance) = disturbance else { return };
                        tell(&runtime.block_on(self.visit_one(*disturbance)));
                    }
                });
            }
        });
    }

    async fn visit_one(&self, disturbance: Disturbance) -> Visit {
        let begun = Instant::now();
        let site = self.before.site();
        let met = Mutex::new(None);
        let checked = AssertUnwindSafe(self.disturb(&site, disturbance, &met)).catch_unwind().await;
        let met = met.into_inner().ok().flatten();
        Visit {
            row: format!("{}, {}", self.command.name(), disturbance.name()),
            at: met.clone().unwrap_or_else(|| format!("{disturbance:?}")),
            met,
            failure: checked.err().map(words_of),
            retried: None,
            took: begun.elapsed(),
        }
    }

    /// One fault, then a run that makes everything as it should be, then one that changes nothing.
    async fn disturb(&self, site: &MemorySite, disturbance: Disturbance, met: &Mutex<Option<String>>) {
        let (ended, disturbed, _) = site.run(self.command, disturbance).await;
        if let Ok(mut met) = met.lock() {
            *met = disturbed.met().map(|point| point.to_string());
        }
        expect_good_or_helpful(&ended, disturbance.trouble());
        expect_well(site, self.command).await;
        assert_eq!(site.things().all(), self.expected, "it is not as it should be");
        assert_eq!(site.is_gone(), self.command == Command::Destroy, "{:?}", site.files());
        let writes = site.things().writes();
        expect_well(site, self.command).await;
        assert_eq!(site.things().writes(), writes, "it wrote again");
    }
}

async fn expect_well(site: &MemorySite, command: Command) {
    let (ended, ..) = site.run(command, Disturbance::Nothing).await;
    assert!(ended.is_good(), "the run after it: {ended:?}");
}

/// It came to its end, or says on what it failed, why, and what to do.
///
/// # Panics
/// If it does neither.
pub fn expect_good_or_helpful(ended: &Ended, trouble: Option<Trouble>) {
    let why = trouble.map(|trouble| io::Error::from(trouble.kind()).to_string()).unwrap_or_default();
    match ended {
        Ended::Abandoned => panic!("it was abandoned"),
        // The command line adds to each of these that another run goes on from here.
        Ended::Done(Ok(outcome)) => {
            outcome.failures.iter().for_each(|failed| assert!(failed.error.contains(&why), "{failed:?}"));
        }
        Ended::Done(Err(error)) => match error.as_ref() {
            EngineError::Observe { troubles } => {
                troubles.iter().for_each(|failed| assert!(failed.error.contains(&why), "{failed:?}"));
            }
            error => {
                assert!(words(error).contains(&why), "{}", words(error));
                assert!(error.hint().is_some(), "no hint with {}", words(error));
            }
        },
    }
}

/// The words of an error: what failed, and everything that caused it.
fn words(error: &dyn Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        words = format!("{words}: {inner}");
        cause = inner.source();
    }
    words
}
