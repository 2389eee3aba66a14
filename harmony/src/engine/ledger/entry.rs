//! What the Ledger says of one thing.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::Arc;

use harmony_types::PlaceName;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::address::Address;
use crate::arrangement::ResourceNode;
use crate::origin::Origin;
use crate::resource::Loss;
use crate::value;

/// What the world calls a thing. Cheap to clone: a run asks for each thing by it in many places.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "Name", into = "Name")]
pub struct Key(Arc<Name>);

/// Place, kind, and the kind's identity as JSON text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Name {
    /// The place it is in.
    pub place: PlaceName,
    /// The kind's wire name.
    pub kind: String,
    /// The identity, serialised.
    pub identity: String,
}

impl Deref for Key {
    type Target = Name;

    fn deref(&self) -> &Name {
        &self.0
    }
}

impl From<Name> for Key {
    fn from(name: Name) -> Self {
        Self(Arc::new(name))
    }
}

impl From<Key> for Name {
    fn from(key: Key) -> Self {
        Arc::unwrap_or_clone(key.0)
    }
}

impl Key {
    /// What the world calls the wanted thing `resource` in `place`.
    pub(crate) fn of(place: &PlaceName, resource: &ResourceNode) -> Self {
        Name { place: place.clone(), kind: resource.kind.clone(), identity: resource.identity.to_string() }.into()
    }

    /// The identity as the kind's provider reads it.
    pub(crate) fn identity_as_json(&self) -> Json {
        serde_json::from_str(&self.identity).unwrap_or(Json::Null)
    }
}

/// One thing that was made, or was about to be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// What the world calls it.
    pub key: Key,
    /// What the world calls it, for people.
    pub label: String,
    /// Where the program said it last; no other entry has this address.
    pub address: Address,
    /// How to reach what it lives in, as references.
    pub access: Json,
    /// What it needed, directly or through proofs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<Address>,
    /// What its loss would mean.
    pub loss: Loss,
    /// Whether the Score that wanted it allows that loss.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub may_be_lost: bool,
    /// Fields that ever held a secret.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sensitive: Vec<String>,
    /// The Score that wanted it last.
    pub origin: Origin,
    /// Whether it was seen to be there; until then it may or may not be.
    #[serde(default)]
    pub made: bool,
    /// Choices made at creation that the thing itself does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<Json>,
    /// What it held when it was last seen; of what may be lost without asking, nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<String>,
}

impl Entry {
    /// Whether nothing is new. That the line of a Score has moved is not: it moves with every edit of the program.
    pub(crate) fn says_the_same_as(&self, other: &Self) -> bool {
        let Self { key, label, address, access, after, loss, may_be_lost, sensitive, origin, made, kept, held } = self;
        (key, label, address, access, after) == (&other.key, &other.label, &other.address, &other.access, &other.after)
            && (loss, may_be_lost, made, held) == (&other.loss, &other.may_be_lost, &other.made, &other.held)
            && (sensitive, kept, &origin.score) == (&other.sensitive, &other.kept, &other.origin.score)
    }

    /// What is remembered of what it holds. Where nobody is asked about a loss nothing is: what proofs write would be news for every
    /// run, and a run that changes nothing would write.
    pub(crate) fn remembered(&self, held: Option<String>) -> Option<String> {
        held.filter(|_| self.loss == Loss::Data && !self.may_be_lost)
    }

    /// Follows what it refers to by address to where that is now.
    pub(super) fn follow(&mut self, moved: &BTreeMap<Address, Address>) {
        let to = |address: &Address| moved.get(address).unwrap_or(address).clone();
        self.address = to(&self.address);
        self.after.iter_mut().for_each(|after| *after = to(after));
        self.access = value::redirect(&self.access, &to);
    }
}
