//! The graph of resources and proofs that the Scores become: data, without I/O.

use std::collections::BTreeMap;

use harmony_types::PlaceName;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::address::Address;
use crate::origin::Origin;
use crate::resource::Loss;

/// Resources and proofs by address, in the addresses' order, so that two equal arrangements are equal bytes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Arrangement {
    /// The nodes.
    pub nodes: BTreeMap<Address, Node>,
    /// What the Scores want users to know, in words: what a bucket survives, what no permission can prevent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Note>,
    /// What a user can do once all is applied, by title; values are known later.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub next_steps: BTreeMap<String, crate::value::Text>,
}

/// A sentence about something in the arrangement.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Note {
    /// What it is about.
    pub about: String,
    /// The sentence.
    pub says: String,
}

/// One resource or proof.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// The place it is in.
    pub place: PlaceName,
    /// What it is.
    pub what: What,
    /// What must be done before it besides what it refers to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<Address>,
    /// The group in which only one at a time may be changed (not made): the servers of a cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<String>,
    /// The Score that wants it.
    pub origin: Origin,
}

/// What a node is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// A managed thing; boxed, because nodes are moved often.
    Resource(Box<ResourceNode>),
    /// A check.
    Proof(ProofNode),
}

/// A managed thing, serialised.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ResourceNode {
    /// The kind's wire name.
    pub kind: String,
    /// What the world calls it.
    pub identity: Json,
    /// The same for people.
    pub label: String,
    /// How to reach what it lives in.
    pub access: Json,
    /// What it should be.
    pub spec: Json,
    /// What its loss would mean.
    pub loss: Loss,
    /// Whether the Score allows that loss.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub may_be_lost: bool,
}

/// A check, serialised.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProofNode {
    /// The proof's wire name.
    pub kind: String,
    /// What it shows.
    pub claim: String,
    /// The proof.
    pub proof: Json,
}

impl Node {
    /// The resource, if the node is one.
    #[must_use]
    pub fn resource(&self) -> Option<&ResourceNode> {
        match &self.what {
            What::Resource(resource) => Some(resource),
            What::Proof(_) => None,
        }
    }

    /// What it refers to: in its spec, its access or its proof; sorted, without repetition.
    #[must_use]
    pub fn references(&self) -> Vec<Address> {
        let mut addresses: Vec<Address> = match &self.what {
            What::Resource(resource) => {
                let access = crate::value::references(&resource.access);
                crate::value::references(&resource.spec).into_iter().chain(access).map(|reference| reference.of).collect()
            }
            What::Proof(proof) => crate::value::references(&proof.proof).into_iter().map(|reference| reference.of).collect(),
        };
        addresses.sort();
        addresses.dedup();
        addresses
    }
}
