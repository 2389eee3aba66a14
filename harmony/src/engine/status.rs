//! How every thing stands, also where some of them do not answer.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value as Json;

use super::decide::Verdict;
use super::items::{Item, ItemKind, Items};
use super::ledger::Ledger;
use super::observe::Observed;
use super::plan::{Change, Subject};
use crate::address::Address;
use crate::arrangement::{Arrangement, What};
use crate::origin::Origin;
use crate::resource::{FieldChange, Shown};
use crate::value;

/// One thing or proof, and how it stands.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Standing {
    /// Where the program says it, or said it last.
    pub address: Address,
    /// Whether it is a thing or a check.
    pub subject: Subject,
    /// The kind, and what the world calls it; of a proof, what it shows.
    pub label: String,
    /// The Score that wants it, or wanted it last.
    pub origin: Origin,
    /// How it stands.
    pub state: State,
    /// What it holds, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holds: Option<String>,
}

/// How a thing stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum State {
    /// As the Scores say; of a proof: it has passed, and nothing under it has changed since.
    AsItShould,
    /// There, but not as the Scores say.
    Differs {
        /// The fields, as RFC 6901 pointers; empty where the whole thing does not belong to this program.
        fields: Vec<String>,
        /// What stands where nothing should, in words: why it is not ready.
        #[serde(skip_serializing_if = "Option::is_none")]
        why: Option<String>,
    },
    /// Never made yet.
    NotMade,
    /// An earlier run made it, and it is not there any more.
    Gone,
    /// There, and no Score wants it any more.
    Unwanted,
    /// A proof that has not passed as things are.
    Unproved,
    /// It does not answer, or what it lives in does not.
    Unreachable {
        /// Why.
        why: String,
    },
    /// It can be looked at once these are as they should be.
    UnknownUntil {
        /// What is waited for.
        until: Vec<Address>,
    },
}

/// How each of `items` stands, in their order.
pub(super) fn standings(items: &Items, found: &Observed, ledger: &Ledger) -> Vec<Standing> {
    let mut standings: Vec<Standing> = items
        .items
        .iter()
        .enumerate()
        .map(|(index, item)| Standing {
            address: item.address.clone(),
            subject: item.subject(),
            label: item.label(),
            origin: item.origin.clone(),
            state: state(item, index, found, ledger),
            holds: found.live[index].as_ref().and_then(|live| live.holds.clone()),
        })
        .collect();
    for (index, why) in &found.silent {
        // What was never made does not answer because it is not there.
        if matches!(standings[*index].state, State::UnknownUntil { .. }) {
            standings[*index].state = State::Unreachable { why: why.clone() };
        }
    }
    for (index, error) in &found.troubles {
        standings[*index].state = State::Unreachable { why: error.to_string() };
    }
    below_trouble(items, found, &mut standings);
    standings
}

fn state(item: &Item, index: usize, found: &Observed, ledger: &Ledger) -> State {
    let Verdict { change, fields, .. } = &found.verdicts[index];
    let was_made = matches!(&item.what, ItemKind::Wanted { key, .. } if ledger.find(key).is_some_and(|entry| entry.made));
    match change {
        Change::None => State::AsItShould,
        Change::Create if was_made => State::Gone,
        Change::Create => State::NotMade,
        Change::Forget if found.live[index].is_some() => State::Unwanted,
        Change::Forget => State::Gone,
        Change::Delete { .. } => State::Unwanted,
        Change::Prove => State::Unproved,
        Change::UnknownUntil { until } => State::UnknownUntil { until: until.clone() },
        Change::Unreachable { why } => State::Unreachable { why: why.clone() },
        Change::Adopt | Change::Update | Change::Replace { .. } | Change::Forbidden { .. } => {
            State::Differs { fields: fields.iter().map(|field| field.path.clone()).collect(), why: why(fields) }
        }
    }
}

/// The texts of fields that should not be there: a place says in such a one what is wrong.
fn why(fields: &[FieldChange]) -> Option<String> {
    let words = fields.iter().filter_map(|field| match (&field.live, &field.desired) {
        (Shown::Value(Json::String(words)), Shown::Absent) => Some(words.as_str()),
        _ => None,
    });
    Some(words.collect::<Vec<_>>().join("; ")).filter(|words| !words.is_empty())
}

/// What stands on something that does not answer cannot be told either: nobody has looked at it.
fn below_trouble(items: &Items, found: &Observed, standings: &mut [Standing]) {
    let in_silence = (0..items.len()).filter(|index| items.silence(*index).is_some());
    let dark: BTreeSet<usize> = found.troubles.iter().map(|(index, _)| *index).chain(in_silence).collect();
    if dark.is_empty() {
        return;
    }
    for (index, standing) in standings.iter_mut().enumerate() {
        let untold = match &standing.state {
            State::Unproved => true,
            State::UnknownUntil { until } => until.is_empty(),
            _ => false,
        };
        let until = if untold { dark_below(items, index, &dark) } else { Vec::new() };
        if !until.is_empty() {
            standing.state = State::UnknownUntil { until };
        }
    }
}

fn dark_below(items: &Items, index: usize, dark: &BTreeSet<usize>) -> Vec<Address> {
    let mut found = BTreeSet::new();
    let mut seen = BTreeSet::new();
    let mut queue = items.items[index].needs.clone();
    while let Some(at) = queue.pop() {
        if !seen.insert(at) {
            continue;
        }
        if dark.contains(&at) {
            found.insert(items.items[at].address.clone());
        } else {
            queue.extend(&items.items[at].needs);
        }
    }
    found.into_iter().collect()
}

/// `arrangement` with everything filled in that is known; secrets are `{"$secret": …}`.
pub(super) fn filled(mut arrangement: Arrangement, items: &Items, found: &Observed) -> Arrangement {
    let find = |reference: &value::Reference| items.output(&found.outputs, reference);
    for node in arrangement.nodes.values_mut() {
        if let What::Resource(resource) = &mut node.what {
            resource.access = value::resolve(&resource.access, &find).json.into_owned();
            resource.spec = value::resolve(&resource.spec, &find).json.into_owned();
        }
    }
    arrangement
}
