//! Faults for runs within this process.

use std::panic::resume_unwind;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use harmony_io::{Faults, Injected, Moment, Operation, Point};

use crate::fault::Trouble;
use crate::name::{Naming, PointName};

/// What happens in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disturbance {
    /// Nothing.
    Nothing,
    /// The run is abandoned at the point of this number: nothing of it goes on.
    Die(u64),
    /// The point of this number fails so.
    Fail(u64, Trouble),
    /// The point of this number takes so many milliseconds longer.
    Delay(u64, u64),
    /// From the point of this number on, whatever writes files fails so.
    NoMoreWrites(u64, Trouble),
}

impl Disturbance {
    /// What it is called in a table.
    pub(super) fn name(self) -> String {
        match self {
            Self::Nothing => "nothing".to_owned(),
            Self::Die(_) => "abandoned".to_owned(),
            Self::Fail(_, trouble) => format!("{trouble:?}"),
            Self::Delay(..) => "slow".to_owned(),
            Self::NoMoreWrites(_, trouble) => format!("{trouble:?} from there on"),
        }
    }

    /// With what it fails.
    pub(super) fn trouble(self) -> Option<Trouble> {
        match self {
            Self::Fail(_, trouble) | Self::NoMoreWrites(_, trouble) => Some(trouble),
            _ => None,
        }
    }

    fn number(self) -> Option<u64> {
        match self {
            Self::Nothing => None,
            Self::Die(number) | Self::Fail(number, _) | Self::Delay(number, _) | Self::NoMoreWrites(number, _) => Some(number),
        }
    }
}

/// What a run that is abandoned unwinds with.
pub(super) struct Abandoned;

/// Is told of every point before anything happens there.
pub(super) type Watch = Box<dyn Fn(u64, &PointName) + Send + Sync>;

/// Disturbs a run, and remembers where.
pub struct Disturbed {
    disturbance: Disturbance,
    world: PathBuf,
    watch: Watch,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    naming: Naming,
    met: Option<PointName>,
    is_write: bool,
    passed_after_death: usize,
}

impl Disturbed {
    pub(super) fn new(disturbance: Disturbance, world: PathBuf, watch: Watch) -> Self {
        Self { disturbance, world, watch, seen: Mutex::default() }
    }

    /// The point at which it happened, if it was reached.
    #[must_use]
    pub fn met(&self) -> Option<PointName> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).met.clone()
    }

    /// Whether it happened behind a primitive that changes something: it was done, and whoever asked has not heard of it.
    #[must_use]
    pub fn lost_an_answer(&self) -> bool {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).is_write
    }

    pub(super) fn passed_after_death(&self) -> usize {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).passed_after_death
    }
}

impl Faults for Disturbed {
    fn at(&self, point: Point<'_>) -> Injected {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let name = seen.naming.name(&point, &self.world);
        (self.watch)(point.number, &name);
        if seen.met.is_some() && matches!(self.disturbance, Disturbance::Die(_)) {
            seen.passed_after_death += 1;
        }
        let is_it = self.disturbance.number() == Some(point.number);
        if is_it {
            seen.met = Some(name);
            seen.is_write = point.moment == Moment::After && !matches!(point.operation, Operation::Read | Operation::List);
        }
        let is_past = seen.met.is_some();
        drop(seen);
        match self.disturbance {
            Disturbance::Die(_) if is_it => resume_unwind(Box::new(Abandoned)),
            Disturbance::Fail(_, trouble) if is_it => Injected::Fail(trouble.kind()),
            Disturbance::Delay(_, milliseconds) if is_it => Injected::Delay(std::time::Duration::from_millis(milliseconds)),
            Disturbance::NoMoreWrites(_, trouble) if is_past && crate::fault::writes_files(point.operation) => {
                Injected::Fail(trouble.kind())
            }
            _ => Injected::Nothing,
        }
    }
}
