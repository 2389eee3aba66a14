//! The resource that an object is.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::marker::PhantomData;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::identity::{ObjectIdentity, group_of};
use crate::resource::{FieldChange, Impact, Loss, Resource, Shown, Whereabouts};
use crate::value::Output;

/// What sort of object it is, as far as Harmony has to treat it differently.
pub trait Sort: Debug + Clone + Send + Sync + 'static {
    /// The kind's wire name.
    const KIND: &'static str;
    /// What to call one.
    const NOUN: &'static str;
    /// What its loss would mean.
    const LOSS: Loss;
    /// Whether one that is there already is used together with whoever made it.
    const ADOPTS: bool = false;
    /// Which of its fields are always secret.
    const SECRET_FIELDS: &'static [&'static str];
}

/// An object that can be made again from its manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ordinary {}

/// A Secret: what is in it is never shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Confidential {}

/// An object with which others lose something: a CustomResourceDefinition, a PersistentVolumeClaim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holding {}

/// A Namespace. Several programs may use one: it is made if it is missing, and goes with the last of them if one of them has made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shared {}

impl Sort for Ordinary {
    const KIND: &'static str = "k8s-object/v1";
    const NOUN: &'static str = "object";
    const LOSS: Loss = Loss::Nothing;
    const SECRET_FIELDS: &'static [&'static str] = &[];
}

impl Sort for Confidential {
    const KIND: &'static str = "k8s-secret/v1";
    const NOUN: &'static str = "object";
    const LOSS: Loss = Loss::Nothing;
    const SECRET_FIELDS: &'static [&'static str] = &["/fields/data", "/fields/stringData"];
}

impl Sort for Holding {
    const KIND: &'static str = "k8s-holding-object/v1";
    const NOUN: &'static str = "object";
    const LOSS: Loss = Loss::Data;
    const SECRET_FIELDS: &'static [&'static str] = &[];
}

impl Sort for Shared {
    const KIND: &'static str = "k8s-namespace/v1";
    const NOUN: &'static str = "object";
    const LOSS: Loss = Loss::Data;
    const ADOPTS: bool = true;
    const SECRET_FIELDS: &'static [&'static str] = &[];
}

/// An object as one program wants it: the fields that it says, and no others.
///
/// In a wish `fields` is the manifest without `apiVersion`, `kind`, `metadata.name` and `metadata.namespace`. In what a place says
/// of it, lists whose elements have keys (containers, ports, environment) are objects by those keys, so that an element
/// is compared with its counterpart and not with its neighbour.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Object<S: Sort> {
    /// What the world calls it.
    pub identity: ObjectIdentity,
    /// In which version of the API it is said: `apps/v1`.
    pub api_version: String,
    /// Its fields; values may be known later.
    pub fields: Map<String, Json>,
    /// Fields whose holder changes, by path; only in what a place would make of a wish.
    pub holders: BTreeMap<String, Claim>,
    /// Why it is not ready to be used; never in a wish.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub readiness: Option<String>,
    #[serde(skip)]
    sort: PhantomData<fn() -> S>,
}

/// How a wish changes who holds a field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Claim {
    /// It has this value already, and becomes ours too.
    Taken,
    /// The wish does not say it any more.
    GivenUp,
    /// It was ours until somebody changed it by hand with this tool; it is taken back.
    TakenBackFrom(String),
    /// This other manager applies it.
    HeldBy(String),
    /// The API refuses to change it in place, in these words.
    Fixed(String),
    /// It can never be as the wish says, for this reason.
    Impossible(String),
}

/// An ordinary object.
pub type K8sObject = Object<Ordinary>;
/// A Secret.
pub type K8sSecret = Object<Confidential>;
/// A CustomResourceDefinition, PersistentVolumeClaim or PersistentVolume.
pub type K8sHoldingObject = Object<Holding>;
/// A Namespace.
pub type K8sNamespace = Object<Shared>;

/// What an object offers to others: its `uid`, and what only the cluster can say of its kind.
pub type ObjectOutputs = BTreeMap<String, Json>;

impl<S: Sort> Object<S> {
    /// What tells this object from one of the same name before or after it.
    pub const UID: Output<Self, String> = Output::public("uid");
    /// Of a Service of type `LoadBalancer`: the host name or address at which it is reached from outside.
    pub const LOAD_BALANCER: Output<Self, String> = Output::public("load-balancer");

    /// The object of this name, without any field yet.
    #[must_use]
    pub fn new(identity: ObjectIdentity, api_version: impl Into<String>) -> Self {
        let api_version = api_version.into();
        debug_assert_eq!(group_of(&api_version), identity.group, "one group");
        Self { identity, api_version, fields: Map::new(), holders: BTreeMap::new(), readiness: None, sort: PhantomData }
    }

    /// The same with fields whose holder changes.
    #[must_use]
    pub fn with_holders(self, holders: BTreeMap<String, Claim>) -> Self {
        Self { holders, ..self }
    }

    /// The same as not ready for this reason, or as ready.
    #[must_use]
    pub fn with_readiness(self, readiness: Option<String>) -> Self {
        Self { readiness, ..self }
    }

    /// Whether somebody is taking it away; never in a wish.
    #[must_use]
    pub fn is_leaving(&self) -> bool {
        self.fields.get("metadata").is_some_and(|metadata| metadata.get("deletionTimestamp").is_some())
    }

    /// The same with these fields.
    #[must_use]
    pub fn with_fields(self, fields: Map<String, Json>) -> Self {
        Self { fields, ..self }
    }
}

impl<S: Sort> Resource for Object<S> {
    const KIND: &'static str = S::KIND;
    const NOUN: &'static str = S::NOUN;
    const LOSS: Loss = S::LOSS;
    const ADOPTS: bool = S::ADOPTS;
    const SECRET_FIELDS: &'static [&'static str] = S::SECRET_FIELDS;

    type Identity = ObjectIdentity;
    type Access = ();
    type Outputs = ObjectOutputs;

    fn identity(&self) -> ObjectIdentity {
        self.identity.clone()
    }

    fn impact(change: &FieldChange) -> Impact {
        let Some(path) = change.path.strip_prefix("/holders/") else { return Impact::Update };
        match claim(&change.desired) {
            Some(Claim::HeldBy(manager)) => Impact::Forbidden(format!(
                "`{}` is applied by `{manager}`: take it out of the Score, or out of what `{manager}` applies",
                path.replace("~1", "/").replace("~0", "~")
            )),
            Some(Claim::Fixed(words)) => Impact::Replace(words),
            Some(Claim::Impossible(why)) => Impact::Forbidden(why),
            _ => Impact::Update,
        }
    }

    fn inside(&self) -> Vec<Whereabouts> {
        let namespace = self.identity.namespace.as_deref().map(ObjectIdentity::of_namespace);
        namespace.iter().filter_map(Whereabouts::of::<K8sNamespace>).collect()
    }
}

fn claim(shown: &Shown) -> Option<Claim> {
    match shown {
        Shown::Value(claim) => Claim::deserialize(claim).ok(),
        _ => None,
    }
}
