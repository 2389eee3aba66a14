//! How much a pod gets, and where it may be.

use harmony_types::{ByteSize, Cpus};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Amounts of what a node has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Amounts {
    /// Processors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpus: Option<Cpus>,
    /// Memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<ByteSize>,
}

impl Amounts {
    /// Whether it says nothing.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    pub(super) fn or(self, defaults: Self) -> Self {
        Self { cpus: self.cpus.or(defaults.cpus), memory: self.memory.or(defaults.memory) }
    }
}

/// A taint of nodes that does not keep a pod away.
///
/// ```
/// use harmony::modules::nats::kubernetes::{TaintEffect, Toleration};
///
/// let toleration = Toleration::of("dedicated", "messaging").with_effect(TaintEffect::NoSchedule);
/// assert_eq!(serde_json::to_value(&toleration).unwrap()["key"], "dedicated");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[must_use]
pub struct Toleration {
    /// The taint's key.
    pub key: String,
    /// Its value; any if it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// Its effect; any if it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<TaintEffect>,
}

impl Toleration {
    /// Of the taint `key` with this value.
    pub fn of(key: &str, value: &str) -> Self {
        Self { value: Some(value.to_owned()), ..Self::of_any(key) }
    }

    /// Of the taint `key` with any value.
    pub fn of_any(key: &str) -> Self {
        Self { key: key.to_owned(), value: None, effect: None }
    }

    /// The same, only where the taint has this effect.
    pub fn with_effect(mut self, effect: TaintEffect) -> Self {
        self.effect = Some(effect);
        self
    }
}

/// What a taint does to pods that do not tolerate it. Written as Kubernetes writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum TaintEffect {
    /// They do not come to the node.
    NoSchedule,
    /// They come only where no other node is left.
    PreferNoSchedule,
    /// They are taken from the node.
    NoExecute,
}

/// Over what the servers of a cluster are spread: nodes, zones, or whatever else a label of nodes tells apart.
///
/// ```
/// use harmony::modules::nats::kubernetes::Spread;
///
/// let one_zone_may_be_lost = Spread::required("topology.kubernetes.io/zone");
/// assert_eq!(serde_json::to_value(&one_zone_may_be_lost).unwrap()["strictness"], "required");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[must_use]
pub struct Spread {
    /// The label.
    pub over: String,
    /// What becomes of a server that finds no place.
    pub strictness: Strictness,
}

impl Spread {
    /// Over the values of a label of nodes; where that is not possible servers come together.
    pub fn preferred(label: &str) -> Self {
        Self { over: label.to_owned(), strictness: Strictness::Preferred }
    }

    /// Over the values of a label of nodes; where that is not possible a server waits.
    pub fn required(label: &str) -> Self {
        Self { over: label.to_owned(), strictness: Strictness::Required }
    }
}

/// What becomes of a server that finds no place of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Strictness {
    /// It comes to where another one is.
    Preferred,
    /// It waits.
    Required,
}
