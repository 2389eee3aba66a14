//! Objects that a program says itself.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::manifest::{Manifest, ManifestError};
use crate::value::Text;

/// Objects of a Kubernetes cluster, typed or as YAML. Namespaces are made before what is in them, definitions of kinds before
/// objects of these kinds.
///
/// ```
/// use harmony::modules::k8s::score::K8sResourceScore;
///
/// let settings = K8sResourceScore::yaml("settings", "{ apiVersion: v1, kind: ConfigMap, metadata: { name: settings }, data: { mode: quiet } }")
///     .in_namespace("messaging");
/// # let _ = settings;
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[must_use]
pub struct K8sResourceScore {
    pub(super) label: String,
    source: Source,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    values: Vec<Given>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) losses_allowed: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Source {
    Object(Json),
    Yaml(String),
    /// A value that cannot be written; refused when it is played.
    Unwritable(String),
}

/// A value for a field.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Given {
    path: String,
    #[schemars(with = "Json")]
    value: Text,
}

impl K8sResourceScore {
    /// The object, typed (of `k8s-openapi`, or of a definition of one's own) or as JSON. `label` tells it apart in plans.
    pub fn of<T: Serialize>(label: &str, object: &T) -> Self {
        let source = serde_json::to_value(object).map_or_else(|error| Source::Unwritable(error.to_string()), Source::Object);
        Self::new(label, source)
    }

    /// All objects of a YAML text.
    pub fn yaml(label: &str, text: &str) -> Self {
        Self::new(label, Source::Yaml(text.to_owned()))
    }

    fn new(label: &str, source: Source) -> Self {
        Self { label: label.to_owned(), source, namespace: None, values: Vec::new(), losses_allowed: false }
    }

    /// The same, with every object that says no namespace in this one; objects of kinds that are in none are not touched.
    /// Default: the cluster's default.
    pub fn in_namespace(mut self, namespace: &str) -> Self {
        self.namespace = Some(namespace.to_owned());
        self
    }

    /// The same with a value that may be known later, or a secret, at `path` (an RFC 6901 pointer: `/stringData/password`) of the one
    /// object.
    pub fn with_value(mut self, path: &str, value: impl Into<Text>) -> Self {
        self.values.push(Given { path: path.to_owned(), value: value.into() });
        self
    }

    /// The same with the allowance that what the objects hold may be lost.
    pub fn allowing_loss(mut self) -> Self {
        self.losses_allowed = true;
        self
    }

    pub(super) fn manifests(&self) -> Result<Vec<Manifest>, ManifestError> {
        let all = match &self.source {
            Source::Object(json) => vec![Manifest::of(json)?],
            Source::Yaml(text) => Manifest::all_in_yaml(text)?,
            Source::Unwritable(words) => {
                return Err(ManifestError::Unserialisable { what: "its object", words: words.clone() });
            }
        };
        if let Some(open) = all.iter().find_map(Manifest::open_secret) {
            return Err(open);
        }
        if all.len() != 1 && !self.values.is_empty() {
            return Err(ManifestError::NotOne { count: all.len() });
        }
        let given = |manifest: Manifest| {
            self.values.iter().try_fold(manifest, |manifest, given| manifest.with_value(&given.path, &given.value))
        };
        all.into_iter().map(given).collect()
    }

    pub(super) fn namespace(&self) -> Option<&str> {
        self.namespace.as_deref()
    }
}
