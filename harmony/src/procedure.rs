//! Named operations that a Score offers beside its state: `rotate`.
//!
//! Entry points: [`Score::procedures`](crate::Score::procedures), which says what a Score offers; [`Stage::step_of`](crate::Stage::step_of),
//! by which its Interpret learns where an operation stands; and
//! [`Maestro::prepare_procedure`](crate::Maestro::prepare_procedure), which carries one out. A procedure holds no code: each of its
//! steps is a desired state, which the Interpret arranges and the engine brings about as any other.

use harmony_types::TimeSpan;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A named operation: a sequence of desired states, the last of which is the one at rest. Where it stands is written into the Ledger
/// before a step begins, so that every run, also an ordinary `apply`, arranges the state of that step until the next one begins.
///
/// ```
/// use harmony::procedure::{Procedure, Step};
/// use harmony_types::TimeSpan;
///
/// let repaint = Procedure::new("repaint", "shelf/low", "paints the shelf without closing the shop")
///     .with_step(Step::new("sheets", "sheets lie under the shelf", "nothing drips").held_for(TimeSpan::seconds(30)))
///     .with_step(Step::new("clear", "the sheets are gone", ""));
/// assert_eq!(repaint.title(), "repaint shelf/low");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[must_use]
pub struct Procedure {
    /// What is done: `rotate`.
    pub name: String,
    /// What it is done to, unique among all that this is offered for: `nats/HARMONY/agent`.
    pub subject: String,
    /// What it does, as a sentence without its subject: `gives user agent of account HARMONY a new NKey`.
    pub does: String,
    /// Its steps, in their order.
    pub steps: Vec<Step>,
}

/// A step of a procedure: a desired state, and how long it lasts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ProcedureStep")]
#[must_use]
pub struct Step {
    /// Its name, unique in the procedure: `hand-out`. It is what the Interpret is told.
    pub name: String,
    /// What it changes, in words.
    pub changes: String,
    /// What is proven before the next one begins, in words; empty if there is nothing to prove.
    pub checks: String,
    /// How long its state stays at least before the next step begins, unless the user says otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_for: Option<TimeSpan>,
}

/// Where a procedure stands that has begun and not ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Underway {
    /// What is done.
    pub name: String,
    /// What it is done to.
    pub subject: String,
    /// The step whose state holds.
    pub step: String,
    /// How long states are held, if the user has said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_for: Option<TimeSpan>,
    /// When the state of the step was reached and proven, in seconds of Unix time; not yet, if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reached: Option<u64>,
}

impl Procedure {
    /// The operation `name` on `subject`, without steps yet.
    pub fn new(name: &str, subject: impl Into<String>, does: impl Into<String>) -> Self {
        Self { name: name.to_owned(), subject: subject.into(), does: does.into(), steps: Vec::new() }
    }

    /// The same with one more step.
    pub fn with_step(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    /// What to call it: `rotate nats/HARMONY/agent`.
    #[must_use]
    pub fn title(&self) -> String {
        title(&self.name, &self.subject)
    }

    /// Whether it is the one that is under way.
    #[must_use]
    pub fn is(&self, underway: &Underway) -> bool {
        self.name == underway.name && self.subject == underway.subject
    }

    /// The position of the step `name`, from 0.
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        self.steps.iter().position(|step| step.name == name)
    }
}

impl Step {
    /// The step `name`, what it changes, and what is proven then.
    pub fn new(name: &str, changes: impl Into<String>, checks: impl Into<String>) -> Self {
        Self { name: name.to_owned(), changes: changes.into(), checks: checks.into(), held_for: None }
    }

    /// The same, held for so long before the next one begins.
    pub fn held_for(mut self, span: TimeSpan) -> Self {
        self.held_for = Some(span);
        self
    }
}

impl Underway {
    /// What to call it: `rotate nats/HARMONY/agent`.
    #[must_use]
    pub fn title(&self) -> String {
        title(&self.name, &self.subject)
    }
}

fn title(name: &str, subject: &str) -> String {
    format!("{name} {subject}")
}
