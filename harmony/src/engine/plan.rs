//! What a run would do, as data.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ledger::before_aside;
use super::silence::Silence;
use crate::address::Address;
use crate::arrangement::Note;
use crate::origin::Origin;
use crate::resource::{FieldChange, Impact, Shown};

/// An arrangement compared with what is there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The format's version.
    pub format: u32,
    /// The Ledger's serial number that the plan stands on.
    pub ledger_serial: u64,
    /// One step for each thing, in the order of their addresses, things that only the Ledger knows behind them.
    pub steps: Vec<Step>,
    /// What the Scores want users to know.
    pub notes: Vec<Note>,
    /// The things that it leaves as they are and has not looked at, because it is limited to others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<Address>,
    /// The places that do not answer. What is in them is left as it is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub silent: Vec<Silence>,
    /// What would be changed elsewhere and is left as it is until they answer, because it needs something of theirs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waiting: Vec<Address>,
}

/// The version of [`Plan`]'s format.
pub const FORMAT: u32 = 1;

/// What would happen to one thing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Step {
    /// Where the program says it, or said it last.
    pub address: Address,
    /// Whether it is a thing or a check.
    #[serde(default)]
    pub subject: Subject,
    /// The kind's wire name.
    pub kind: String,
    /// What the world calls it; of a proof, what it shows.
    pub label: String,
    /// The Score that wants it, or wanted it last.
    pub origin: Origin,
    /// What would happen.
    pub change: Change,
    /// In which fields it differs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldChange>,
    /// What would be lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loss: Option<LossNotice>,
}

/// What a step is about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// A managed thing.
    #[default]
    Resource,
    /// A check.
    Proof,
}

/// What would be lost by a step, and whether that is allowed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LossNotice {
    /// What, in words.
    pub what: String,
    /// Whether the Score or the user allows it.
    pub allowed: bool,
}

/// What happens to a thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// Nothing.
    None,
    /// It is made.
    Create,
    /// It is changed in place.
    Update,
    /// It is deleted and made again.
    Replace {
        /// Why it cannot be changed in place.
        because: String,
    },
    /// What happens is known once these have been applied.
    UnknownUntil {
        /// What is waited for.
        until: Vec<Address>,
    },
    /// Nobody can say what, because its place does not answer: it is left as it is.
    Unreachable {
        /// Why.
        why: String,
    },
    /// It is taken away.
    Delete {
        /// Why.
        because: String,
    },
    /// It is gone already, and struck from the Ledger.
    Forget,
    /// It cannot be done.
    Forbidden {
        /// Why.
        because: String,
        /// What to do about it.
        hint: String,
    },
    /// A proof is carried out.
    Prove,
    /// It is there already, as it should be, and this program has not made it: it is taken over, because that is allowed.
    Adopt,
}

impl Change {
    /// Whether the step does something.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        *self != Self::None
    }
}

/// What the user allows beyond what the Scores do.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Allowances {
    /// Addresses of things whose loss is accepted.
    pub losses: BTreeSet<String>,
    /// Addresses of things that exist already and may be taken over, with what is below them.
    pub adoptions: BTreeSet<String>,
    /// Whether everything may be taken over that exists already: for a site that has lost its Ledger.
    #[serde(default)]
    pub adopts_all: bool,
}

impl Allowances {
    pub(super) fn may_adopt(&self, address: &Address) -> bool {
        let text = address.as_str();
        let above = text.match_indices('/').map(|(at, _)| &text[..at]);
        self.adopts_all || above.chain([text]).any(|address| self.adoptions.contains(address))
    }

    /// What was moved aside is still what was said where it had been.
    pub(super) fn may_lose(&self, address: &Address) -> bool {
        let before = before_aside(address);
        [Some(address), before.as_ref()].into_iter().flatten().any(|address| self.losses.contains(address.as_str()))
    }
}

/// How many steps of which sort.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names of the changes")]
pub struct Counts {
    pub create: usize,
    pub update: usize,
    pub replace: usize,
    pub delete: usize,
    pub forget: usize,
    pub unknown: usize,
    pub forbidden: usize,
    pub prove: usize,
    #[serde(default)]
    pub adopt: usize,
    #[serde(default)]
    pub unreachable: usize,
    pub unchanged: usize,
    /// Proofs that have passed, with nothing under them changed since.
    pub holding: usize,
}

impl Plan {
    /// One without steps, of this state of the Ledger.
    pub(super) fn on(ledger_serial: u64) -> Self {
        let (notes, left, silent, waiting) = Default::default();
        Self { format: FORMAT, ledger_serial, steps: Vec::new(), notes, left, silent, waiting }
    }

    /// Whether anything would happen; proofs alone count.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        self.steps.iter().any(|step| step.change.is_pending())
    }

    /// How many steps of which sort.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for step in &self.steps {
            *match step.change {
                Change::None if step.subject == Subject::Proof => &mut counts.holding,
                Change::None => &mut counts.unchanged,
                Change::Create => &mut counts.create,
                Change::Update => &mut counts.update,
                Change::Replace { .. } => &mut counts.replace,
                Change::UnknownUntil { .. } => &mut counts.unknown,
                Change::Unreachable { .. } => &mut counts.unreachable,
                Change::Delete { .. } => &mut counts.delete,
                Change::Forget => &mut counts.forget,
                Change::Forbidden { .. } => &mut counts.forbidden,
                Change::Prove => &mut counts.prove,
                Change::Adopt => &mut counts.adopt,
            } += 1;
        }
        counts
    }

    /// The steps that forbid the whole run: forbidden ones, and losses that nobody allows.
    pub fn refusals(&self) -> impl Iterator<Item = &Step> {
        let refused = |step: &&Step| {
            matches!(step.change, Change::Forbidden { .. }) || step.loss.as_ref().is_some_and(|loss| !loss.allowed)
        };
        self.steps.iter().filter(refused)
    }

    /// Whether nobody can say what becomes of the thing of a step, because a place does not answer.
    #[must_use]
    pub fn is_in_the_dark(&self, step: &Step) -> bool {
        match step.change {
            Change::Unreachable { .. } => true,
            Change::UnknownUntil { .. } => self.waiting.contains(&step.address),
            _ => false,
        }
    }

    /// The steps that do something and wait for no place that does not answer.
    pub fn beginning(&self) -> impl Iterator<Item = &Step> {
        let waits = |step: &&Step| matches!(step.change, Change::Unreachable { .. }) || self.waiting.contains(&step.address);
        self.pending().filter(move |step| !waits(step))
    }

    /// The steps that do something. Two can have one address: where the thing there gets another identity, one goes and one is made.
    pub fn pending(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(|step| step.change.is_pending())
    }
}

/// What becomes of a thing that is there and wanted, by the fields in which it differs. Pure.
#[must_use]
pub(crate) fn classify(fields: &[FieldChange], impact: impl Fn(&FieldChange) -> Impact) -> Change {
    let mut change = if fields.is_empty() { Change::None } else { Change::Update };
    let mut until = BTreeSet::new();
    for field in fields {
        match (impact(field), &field.desired) {
            (Impact::Update, _) => {}
            // It may turn out to be what it is already: nobody can say yet that more than an update is needed.
            (_, Shown::KnownAfter(after)) => until.extend(after.iter().cloned()),
            (Impact::Forbidden(because), _) => {
                let hint = "put the field back as it was, or move to a new thing under another name".to_owned();
                return Change::Forbidden { because, hint };
            }
            (Impact::Replace(because), _) if !matches!(change, Change::Replace { .. }) => change = Change::Replace { because },
            (Impact::Replace(_) | Impact::UpdateLosing, _) => {}
        }
    }
    if until.is_empty() || matches!(change, Change::Replace { .. }) {
        return change;
    }
    Change::UnknownUntil { until: until.into_iter().collect() }
}

/// Whether it is known by now what the field should be.
pub(crate) fn is_known(field: &FieldChange) -> bool {
    !matches!(field.desired, Shown::KnownAfter(_))
}
