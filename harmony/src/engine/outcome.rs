//! What a run did, as data.

use std::collections::BTreeSet;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::events::Event;
use super::plan::Counts;
use super::silence::Silence;
use crate::address::Address;
use crate::origin::Origin;
use crate::proof::Evidence;

/// What a run did.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Outcome {
    /// How many things were changed, by sort; `unchanged` are those that needed nothing.
    pub counts: Counts,
    /// How many times a provider was told to make, change or delete something.
    pub writes: usize,
    /// The proofs that passed in this run.
    pub proofs: Vec<Proved>,
    /// What failed.
    pub failures: Vec<Failed>,
    /// What was not begun, because something it needs failed or the run was stopped.
    pub not_begun: Vec<Address>,
    /// What was begun and is not done: the run was stopped while it was waited for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<Left>,
    /// The places that do not answer: nothing was done there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub silent: Vec<Silence>,
    /// What would have been changed elsewhere, and was left as it is because it needs something of theirs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waiting: Vec<Address>,
    /// Whether the user stopped the run before its end.
    pub interrupted: bool,
    /// Why the run lost its lease before its end, and so began nothing new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease_lost: Option<String>,
    /// What a user can do next, by title.
    pub next_steps: Vec<(String, String)>,
    /// How long it took.
    pub took: Duration,
}

/// A proof that passed.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Proved {
    /// Where the program says it.
    pub address: Address,
    /// What it shows.
    pub claim: String,
    /// What it rests on.
    pub evidence: Evidence,
}

/// Something that failed.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Failed {
    /// Where the program says it.
    pub address: Address,
    /// The kind, and what the world calls it.
    pub label: String,
    /// The Score that wants it.
    pub origin: Origin,
    /// What failed and why.
    pub error: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Failed {
    pub(super) fn event(&self) -> Event {
        let Self { address, label, origin, error, hint } = self.clone();
        Event::Failed { address, label, origin, error, hint }
    }
}

/// Something that was begun and is not done, because the run was stopped while it was waited for. It has not failed.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Left {
    /// Where the program says it.
    pub address: Address,
    /// The kind, and what the world calls it.
    pub label: String,
    /// What was waited for, and why it was not there yet.
    pub why: String,
}

impl Left {
    pub(super) fn event(&self) -> Event {
        let Self { address, label, why } = self.clone();
        Event::Left { address, label, why }
    }
}

/// How a run ended, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ending {
    /// Everything was as it should be already.
    Converged,
    /// Something was changed, and all is as it should be now.
    Changed,
    /// Something failed, a place did not answer, or the run lost its lease.
    Failed,
    /// The user stopped it; another run goes on from here.
    Interrupted,
}

impl Outcome {
    /// Whether everything that was to be done has been done.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        let is_through = self.failures.is_empty() && self.left.is_empty() && self.not_begun.is_empty();
        is_through && self.silent.is_empty() && !self.interrupted && self.lease_lost.is_none()
    }

    /// Adds what another run did after this one.
    pub(super) fn add(&mut self, later: Self) {
        let (so_far, more) = (&mut self.counts, later.counts);
        so_far.create += more.create;
        so_far.update += more.update;
        so_far.replace += more.replace;
        so_far.delete += more.delete;
        so_far.forget += more.forget;
        so_far.prove += more.prove;
        (so_far.unchanged, so_far.holding) = (more.unchanged, more.holding);
        self.writes += later.writes;
        // What is proven again is told once, as it was found last.
        let again: BTreeSet<&Address> = later.proofs.iter().map(|proved| &proved.address).collect();
        self.proofs.retain(|proved| !again.contains(&proved.address));
        self.proofs.extend(later.proofs);
        self.failures.extend(later.failures);
        self.left = later.left;
        self.silent = later.silent;
        self.waiting = later.waiting;
        self.not_begun = later.not_begun;
        self.interrupted = later.interrupted;
        self.lease_lost = later.lease_lost;
        self.next_steps = later.next_steps;
        self.took += later.took;
    }

    /// How the run ended.
    #[must_use]
    pub fn ending(&self) -> Ending {
        // What failed before the user stopped the run is told as well.
        if self.interrupted {
            Ending::Interrupted
        } else if !(self.failures.is_empty() && self.silent.is_empty()) || self.lease_lost.is_some() {
            Ending::Failed
        } else if self.writes > 0 || self.counts.forget > 0 || self.counts.adopt > 0 {
            Ending::Changed
        } else {
            Ending::Converged
        }
    }
}
