//! One fault in one run of a real site program, told to it by an environment variable that only the programs of this crate read.

use std::env;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use harmony_io::{Faults, Injected, Io, Operation, Point};
use serde::{Deserialize, Serialize};

use crate::name::{Naming, PointName};

/// The variable that holds the [`FaultPlan`] as JSON.
pub const VARIABLE: &str = "HARMONY_CRASH_PLAN";

/// What happens in one run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FaultPlan {
    /// The directory that is called `~` in the names of points.
    pub world: PathBuf,
    /// Where every point is written down, one line of JSON each; nowhere if nothing is said.
    pub record: Option<PathBuf>,
    /// Where the number and the name of the point are written at which it happened.
    pub met: PathBuf,
    /// Where it happens.
    pub at: Option<At>,
    /// What happens there.
    pub what: What,
}

/// The point at which something happens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum At {
    /// The one of this number.
    Number(u64),
    /// The one of this name.
    Named(PointName),
}

/// What happens at a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum What {
    /// The program is killed.
    Die,
    /// The primitive fails so; after it, its answer is lost.
    Fail(Trouble),
    /// It takes so many milliseconds longer.
    Delay(u64),
    /// The program is told to stop as by Ctrl-C, so many times.
    Interrupt(u32),
    /// From there on, whatever writes files fails so.
    NoMoreWrites(Trouble),
}

/// The kinds of failures that are injected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the operating system's own words")]
pub enum Trouble {
    PermissionDenied,
    StorageFull,
    ReadOnlyFilesystem,
    ConnectionReset,
    TimedOut,
    Interrupted,
}

impl Trouble {
    /// The kind as the operating system's errors have it.
    #[must_use]
    pub fn kind(self) -> ErrorKind {
        match self {
            Self::PermissionDenied => ErrorKind::PermissionDenied,
            Self::StorageFull => ErrorKind::StorageFull,
            Self::ReadOnlyFilesystem => ErrorKind::ReadOnlyFilesystem,
            Self::ConnectionReset => ErrorKind::ConnectionReset,
            Self::TimedOut => ErrorKind::TimedOut,
            Self::Interrupted => ErrorKind::Interrupted,
        }
    }
}

/// The way to the outside of a program of this crate: disturbed as the variable says.
#[must_use]
pub fn io() -> Io {
    let plan = env::var(VARIABLE).ok().and_then(|text| serde_json::from_str(&text).ok());
    plan.map_or_else(Io::real, |plan| Io::with_faults(Arc::new(Injector::new(plan))))
}

struct Injector {
    plan: FaultPlan,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    naming: Naming,
    is_met: bool,
}

impl Injector {
    fn new(plan: FaultPlan) -> Self {
        Self { plan, state: Mutex::default() }
    }

    /// Whether it happens at this point; the name is written down where that is wanted.
    fn meets(&self, point: &Point<'_>) -> Meeting {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let name = state.naming.name(point, &self.plan.world);
        if let Some(record) = &self.plan.record {
            append(record, &serde_json::to_string(&name).unwrap_or_default());
        }
        let is_it = !state.is_met
            && match &self.plan.at {
                Some(At::Number(number)) => *number == point.number,
                Some(At::Named(wanted)) => *wanted == name,
                None => false,
            };
        if is_it {
            state.is_met = true;
            append(&self.plan.met, &format!("point {}, {name}", point.number));
            return Meeting::Now;
        }
        if state.is_met { Meeting::Past } else { Meeting::NotYet }
    }
}

enum Meeting {
    NotYet,
    Now,
    Past,
}

impl Faults for Injector {
    fn at(&self, point: Point<'_>) -> Injected {
        match (self.meets(&point), self.plan.what) {
            (Meeting::Now, What::Die) => Injected::Die,
            (Meeting::Now, What::Fail(trouble)) => Injected::Fail(trouble.kind()),
            (Meeting::Now, What::Delay(milliseconds)) => Injected::Delay(Duration::from_millis(milliseconds)),
            (Meeting::Now, What::Interrupt(times)) => interrupt(times),
            (Meeting::Now | Meeting::Past, What::NoMoreWrites(trouble)) if writes_files(point.operation) => {
                Injected::Fail(trouble.kind())
            }
            _ => Injected::Nothing,
        }
    }
}

pub(crate) fn writes_files(operation: Operation) -> bool {
    use Operation::{Create, CreateDirectory, Lock, RemoveDirectory, Rename, Sync, Unlink, Write};
    matches!(operation, Create | Write | Sync | Rename | CreateDirectory | Lock | Unlink | RemoveDirectory)
}

/// Signals this process as Ctrl-C does, and leaves it the time to hear of it.
fn interrupt(times: u32) -> Injected {
    for _ in 0..times {
        // A program of a test: that it was not told shows in how it ends.
        let _ = Command::new("kill").args(["-INT", &std::process::id().to_string()]).status();
        std::thread::sleep(Duration::from_millis(30));
    }
    Injected::Nothing
}

fn append(path: &PathBuf, line: &str) {
    // The file is read by whoever started this program; without it the test says that nothing was recorded.
    let _ = OpenOptions::new().append(true).create(true).open(path).and_then(|mut file| writeln!(file, "{line}"));
}
