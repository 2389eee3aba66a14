//! One cluster on Kubernetes.

use harmony_types::{ByteSize, Cpus};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::exposure::Exposure;
use super::pods::{Spread, Toleration};
use super::settings::{NatsK8sSettings, Packaging};
use crate::modules::nats::score::NatsScore;

/// One NATS cluster on a Kubernetes cluster: a [`NatsScore`] with what only Kubernetes has. Other Scores speak of its system as they do of
/// any.
///
/// ```
/// use harmony::modules::nats::kubernetes::{NatsK8sScore, Spread};
/// use harmony::modules::nats::score::NatsScore;
/// use harmony_types::{ByteSize, Cpus};
///
/// let score = NatsK8sScore::new(NatsScore::new("nats").with_servers(3))
///     .in_namespace("messaging")
///     .with_storage(ByteSize::gib(20))
///     .with_memory(ByteSize::mib(512), ByteSize::gib(1))
///     .with_cpus(Cpus::thousandths(250))
///     .with_spread(Spread::required("topology.kubernetes.io/zone"))
///     .with_clients_in("shop");
/// assert_eq!(serde_json::to_value(&score).unwrap()["requests"]["cpus"], "250m");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[must_use]
pub struct NatsK8sScore {
    #[serde(flatten)]
    pub(super) nats: NatsScore,
    #[serde(flatten)]
    pub(super) settings: NatsK8sSettings,
}

impl From<NatsScore> for NatsK8sScore {
    fn from(nats: NatsScore) -> Self {
        Self::new(nats)
    }
}

impl NatsK8sScore {
    /// The cluster that `nats` declares, as the topology has its servers.
    pub fn new(nats: NatsScore) -> Self {
        Self { nats, settings: NatsK8sSettings::default() }
    }

    /// The same in this namespace. Default: the topology's.
    pub fn in_namespace(mut self, namespace: &str) -> Self {
        self.settings.namespace = Some(namespace.to_owned());
        self
    }

    /// The same with objects that are made from something else. Default: [`Packaging::Manifests`].
    pub fn with_packaging(mut self, packaging: Packaging) -> Self {
        self.settings.packaging = Some(packaging);
        self
    }

    /// The same with servers of this image, whose entry point has to be nats-server. Default: the topology's, which is the official image
    /// of the version that is pinned for local servers too.
    pub fn with_image(mut self, image: &str) -> Self {
        self.settings.image = Some(image.to_owned());
        self
    }

    /// The same with volumes of this size. It can be made larger later where the storage class can, and never smaller. Default: the
    /// topology's, else a quarter more than what JetStream may hold in files, else 10 GiB.
    pub fn with_storage(mut self, size: ByteSize) -> Self {
        self.settings.storage = Some(size);
        self
    }

    /// The same with volumes of this storage class. Default: the topology's, else the cluster's.
    pub fn with_storage_class(mut self, class: &str) -> Self {
        self.settings.storage_class = Some(class.to_owned());
        self
    }

    /// The same with servers that are sure of this much memory, and get no more than `limit`; a server is told to stay below it. Default:
    /// 128 MiB, without a limit.
    pub fn with_memory(mut self, request: ByteSize, limit: ByteSize) -> Self {
        (self.settings.requests.memory, self.settings.limits.memory) = (Some(request), Some(limit));
        self
    }

    /// The same with servers that are sure of this much computing. Default: a tenth of a processor.
    pub fn with_cpus(mut self, request: Cpus) -> Self {
        self.settings.requests.cpus = Some(request);
        self
    }

    /// The same with servers that get no more computing than this, also where more is free: their answers then come late, not never.
    /// Default: no limit.
    pub fn with_cpu_limit(mut self, limit: Cpus) -> Self {
        self.settings.limits.cpus = Some(limit);
        self
    }

    /// The same, only on nodes with this label. Default: on any.
    pub fn on_nodes_with(mut self, label: &str, value: &str) -> Self {
        self.settings.node_labels.insert(label.to_owned(), value.to_owned());
        self
    }

    /// The same, also on nodes with this taint. Default: with none.
    pub fn tolerating(mut self, toleration: Toleration) -> Self {
        self.settings.tolerations.push(toleration);
        self
    }

    /// The same with servers spread so. Default: preferred over nodes.
    pub fn with_spread(mut self, spread: Spread) -> Self {
        self.settings.spread = Some(spread);
        self
    }

    /// The same with servers that clients dial from outside of the cluster like this. Default: the topology's, else not at all.
    pub fn with_exposure(mut self, exposure: Exposure) -> Self {
        self.settings.exposure = Some(exposure);
        self
    }

    /// The same with certificates that are valid for this name or address too, by which clients dial what the user has put before the
    /// servers.
    pub fn with_certificate_name(mut self, host: &str) -> Self {
        self.settings.certificate_names.insert(host.to_owned());
        self
    }

    /// The same with the Secrets of all its users also in this namespace, which is made if it is missing. Default: only in the servers'.
    pub fn with_clients_in(mut self, namespace: &str) -> Self {
        self.settings.client_namespaces.insert(namespace.to_owned());
        self
    }

    /// The same with a ConfigMap of this name wherever applications find their credentials: the authorities that clients trust, as
    /// `ca.crt`, for those that get a credential in another way. Default: none.
    pub fn with_ca_bundle(mut self, name: &str) -> Self {
        self.settings.ca_bundle = Some(name.to_owned());
        self
    }
}
