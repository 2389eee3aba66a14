//! What a run is limited to, and what has to come along with it. Pure.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use serde::{Deserialize, Serialize};

use super::ledger::{Entry, Key, Ledger};
use crate::address::Address;
use crate::arrangement::{Node, What};
use crate::origin::Origin;
use crate::value;

/// What a run is limited to: addresses, what lies below them (`laptop/nats`), or names of Scores. None is no limit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Targets(Vec<String>);

/// A target by which nothing is meant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{target}` means nothing here: it is no address, nothing lies below it, and no Score is called so")]
pub struct UnknownTarget {
    /// What was given.
    pub target: String,
    /// What is called nearly so, the nearest first.
    pub near: Vec<String>,
}

impl UnknownTarget {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> String {
        if self.near.is_empty() {
            return "see `list` for what there is".to_owned();
        }
        let near: Vec<String> = self.near.iter().map(|name| format!("`{name}`")).collect();
        format!("did you mean {}?", near.join(" or "))
    }
}

/// Which of the things that only the Ledger knows a run takes away, and which of the others it leaves alone.
#[derive(Debug, Default)]
pub(super) enum Prune {
    #[default]
    Everything,
    Nothing,
    Only(Chosen),
}

/// What a limited run has to do with, besides the nodes that were chosen.
#[derive(Debug, Default)]
pub(super) struct Chosen {
    /// What only the Ledger knows, and goes.
    goes: HashSet<Key>,
    /// What is looked at because something that goes is reached through it, and stays as it is.
    stays: HashSet<Key>,
    /// What each node needs that was left out.
    left_needs: HashMap<Address, Vec<Address>>,
    /// The resources that are left as they are.
    left: Vec<Address>,
}

/// What becomes of a thing that only the Ledger knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Goes,
    Stays,
    LeftAlone,
}

impl Prune {
    /// What becomes of a thing that only the Ledger knows.
    pub(super) fn fate(&self, key: &Key) -> Fate {
        match self {
            Self::Everything => Fate::Goes,
            Self::Nothing => Fate::LeftAlone,
            Self::Only(chosen) if chosen.goes.contains(key) => Fate::Goes,
            Self::Only(chosen) if chosen.stays.contains(key) => Fate::Stays,
            Self::Only(_) => Fate::LeftAlone,
        }
    }

    /// The resources that are left as they are, and not looked at.
    pub(super) fn left(&self) -> &[Address] {
        if let Self::Only(chosen) = self { &chosen.left } else { &[] }
    }

    /// Whether a proof that is no part of the run still counts: nothing under it changes.
    pub(super) fn leaves_standing(&self, proof: &Address, is_quiet: &dyn Fn(&Address) -> Option<bool>) -> bool {
        let Self::Only(chosen) = self else { return false };
        let mut seen = HashSet::new();
        let mut queue = vec![proof];
        while let Some(at) = queue.pop() {
            for need in chosen.left_needs.get(at).into_iter().flatten() {
                match is_quiet(need) {
                    Some(false) => return false,
                    Some(true) => {}
                    None if seen.insert(need) => queue.push(need),
                    None => {}
                }
            }
        }
        true
    }
}

impl Targets {
    /// A limit to these; none is no limit.
    #[must_use]
    pub fn new(targets: impl IntoIterator<Item = String>) -> Self {
        Self(targets.into_iter().collect())
    }

    /// Whether there is no limit.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn mean(&self, address: &Address, origin: &Origin) -> bool {
        self.0.iter().any(|target| means(target, address, origin))
    }

    /// Each of them must mean one of the things.
    pub(super) fn check<'a>(&self, things: impl Iterator<Item = (&'a Address, &'a Origin)> + Clone) -> Result<(), UnknownTarget> {
        let unknown = self.0.iter().find(|target| !things.clone().any(|(address, origin)| means(target, address, origin)));
        unknown.map_or(Ok(()), |target| Err(UnknownTarget { target: target.clone(), near: near(target, things) }))
    }

    /// Leaves those of `nodes` that are meant and what they need, and says what else the run has to do with. Proofs that stand on nothing
    /// else come along.
    pub(super) fn choose(&self, nodes: &mut BTreeMap<Address, Node>, ledger: &Ledger) -> Result<Prune, UnknownTarget> {
        let keys: HashSet<Key> = nodes.values().filter_map(key_of).collect();
        let unwanted: Vec<&Entry> = ledger.entries().filter(|entry| !keys.contains(&entry.key)).collect();
        let of_nodes = nodes.iter().map(|(address, node)| (address, &node.origin));
        self.check(of_nodes.chain(unwanted.iter().map(|entry| (&entry.address, &entry.origin))))?;

        let needs: HashMap<Address, Vec<Address>> =
            nodes.iter().map(|(address, node)| (address.clone(), [node.references(), node.after.clone()].concat())).collect();
        let meant = nodes.iter().filter(|(address, node)| self.mean(address, &node.origin)).map(|(address, _)| address.clone());
        let mut kept = closure(meant.collect(), |address| needs.get(address).cloned().unwrap_or_default());
        add_proofs(nodes, &needs, &mut kept);

        let goes: Vec<&Entry> = going(&unwanted, |entry| self.mean(&entry.address, &entry.origin));
        let stays = holders(&goes, ledger);
        let goes: HashSet<Key> = goes.into_iter().map(|entry| entry.key.clone()).collect();
        let left_nodes = nodes.iter().filter(|(address, node)| node.resource().is_some() && !kept.contains(address));
        let left_entries = unwanted.iter().filter(|entry| !goes.contains(&entry.key));
        let mut left: Vec<Address> =
            left_nodes.map(|(address, _)| address.clone()).chain(left_entries.map(|entry| entry.address.clone())).collect();
        left.sort_unstable();
        nodes.retain(|address, _| kept.contains(address));
        let chosen_keys: HashSet<Key> = nodes.values().filter_map(key_of).collect();
        let stays = stays.into_iter().filter(|key| !goes.contains(key) && !chosen_keys.contains(key)).collect();
        let left_needs = needs.into_iter().filter(|(address, _)| !kept.contains(address)).collect();
        Ok(Prune::Only(Chosen { goes, stays, left_needs, left }))
    }
}

fn means(target: &str, address: &Address, origin: &Origin) -> bool {
    let below = || address.as_str().strip_prefix(target).is_some_and(|rest| rest.starts_with('/'));
    address.as_str() == target || below() || origin.score == target
}

fn key_of(node: &Node) -> Option<Key> {
    let What::Resource(resource) = &node.what else { return None };
    Some(Key::of(&node.place, resource))
}

/// Everything that is reached from `begin`, that included.
fn closure(begin: Vec<Address>, next: impl Fn(&Address) -> Vec<Address>) -> BTreeSet<Address> {
    let (mut reached, mut queue) = (BTreeSet::new(), begin);
    while let Some(address) = queue.pop() {
        if reached.insert(address.clone()) {
            queue.extend(next(&address));
        }
    }
    reached
}

/// Adds the proofs of which everything that they stand on is kept.
fn add_proofs(nodes: &BTreeMap<Address, Node>, needs: &HashMap<Address, Vec<Address>>, kept: &mut BTreeSet<Address>) {
    loop {
        let before = kept.len();
        for (address, _) in nodes.iter().filter(|(_, node)| node.resource().is_none()) {
            let stands_on_kept =
                needs.get(address).is_some_and(|needs| !needs.is_empty() && needs.iter().all(|need| kept.contains(need)));
            if stands_on_kept {
                kept.insert(address.clone());
            }
        }
        if kept.len() == before {
            return;
        }
    }
}

/// Those of `entries` that are meant, and those that need them: nothing is taken away under something that stands.
fn going<'a>(entries: &[&'a Entry], is_meant: impl Fn(&Entry) -> bool) -> Vec<&'a Entry> {
    let mut above: HashMap<Address, Vec<Address>> = HashMap::new();
    for entry in entries {
        for need in needed(entry) {
            above.entry(need).or_default().push(entry.address.clone());
        }
    }
    let meant = entries.iter().filter(|entry| is_meant(entry)).map(|entry| entry.address.clone()).collect();
    let goes = closure(meant, |address| above.get(address).cloned().unwrap_or_default());
    entries.iter().filter(|entry| goes.contains(&entry.address)).copied().collect()
}

/// What the going things are reached through, directly or not.
fn holders(goes: &[&Entry], ledger: &Ledger) -> HashSet<Key> {
    let by_address: HashMap<&Address, &Entry> = ledger.entries().map(|entry| (&entry.address, entry)).collect();
    let reached_by =
        |entry: &Entry| value::references(&entry.access).into_iter().map(|reference| reference.of).collect::<Vec<_>>();
    let begin = goes.iter().flat_map(|entry| reached_by(entry)).collect();
    let reached = closure(begin, |address| by_address.get(address).map(|entry| reached_by(entry)).unwrap_or_default());
    reached.iter().filter_map(|address| by_address.get(address)).map(|entry| entry.key.clone()).collect()
}

fn needed(entry: &Entry) -> impl Iterator<Item = Address> {
    let access = value::references(&entry.access).into_iter().map(|reference| reference.of);
    access.chain(entry.after.clone())
}

/// How many names are proposed.
const PROPOSED: usize = 3;
/// The names that `target` may be a slip of.
pub(super) fn near<'a>(target: &str, things: impl Iterator<Item = (&'a Address, &'a Origin)>) -> Vec<String> {
    let mut names = BTreeSet::new();
    for (address, origin) in things {
        names.insert(origin.score.as_str());
        let text = address.as_str();
        names.extend(text.match_indices('/').map(|(at, _)| &text[..at]));
        names.insert(text);
    }
    // One slip, and one more for every five letters.
    let most = 1 + target.chars().count() / 5;
    let slips = |name: &str| {
        // The last segment alone is what people remember.
        let last = name.rsplit('/').next().filter(|_| !target.contains('/')).unwrap_or(name);
        strsim::damerau_levenshtein(target, name).min(strsim::damerau_levenshtein(target, last))
    };
    let mut found: Vec<(usize, &str)> =
        names.into_iter().map(|name| (slips(name), name)).filter(|(slips, _)| *slips <= most).collect();
    found.sort_unstable();
    found.into_iter().take(PROPOSED).map(|(_, name)| name.to_owned()).collect()
}
