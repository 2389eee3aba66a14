//! What the world calls an object.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An object's kind and name. The version is no part of it: `v1beta1` and `v1` of a kind are one thing in two forms.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ObjectIdentity {
    /// The API group; empty for the core group.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub group: String,
    /// The kind: `StatefulSet`.
    pub kind: String,
    /// The namespace; `None` if the kind has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The name.
    pub name: String,
}

impl ObjectIdentity {
    /// The Namespace of this name.
    #[must_use]
    pub fn of_namespace(name: &str) -> Self {
        Self { group: String::new(), kind: "Namespace".to_owned(), namespace: None, name: name.to_owned() }
    }
}

impl fmt::Display for ObjectIdentity {
    /// `StatefulSet.apps messaging/nats`, `Namespace messaging`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.kind)?;
        if !self.group.is_empty() {
            write!(f, ".{}", self.group)?;
        }
        match &self.namespace {
            Some(namespace) => write!(f, " {namespace}/{}", self.name),
            None => write!(f, " {}", self.name),
        }
    }
}

/// The group of an `apiVersion`: `apps` of `apps/v1`, nothing of `v1`.
#[must_use]
pub fn group_of(api_version: &str) -> &str {
    api_version.rsplit_once('/').map_or("", |(group, _)| group)
}
