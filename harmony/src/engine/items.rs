//! The things of one run under one numbering: those that are wanted, and behind them those that only the Ledger knows.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use harmony_types::PlaceName;
use serde_json::Value as Json;

use super::decide::Verdict;
use super::ledger::{Entry, Key, Ledger};
use super::observe::Observed;
use super::outcome::{Failed, Left};
use super::plan::{Step, Subject};
use super::scope::{Fate, Prune};
use crate::address::Address;
use crate::arrangement::{Node, ProofNode, ResourceNode, What};
use crate::origin::Origin;
use crate::provider::{Failure, ProviderError};
use crate::resource::Loss;
use crate::topology::{AnyLive, AnyProver, AnyProvider, Providers};
use crate::value::Reference;

/// One thing of a run.
pub(super) struct Item {
    pub(super) address: Address,
    pub(super) origin: Origin,
    pub(super) what: ItemKind,
    /// What it needs, as indices.
    pub(super) needs: Vec<usize>,
    /// Those of them by which it is reached: what it lives in, and what opens that.
    pub(super) through: Vec<usize>,
    pub(super) turn: Option<String>,
    /// Whether it is only looked at, and stays as it is although no Score wants it: something that goes is reached through it.
    pub(super) stays: bool,
}

pub(super) enum ItemKind {
    /// Should be there.
    Wanted { key: Key, resource: Box<ResourceNode>, provider: Arc<dyn AnyProvider> },
    /// Should be there, in a kind that no place of the program hosts: only an arrangement from elsewhere can say so.
    Unhosted { kind: String, label: String },
    /// Should no longer be there.
    Unwanted { entry: Arc<Entry>, provider: Option<Arc<dyn AnyProvider>> },
    /// Should pass.
    Proof { proof: ProofNode, digest: String, prover: Option<Arc<dyn AnyProver>> },
}

/// All things of one run, and where the program and the Ledger say them.
pub(super) struct Items {
    pub(super) items: Vec<Item>,
    by_address: HashMap<Address, usize>,
    by_recorded_address: HashMap<Address, usize>,
    silent: BTreeMap<PlaceName, Failure>,
}

/// What is known of an item.
#[derive(Clone)]
pub(super) enum Seen {
    Absent,
    There(Box<AnyLive>),
    /// Not to be looked at before something else is applied.
    OutOfReach,
    /// Whoever would know does not answer, and nothing pending explains it.
    Unreachable(String),
    /// Whoever would know does not tell us.
    NotPermitted(Failure),
    /// A proof.
    Check,
}

impl Items {
    /// The `nodes` in the order of their addresses, then what only `ledger` knows, as far as `prune` takes it away.
    pub(super) fn new(nodes: BTreeMap<Address, Node>, ledger: &Ledger, providers: &Providers, prune: &Prune) -> Self {
        let mut needed: Vec<Vec<Address>> = nodes.values().map(|node| [node.references(), node.after.clone()].concat()).collect();
        let mut items: Vec<Item> = nodes.into_iter().map(|(address, node)| wanted(address, node, ledger, providers)).collect();
        let by_address: HashMap<Address, usize> =
            items.iter().enumerate().map(|(index, item)| (item.address.clone(), index)).collect();
        if !matches!(prune, Prune::Nothing) {
            for entry in unknown_to(&items, ledger) {
                let fate = prune.fate(&entry.key);
                if fate == Fate::LeftAlone {
                    continue;
                }
                items.push(Item { stays: fate == Fate::Stays, ..unwanted(entry, providers) });
                needed.push(entry.after.clone());
            }
        }
        let recorded = |(index, item): (usize, &Item)| Some((ledger.find(item.key()?)?.address.clone(), index));
        // Only what goes speaks of what the Ledger recorded.
        let goes = items.len() > by_address.len();
        let by_recorded_address = if goes { items.iter().enumerate().filter_map(recorded).collect() } else { HashMap::new() };
        let silent = providers.silent().clone();
        let mut all = Self { items, by_address, by_recorded_address, silent };
        all.connect(&needed);
        all
    }

    fn connect(&mut self, needed: &[Vec<Address>]) {
        for (index, needed) in needed.iter().enumerate() {
            let through = match &self.items[index].what {
                ItemKind::Unwanted { entry, .. } => addresses(&entry.access),
                ItemKind::Wanted { resource, .. } => addresses(&resource.access),
                ItemKind::Proof { .. } | ItemKind::Unhosted { .. } => Vec::new(),
            };
            let through = self.indices(index, &through);
            let mut needs = self.indices(index, needed);
            needs.extend(&through);
            needs.sort_unstable();
            needs.dedup();
            let item = &mut self.items[index];
            (item.needs, item.through) = (needs, through);
        }
    }

    /// The items at `addresses`, as the item `of` calls them: what is no longer wanted speaks of the program as the Ledger recorded it.
    fn indices(&self, of: usize, addresses: &[Address]) -> Vec<usize> {
        addresses.iter().filter_map(|address| self.find_for(of, address)).filter(|at| *at != of).collect()
    }

    pub(super) fn find_for(&self, of: usize, address: &Address) -> Option<usize> {
        match self.items[of].what {
            ItemKind::Unwanted { .. } => self.by_recorded_address.get(address).copied(),
            _ => self.find(address),
        }
    }

    pub(super) fn find(&self, address: &Address) -> Option<usize> {
        self.by_address.get(address).copied()
    }

    /// Why the place of an item does not answer; `None` if it does.
    pub(super) fn silence(&self, index: usize) -> Option<&Failure> {
        self.silent.get(&self.items[index].key()?.place)
    }

    /// The places that do not answer, and why.
    pub(super) fn silent(&self) -> &BTreeMap<PlaceName, Failure> {
        &self.silent
    }

    /// For each item what it needs.
    pub(super) fn needs(&self) -> Vec<&[usize]> {
        self.items.iter().map(|item| item.needs.as_slice()).collect()
    }

    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    /// The output that `reference` names, if `outputs` knows it.
    pub(super) fn output(&self, outputs: &[Option<Arc<Json>>], reference: &Reference) -> Option<Json> {
        let outputs = outputs.get(self.find(&reference.of)?)?.as_ref()?;
        outputs.get(&reference.output).cloned()
    }

    /// The same for what the item `of` refers to. What goes is reached as things stand, even if they are about to change.
    pub(super) fn output_for(&self, of: usize, found: &Observed, reference: &Reference) -> Option<Json> {
        let at = self.find_for(of, &reference.of)?;
        let goes = matches!(self.items[of].what, ItemKind::Unwanted { .. });
        let standing = || found.live[at].as_ref().filter(|_| goes).map(|there| &there.outputs);
        found.outputs[at].as_ref().or_else(standing)?.get(&reference.output).cloned()
    }

    /// What an item lives in, without the secrets by which it is reached; nothing, if it is only asked through them.
    pub(super) fn holders(&self, index: usize) -> impl Iterator<Item = usize> {
        let item = &self.items[index];
        let through: &[usize] = if item.stands_alone() { &[] } else { &item.through };
        through.iter().copied().filter(|at| self.items[*at].loss() != Loss::Secret)
    }

    /// The resources that an item needs, directly or through proofs.
    pub(super) fn resources_below(&self, index: usize) -> Vec<Address> {
        let mut found = Vec::new();
        let mut seen = HashSet::new();
        let mut queue: Vec<usize> = self.items[index].needs.clone();
        while let Some(at) = queue.pop() {
            if !seen.insert(at) {
                continue;
            }
            match self.items[at].what {
                ItemKind::Proof { .. } => queue.extend(&self.items[at].needs),
                _ => found.push(self.items[at].address.clone()),
            }
        }
        found.sort();
        found
    }
}

impl Item {
    /// What the world calls it; a proof has no such name.
    pub(super) fn key(&self) -> Option<&Key> {
        match &self.what {
            ItemKind::Wanted { key, .. } => Some(key),
            ItemKind::Unwanted { entry, .. } => Some(&entry.key),
            ItemKind::Proof { .. } | ItemKind::Unhosted { .. } => None,
        }
    }

    pub(super) fn loss(&self) -> Loss {
        match &self.what {
            ItemKind::Wanted { resource, .. } => resource.loss,
            ItemKind::Unwanted { entry, .. } => entry.loss,
            ItemKind::Proof { .. } | ItemKind::Unhosted { .. } => Loss::Nothing,
        }
    }

    pub(super) fn kind(&self) -> &str {
        match &self.what {
            ItemKind::Wanted { resource, .. } => &resource.kind,
            ItemKind::Unwanted { entry, .. } => &entry.key.kind,
            ItemKind::Proof { proof, .. } => &proof.kind,
            ItemKind::Unhosted { kind, .. } => kind,
        }
    }

    pub(super) fn subject(&self) -> Subject {
        if matches!(self.what, ItemKind::Proof { .. }) { Subject::Proof } else { Subject::Resource }
    }

    /// What people call it.
    pub(super) fn label(&self) -> String {
        match &self.what {
            ItemKind::Wanted { resource, provider, .. } => format!("{} {}", provider.facts().noun, resource.label),
            ItemKind::Unwanted { entry, provider: Some(provider) } => format!("{} {}", provider.facts().noun, entry.label),
            ItemKind::Unwanted { entry, provider: None } => format!("{} {}", entry.key.kind, entry.label),
            ItemKind::Proof { proof, .. } => proof.claim.clone(),
            ItemKind::Unhosted { kind, label } => format!("{kind} {label}"),
        }
    }

    /// The line of a plan that says what becomes of it.
    pub(super) fn step(&self, Verdict { change, fields, loss }: Verdict) -> Step {
        let (address, kind, label, origin) = (self.address.clone(), self.kind().to_owned(), self.label(), self.origin.clone());
        Step { address, subject: self.subject(), kind, label, origin, change, fields, loss }
    }

    /// Whether it is there without what its access names.
    fn stands_alone(&self) -> bool {
        match &self.what {
            ItemKind::Wanted { provider, .. } | ItemKind::Unwanted { provider: Some(provider), .. } => {
                provider.facts().stands_alone
            }
            _ => false,
        }
    }

    /// That the run was stopped while it was waited for.
    pub(super) fn left(&self, failure: &Failure) -> Left {
        Left { address: self.address.clone(), label: self.label(), why: failure.to_string() }
    }

    pub(super) fn failure(&self, error: &ProviderError) -> Failed {
        Failed {
            address: self.address.clone(),
            label: self.label(),
            origin: self.origin.clone(),
            error: error.to_string(),
            hint: error.hint().map(str::to_owned),
        }
    }
}

fn wanted(address: Address, node: Node, ledger: &Ledger, providers: &Providers) -> Item {
    let Node { place, what, turn, origin, .. } = node;
    let what = match what {
        What::Resource(resource) => {
            let key = Key::of(&place, &resource);
            // The Ledger's own is found at once when it is asked for again.
            let key = ledger.find(&key).map_or(key, |entry| entry.key.clone());
            match providers.find(&place, &resource.kind) {
                Some(provider) => ItemKind::Wanted { key, provider: Arc::clone(provider), resource },
                None => ItemKind::Unhosted { kind: resource.kind, label: resource.label },
            }
        }
        What::Proof(proof) => ItemKind::Proof {
            digest: harmony_types::Digest::of(proof.proof.to_string().as_bytes()).to_string(),
            prover: providers.find_prover(&place, &proof.kind).cloned(),
            proof,
        },
    };
    Item { address, origin, what, needs: Vec::new(), through: Vec::new(), turn, stays: false }
}

/// What `ledger` knows and no item is.
fn unknown_to<'l>(items: &[Item], ledger: &'l Ledger) -> Vec<&'l Arc<Entry>> {
    let keys = || items.iter().filter_map(Item::key);
    let known = keys().filter(|key| ledger.find(key).is_some()).count();
    // Most often it knows nothing else: two items never have one key.
    if known == ledger.count() { Vec::new() } else { ledger.entries_but(&keys().cloned().collect()) }
}

fn unwanted(entry: &Arc<Entry>, providers: &Providers) -> Item {
    let provider = providers.find(&entry.key.place, &entry.key.kind).cloned();
    let (address, origin) = (entry.address.clone(), entry.origin.clone());
    let what = ItemKind::Unwanted { entry: Arc::clone(entry), provider };
    Item { address, origin, what, needs: Vec::new(), through: Vec::new(), turn: None, stays: false }
}

fn addresses(access: &Json) -> Vec<Address> {
    crate::value::references(access).into_iter().map(|reference| reference.of).collect()
}
