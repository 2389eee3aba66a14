//! A thing that gets another identity at the address where it is said: one goes and one is made, and people see one replacement. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::items::{ItemKind, Items};
use super::ledger::before_aside;
use super::observe::Observed;
use super::plan::{Change, Step};

/// The replacements that are two items each.
#[derive(Debug, Default)]
pub(super) struct Pairs {
    /// What goes, by what is made in its place.
    by_made: BTreeMap<usize, usize>,
    goes: BTreeSet<usize>,
}

impl Pairs {
    /// The things that only the Ledger knows and that go where one is made at the same address.
    pub(super) fn find(items: &Items, found: &Observed) -> Self {
        let mut pairs = Self::default();
        for (goes, item) in items.items.iter().enumerate() {
            let leaves =
                matches!(item.what, ItemKind::Unwanted { .. }) && matches!(found.verdicts[goes].change, Change::Delete { .. });
            if !leaves {
                continue;
            }
            let address = before_aside(&item.address);
            let made = items.find(address.as_ref().unwrap_or(&item.address));
            let made = made.filter(|made| found.verdicts[*made].change == Change::Create && !pairs.by_made.contains_key(made));
            if let Some(made) = made {
                pairs.by_made.insert(made, goes);
                pairs.goes.insert(goes);
            }
        }
        pairs
    }

    /// Whether the item is made in the place of another.
    pub(super) fn is_made(&self, index: usize) -> bool {
        self.by_made.contains_key(&index)
    }

    /// Whether another is made in the place of the item.
    pub(super) fn is_going(&self, index: usize) -> bool {
        self.goes.contains(&index)
    }

    /// The `steps` of all items, in which each pair is one step.
    pub(super) fn as_one(&self, mut steps: Vec<Step>) -> Vec<Step> {
        for (&made, &goes) in &self.by_made {
            let (label, loss) = (steps[goes].label.clone(), steps[goes].loss.take());
            let made = &mut steps[made];
            made.change = Change::Replace { because: format!("the program now means {}, and it was {label}", made.label) };
            made.loss = loss.or_else(|| made.loss.take());
        }
        let numbered = steps.into_iter().enumerate();
        numbered.filter(|(index, _)| !self.is_going(*index)).map(|(_, step)| step).collect()
    }
}
