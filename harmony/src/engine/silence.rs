//! Places that do not answer: what nobody can say of them, and what waits for them elsewhere. Pure.
//!
//! What is in such a place is neither looked at nor changed, and nothing of it counts as gone. What needs something of it waits with it; all
//! else goes on.

use harmony_types::PlaceName;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::decide::Verdict;
use super::items::Items;
use super::observe::Observed;
use super::order::Order;
use super::plan::Change;
use crate::address::Address;
use crate::resource::Shown;

/// A place that does not answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Silence {
    /// The place.
    pub place: PlaceName,
    /// What failed and why, in the words of whoever asked it.
    pub why: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// What is in it, or may be: nobody can say how that stands.
    pub things: Vec<Address>,
}

/// The places that do not answer, those in which the run has nothing to do with anything left out.
pub(super) fn silences(items: &Items) -> Vec<Silence> {
    let things_of = |place: &PlaceName| {
        let of_place = items.items.iter().filter(|item| item.key().is_some_and(|key| key.place == *place));
        of_place.map(|item| item.address.clone()).collect::<Vec<_>>()
    };
    let silent = items.silent().iter().map(|(place, failure)| Silence {
        place: place.clone(),
        why: failure.to_string(),
        hint: failure.hint.clone(),
        things: things_of(place),
    });
    silent.filter(|silence| !silence.things.is_empty()).collect()
}

/// What would be changed where it can be looked at, and is held up.
pub(super) fn waiting(items: &Items, found: &Observed, held_up: &[bool]) -> Vec<Address> {
    let waits = |index: &usize| held_up[*index] && found.verdicts[*index].change.is_pending() && items.silence(*index).is_none();
    (0..items.len()).filter(waits).map(|index| items.items[index].address.clone()).collect()
}

/// What becomes of a thing that differs, as far as it is known, in nothing but what places that do not answer would say: it may well be as
/// it should.
pub(super) fn dimmed(verdict: Verdict, items: &Items, found: &Observed) -> Verdict {
    let is_dim = |address: &Address| items.find(address).is_some_and(|index| found.is_dim[index]);
    let mut until = Vec::new();
    for field in &verdict.fields {
        match &field.desired {
            Shown::KnownAfter(after) if after.iter().any(is_dim) => until.extend(after.iter().filter(|of| is_dim(of)).cloned()),
            _ => return verdict,
        }
    }
    if until.is_empty() || verdict.change != Change::Update {
        return verdict;
    }
    until.sort();
    until.dedup();
    Verdict { change: Change::UnknownUntil { until }, ..verdict }
}

/// Whether nothing changes at or below each item in a run that leaves alone what is `held_up`.
pub(super) fn at_rest(items: &Items, found: &Observed, held_up: &[bool]) -> Vec<bool> {
    let needs = items.needs();
    let mut at_rest = vec![false; items.len()];
    for index in Order::sort(&needs).map(|order| order.sequence).unwrap_or_default() {
        let is_left = held_up[index] || !found.verdicts[index].change.is_pending();
        at_rest[index] = is_left && needs[index].iter().all(|need| at_rest[*need]);
    }
    at_rest
}
