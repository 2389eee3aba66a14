//! The things of one run under one numbering: those that are wanted, and behind them those that only the Ledger knows.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value as Json;

use super::ledger::{Entry, Key, Ledger};
use super::outcome::Failed;
use super::plan::{Change, LossNotice, Step, Subject};
use crate::address::Address;
use crate::arrangement::{Arrangement, Node, ProofNode, ResourceNode, What};
use crate::origin::Origin;
use crate::provider::ProviderError;
use crate::resource::FieldChange;
use crate::topology::{AnyLive, AnyProver, AnyProvider, Providers};
use crate::value::Reference;

/// One thing of a run.
pub(super) struct Item {
    pub(super) address: Address,
    pub(super) origin: Origin,
    pub(super) what: ItemKind,
    /// What it needs, as indices.
    pub(super) needs: Vec<usize>,
    pub(super) turn: Option<String>,
}

pub(super) enum ItemKind {
    /// Should be there.
    Wanted { key: Key, resource: ResourceNode, provider: Arc<dyn AnyProvider> },
    /// Should be there, in a kind that no place of the program hosts: only an arrangement from elsewhere can say so.
    Unhosted { kind: String, label: String },
    /// Should no longer be there.
    Unwanted { entry: Entry, provider: Option<Arc<dyn AnyProvider>> },
    /// Should pass.
    Proof { proof: ProofNode, digest: String, prover: Option<Arc<dyn AnyProver>> },
}

/// All things of one run, and what is known of them.
pub(super) struct Items {
    pub(super) items: Vec<Item>,
    by_address: HashMap<Address, usize>,
}

/// What is known of an item.
#[derive(Debug, Clone)]
pub(super) enum Seen {
    Absent,
    There(Box<AnyLive>),
    /// Not to be observed before these are applied.
    UnknownUntil(Vec<Address>),
    /// Whoever would know does not answer, and nothing pending explains it.
    Unreachable(String),
    /// A proof.
    Check,
}

impl Items {
    /// The nodes of `arrangement` in the order of their addresses, then what only `ledger` knows.
    pub(super) fn new(arrangement: &Arrangement, ledger: &Ledger, providers: &Providers) -> Self {
        let mut wanted_keys = std::collections::HashSet::new();
        let mut items: Vec<Item> = Vec::with_capacity(arrangement.nodes.len());
        for (address, node) in &arrangement.nodes {
            let item = wanted(address, node, providers);
            if let ItemKind::Wanted { key, .. } = &item.what {
                wanted_keys.insert(key.clone());
            }
            items.push(item);
        }
        for entry in ledger.entries().filter(|entry| !wanted_keys.contains(&entry.key)) {
            let provider = providers.find(&entry.key.place, &entry.key.kind).cloned();
            let what = ItemKind::Unwanted { entry: entry.clone(), provider };
            let (address, origin) = (entry.address.clone(), entry.origin.clone());
            items.push(Item { address, origin, what, needs: Vec::new(), turn: None });
        }
        let mut by_address = HashMap::new();
        for (index, item) in items.iter().enumerate() {
            // What is wanted comes first and keeps its address.
            by_address.entry(item.address.clone()).or_insert(index);
        }
        let mut all = Self { items, by_address };
        all.connect(arrangement);
        all
    }

    fn connect(&mut self, arrangement: &Arrangement) {
        for index in 0..self.items.len() {
            let needed: Vec<Address> = match &self.items[index].what {
                ItemKind::Unwanted { entry, .. } => crate::value::references(&entry.access)
                    .into_iter()
                    .map(|reference| reference.of)
                    .chain(entry.after.clone())
                    .collect(),
                _ => arrangement.nodes.get(&self.items[index].address).map(all_needs).unwrap_or_default(),
            };
            let mut needs: Vec<usize> =
                needed.iter().filter_map(|address| self.find(address)).filter(|at| *at != index).collect();
            needs.sort_unstable();
            needs.dedup();
            self.items[index].needs = needs;
        }
    }

    pub(super) fn find(&self, address: &Address) -> Option<usize> {
        self.by_address.get(address).copied()
    }

    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    /// The output that `reference` names, if `outputs` knows it.
    pub(super) fn output(&self, outputs: &[Option<Json>], reference: &Reference) -> Option<Json> {
        let outputs = outputs.get(self.find(&reference.of)?)?.as_ref()?;
        outputs.get(&reference.output).cloned()
    }

    /// The resources that an item needs, directly or through proofs.
    pub(super) fn resources_below(&self, index: usize) -> Vec<Address> {
        let mut found = Vec::new();
        let mut seen = std::collections::HashSet::new();
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
    pub(super) fn kind(&self) -> &str {
        match &self.what {
            ItemKind::Wanted { resource, .. } => &resource.kind,
            ItemKind::Unwanted { entry, .. } => &entry.key.kind,
            ItemKind::Proof { proof, .. } => &proof.kind,
            ItemKind::Unhosted { kind, .. } => kind,
        }
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

    pub(super) fn step(&self, change: Change, fields: Vec<FieldChange>, loss: Option<LossNotice>) -> Step {
        let (address, kind, label, origin) = (self.address.clone(), self.kind().to_owned(), self.label(), self.origin.clone());
        let subject = if matches!(self.what, ItemKind::Proof { .. }) { Subject::Proof } else { Subject::Resource };
        Step { address, subject, kind, label, origin, change, fields, loss }
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

fn wanted(address: &Address, node: &Node, providers: &Providers) -> Item {
    let what = match &node.what {
        What::Resource(resource) => {
            let key = Key { place: node.place.clone(), kind: resource.kind.clone(), identity: resource.identity.to_string() };
            match providers.find(&node.place, &resource.kind) {
                Some(provider) => ItemKind::Wanted { key, resource: resource.clone(), provider: Arc::clone(provider) },
                None => ItemKind::Unhosted { kind: resource.kind.clone(), label: resource.label.clone() },
            }
        }
        What::Proof(proof) => ItemKind::Proof {
            digest: harmony_types::Digest::of(proof.proof.to_string().as_bytes()).to_string(),
            prover: providers.find_prover(&node.place, &proof.kind).cloned(),
            proof: proof.clone(),
        },
    };
    Item { address: address.clone(), origin: node.origin.clone(), what, needs: Vec::new(), turn: node.turn.clone() }
}

fn all_needs(node: &Node) -> Vec<Address> {
    node.references().into_iter().chain(node.after.iter().cloned()).collect()
}
