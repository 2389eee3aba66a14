//! What is said of the pods of NATS servers.

use std::collections::{BTreeMap, BTreeSet};

use harmony_types::ByteSize;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::exposure::Exposure;
use super::pods::{Amounts, Spread, Toleration};

/// What only Kubernetes has to know of the servers of a system. What is not said is as somebody else has it: a topology has defaults for
/// all its systems, and the rest is as the documentation of [`NatsK8sScore`](super::NatsK8sScore) says.
///
/// Texts are kept as they were written, and read when they are arranged.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NatsK8sSettings {
    /// The namespace of the servers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// What the servers' objects are made from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub packaging: Option<Packaging>,
    /// The image, whose entry point is nats-server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// The size of each server's volume.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage: Option<ByteSize>,
    /// The storage class of the volumes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage_class: Option<String>,
    /// What a server is sure to get.
    #[serde(default, skip_serializing_if = "Amounts::is_nothing")]
    pub requests: Amounts,
    /// What a server may use at most.
    #[serde(default, skip_serializing_if = "Amounts::is_nothing")]
    pub limits: Amounts,
    /// The labels of the nodes on which servers may be.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub node_labels: BTreeMap<String, String>,
    /// The taints that do not keep servers away.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tolerations: Vec<Toleration>,
    /// Over what the servers of a cluster are spread.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spread: Option<Spread>,
    /// How servers are dialled from outside of the cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exposure: Option<Exposure>,
    /// Names for which the servers' certificates are valid, beside those by which Harmony has them dialled.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub certificate_names: BTreeSet<String>,
    /// The namespaces in which applications find their credentials, beside that of the servers.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub client_namespaces: BTreeSet<String>,
    /// The name of the ConfigMap with the authorities that clients trust.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_bundle: Option<String>,
}

impl NatsK8sSettings {
    /// The same, with what is not said as `defaults` has it.
    #[must_use]
    pub fn or(self, defaults: &Self) -> Self {
        let defaults = defaults.clone();
        let tolerations = if self.tolerations.is_empty() { defaults.tolerations } else { self.tolerations };
        let node_labels = if self.node_labels.is_empty() { defaults.node_labels } else { self.node_labels };
        Self {
            namespace: self.namespace.or(defaults.namespace),
            packaging: self.packaging.or(defaults.packaging),
            image: self.image.or(defaults.image),
            storage: self.storage.or(defaults.storage),
            storage_class: self.storage_class.or(defaults.storage_class),
            requests: self.requests.or(defaults.requests),
            limits: self.limits.or(defaults.limits),
            node_labels,
            tolerations,
            spread: self.spread.or(defaults.spread),
            exposure: self.exposure.or(defaults.exposure),
            certificate_names: self.certificate_names.into_iter().chain(defaults.certificate_names).collect(),
            client_namespaces: self.client_namespaces.into_iter().chain(defaults.client_namespaces).collect(),
            ca_bundle: self.ca_bundle.or(defaults.ca_bundle),
        }
    }
}

/// What the objects of servers are made from. More may come: this holds only what works.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Packaging {
    /// Manifests of Harmony's own: a StatefulSet for each server, changed one after another.
    #[default]
    Manifests,
}
