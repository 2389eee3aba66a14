//! What a managed thing is: typed data, and pure functions about it.

use std::fmt::{Debug, Display};

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::address::Address;
use crate::value::{Output, Value};

/// One kind of managed thing. The type *is* the wire format of its spec: the kind's name carries a version, and a change of the
/// format is a new version. What does the I/O is its [`Provider`](crate::provider::Provider).
pub trait Resource: Serialize + DeserializeOwned + Debug + Clone + Send + Sync + 'static {
    /// The kind's wire name, with its version: `nats-kv-bucket/v1`.
    const KIND: &'static str;
    /// What to call one in a sentence, without article: `key-value bucket`.
    const NOUN: &'static str;
    /// What its loss would mean.
    const LOSS: Loss = Loss::Nothing;
    /// Whether one that is there already, and that the Ledger does not know, is taken over without a question.
    const ADOPTS: bool = false;
    /// Whether other programs may use it too: it is made if it is missing, and left where it is when nobody wants it any more.
    const SHARED: bool = false;
    /// Whether deleting it hands over what it holds to others of its kind, so that nothing is lost. Where all that it lives in goes too there is
    /// nobody left to hand over to: then it goes with that, and is not deleted on its own.
    const HANDS_OVER: bool = false;
    /// Whether its access only says how it is asked, and not what it lives in, as that of a process: it does not go with what its access
    /// names, and is taken away also where it does not answer. It holds nothing by itself, and its provider deletes it without the access.
    const STANDS_ALONE: bool = false;
    /// Whether its outputs are choices made at creation, not secret, which the Ledger keeps because the thing itself does not say them.
    const KEEPS_OUTPUTS: bool = false;
    /// Fields (RFC 6901 pointers) that are always secret, also in what is observed.
    const SECRET_FIELDS: &'static [&'static str] = &[];

    /// What the world calls it; nothing in it is known only later. Two claims on one identity are refused.
    type Identity: Serialize + DeserializeOwned + Display + Debug + Clone + PartialEq + Send + Sync;
    /// How to reach what it lives in, in values that may be known later; `()` if it lives in the place itself.
    type Access: Serialize + DeserializeOwned + Debug + Clone + Send + Sync;
    /// What it offers to others once it is there: a struct whose fields the kind's [`Output`] constants name.
    type Outputs: Serialize + DeserializeOwned + Clone + Send + Sync;

    /// What the world calls it.
    fn identity(&self) -> Self::Identity;

    /// What of its place it lives in: where the program arranges that too, it comes after it, and goes before it.
    fn inside(&self) -> Vec<Whereabouts> {
        Vec::new()
    }

    /// How a change of a field reaches the thing. Pure.
    fn impact(_change: &FieldChange) -> Impact {
        Impact::Update
    }
}

/// A thing of the same place in which another one lives.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Whereabouts {
    pub(crate) kind: &'static str,
    /// As JSON text.
    pub(crate) identity: String,
}

impl Whereabouts {
    /// The thing of kind `R` that the world calls so; `None` if that cannot be said as JSON, so that it is no identity.
    #[must_use]
    pub fn of<R: Resource>(identity: &R::Identity) -> Option<Self> {
        let identity = serde_json::to_value(identity).ok()?.to_string();
        Some(Self { kind: R::KIND, identity })
    }
}

/// What is lost with a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Loss {
    /// Nothing: it can be made again from its spec.
    Nothing,
    /// What others wrote into it; whether there is something, the observation says.
    Data,
    /// A secret that others rely on: made anew it is another one.
    Secret,
}

/// One field that differs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FieldChange {
    /// The field, as an RFC 6901 pointer: `/max_bytes`.
    pub path: String,
    /// What is there.
    pub live: Shown,
    /// What should be.
    pub desired: Shown,
}

/// A side of a difference, as it may be shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Shown {
    /// Nothing.
    Absent,
    /// A value that is no secret.
    Value(serde_json::Value),
    /// A secret.
    Sensitive,
    /// Known only after these have been applied.
    KnownAfter(Vec<Address>),
}

/// How a change of a field reaches the thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Impact {
    /// In place.
    Update,
    /// In place, but what it holds is lost.
    UpdateLosing,
    /// Only by deleting it and making it again, for this reason.
    Replace(String),
    /// Not at all, for this reason.
    Forbidden(String),
}

/// A resource in an arrangement, to take outputs from.
#[derive(Debug)]
pub struct Handle<R> {
    address: Address,
    kind: std::marker::PhantomData<fn() -> R>,
}

impl<R> Clone for Handle<R> {
    fn clone(&self) -> Self {
        Self::new(self.address.clone())
    }
}

impl<R> Handle<R> {
    pub(crate) fn new(address: Address) -> Self {
        Self { address, kind: std::marker::PhantomData }
    }

    /// Where the program says it.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// An output of it, known later.
    #[must_use]
    pub fn get<T>(&self, output: &Output<R, T>) -> Value<T> {
        output.of(&self.address)
    }
}
