//! What a run says while it runs.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;

use crate::address::Address;
use crate::origin::Origin;

/// Something that happened in a run.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event {
    /// A phase began.
    Phase {
        /// What is being done: `observing`, `applying`.
        phase: &'static str,
        /// Over how many things.
        count: usize,
    },
    /// A step of a procedure began, or goes on.
    ProcedureStep {
        /// What is done: `rotate`.
        procedure: String,
        /// What it is done to: `nats/HARMONY/agent`.
        subject: String,
        /// The step's name.
        step: String,
        /// Its number, from 1.
        number: usize,
        /// How many there are.
        of: usize,
        /// What it changes, in words.
        changes: String,
    },
    /// The state of a procedure's step stays for a while before the next one begins.
    ProcedureHolds {
        /// What is done.
        procedure: String,
        /// What it is done to.
        subject: String,
        /// The step's name.
        step: String,
        /// For how many seconds more.
        seconds: f64,
    },
    /// Something was begun.
    Started {
        /// On what.
        address: Address,
        /// What, in the present participle: `creating`.
        doing: &'static str,
        /// The kind, and what the world calls it.
        label: String,
    },
    /// It goes on.
    Progress {
        /// With what.
        address: Address,
        /// What is being done or waited for.
        what: String,
    },
    /// It ended well.
    Finished {
        /// What.
        address: Address,
        /// What was done, in the past participle: `created`.
        done: &'static str,
        /// The kind, and what the world calls it.
        label: String,
        /// How long it took; in seconds where it is written.
        #[serde(serialize_with = "seconds")]
        #[schemars(with = "f64")]
        took: Duration,
    },
    /// It failed.
    Failed {
        /// What.
        address: Address,
        /// The kind, and what the world calls it.
        label: String,
        /// The Score that wants it.
        origin: Origin,
        /// What failed and why.
        error: String,
        /// What to do about it.
        hint: Option<String>,
    },
    /// It is left where it is: the run was stopped while it was waited for.
    Left {
        /// What.
        address: Address,
        /// The kind, and what the world calls it.
        label: String,
        /// What was waited for, and why it was not there yet.
        why: String,
    },
    /// Something that users should know.
    Remark {
        /// The sentence.
        says: String,
    },
}

fn seconds<S: serde::Serializer>(took: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64((took.as_secs_f64() * 1000.0).round() / 1000.0)
}

/// Whoever wants to know what a run says.
pub trait Observer: Send + Sync {
    /// Called for every event, from any task; it must not block for long.
    fn on(&self, event: &Event);
}

/// Nobody wants to know.
pub struct Silent;

impl Observer for Silent {
    fn on(&self, _: &Event) {}
}
