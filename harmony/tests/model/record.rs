//! What one run did, as it was seen from outside.

use std::collections::{BTreeMap, BTreeSet};

use harmony::Outcome;
use harmony::engine::ledger::Entry;
use harmony::engine::maestro::EngineError;
use harmony::engine::plan::{Change, Plan, Step};
use harmony::resource::Resource;
use harmony_test::{FakeNamespace, Stored};

use crate::program::{Key, Program};
use crate::scenario::Conditions;

/// Everything about one run of the engine.
pub(crate) struct Record {
    /// What the run was for; a destruction wants nothing.
    pub(crate) program: Program,
    pub(crate) destroys: bool,
    pub(crate) conditions: Conditions,
    /// Addresses whose loss and adoption the user allows.
    pub(crate) allowed: BTreeSet<String>,
    pub(crate) before: Snapshot,
    pub(crate) plan: Option<Plan>,
    pub(crate) events: Vec<Event>,
    pub(crate) end: End,
    pub(crate) after: Snapshot,
    /// Everything that was shown to anybody or written down.
    pub(crate) shown: String,
}

#[derive(Clone)]
pub(crate) struct Snapshot {
    pub(crate) things: BTreeMap<Key, Stored>,
    pub(crate) entries: BTreeMap<Key, Entry>,
    /// What others made, and how it was when they last changed it.
    pub(crate) foreign: BTreeMap<Key, Stored>,
}

/// What a run did to the outside, in its order.
#[derive(Debug, Clone)]
pub(crate) enum Event {
    /// `before` is how the thing was just before.
    Wrote {
        did: &'static str,
        key: Key,
        before: Option<Stored>,
        out_of_turn: bool,
    },
    Proved(String),
}

/// How a run ended.
#[derive(Debug)]
pub(crate) enum End {
    /// There was no plan.
    NotBegun(EngineError),
    /// There was one, and it was not carried out, or not to its end.
    Failed(EngineError),
    Killed,
    Finished(Outcome),
}

impl Event {
    pub(crate) fn write(&self) -> Option<(&'static str, &Key)> {
        match self {
            Self::Wrote { did, key, .. } => Some((did, key)),
            Self::Proved(_) => None,
        }
    }
}

impl Record {
    /// The writes, in their order.
    pub(crate) fn writes(&self) -> impl Iterator<Item = (&'static str, &Key)> {
        self.events.iter().filter_map(Event::write)
    }

    /// The outcome, if the run came to its end and nothing failed.
    pub(crate) fn success(&self) -> Option<&Outcome> {
        match &self.end {
            End::Finished(outcome) if outcome.failures.is_empty() && !outcome.interrupted => Some(outcome),
            _ => None,
        }
    }

    pub(crate) fn slot_of(&self, key: &Key) -> Option<usize> {
        self.program.things().find(|(_, wanted)| wanted == key).map(|(slot, _)| slot)
    }

    /// The plan's step for a thing.
    pub(crate) fn step_of(&self, key: &Key) -> Option<&Step> {
        self.plan.as_ref()?.steps.iter().find(|step| key_of(step) == *key)
    }

    /// Whether somebody allows the loss of a thing.
    pub(crate) fn may_be_lost(&self, key: &Key) -> bool {
        match (self.slot_of(key), self.before.entries.get(key)) {
            (Some(slot), _) => {
                self.program.said(slot).is_some_and(|said| said.may_be_lost) || self.allowed.contains(&self.program.address(slot))
            }
            (None, Some(entry)) => {
                // What was moved aside is still what was said where it had been.
                let address = entry.address.as_str();
                let before = address.rsplit_once("/before-").map_or(address, |(before, _)| before);
                entry.may_be_lost || [address, before].iter().any(|address| self.allowed.contains(*address))
            }
            (None, None) => false,
        }
    }

    /// Whether a thing that others made may be taken over.
    pub(crate) fn may_be_adopted(&self, key: &Key) -> bool {
        is_shared(key) || self.slot_of(key).is_some_and(|slot| self.allowed.contains(&self.program.address(slot)))
    }

    /// Whether the run took away what a room was in.
    pub(crate) fn took_holder_of(&self, key: &Key) -> bool {
        let holder = key.1.split_once('.').map(|(holder, _)| holder);
        holder.is_some_and(|holder| self.writes().any(|(did, key)| did == "delete" && key.1 == holder))
    }
}

/// Others may use it too: it is taken as it is, and left behind.
pub(crate) fn is_shared(key: &Key) -> bool {
    key.0 == FakeNamespace::KIND
}

pub(crate) fn is_replaced(step: &Step) -> bool {
    matches!(step.change, Change::Replace { .. })
}

/// What the world calls the thing of a step: its label is the noun of its kind and that.
pub(crate) fn key_of(step: &Step) -> Key {
    let name = step.label.split_once(' ').map_or(step.label.as_str(), |(_, name)| name);
    (step.kind.clone(), name.to_owned())
}

/// The plan with what goes and what is made in its place as a step each: people are shown one replacement.
pub(crate) fn two_for_one(mut plan: Plan) -> Plan {
    let mut going = Vec::new();
    for step in &mut plan.steps {
        let Change::Replace { because } = &step.change else { continue };
        let Some((_, label)) = because.rsplit_once(", and it was ") else { continue };
        let kind = label.split_once(' ').map_or_else(String::new, |(noun, _)| format!("fake-{noun}/v1"));
        let change = Change::Delete { because: because.clone() };
        going.push(Step { kind, label: label.to_owned(), change, fields: Vec::new(), ..step.clone() });
        step.change = Change::Create;
    }
    plan.steps.extend(going);
    plan
}
