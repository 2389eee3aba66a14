//! A NATS server that runs in a pod.

use std::fmt;

use harmony::modules::k8s::identity::ObjectIdentity;
use harmony::modules::k8s::object::K8sNamespace;
use harmony::modules::nats::access::NatsAccess;
use harmony::modules::nats::client::JetstreamMode;
use harmony::resource::{FieldChange, Impact, Resource, Whereabouts};
use harmony::value::Text;
use harmony_types::ServerName;
use serde::{Deserialize, Serialize};

/// A server that runs in the pod of its StatefulSet with a configuration. The StatefulSet makes the pod; this says with what it has to run,
/// and when it is ready to be followed by the next one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NatsServerPod {
    /// Which one.
    #[serde(flatten)]
    pub identity: ServerPodIdentity,
    /// The digest of what the pod is made from: image, resources, volumes.
    pub template: String,
    /// The digest of what the server reads only when it starts.
    pub startup_digest: Text,
    /// The digest of the certificates that it was started with.
    pub certificates_digest: Text,
    /// The digest, as the server computes it, of the configuration that it uses.
    pub config_digest: Text,
    /// Whether it has JetStream, and with whom.
    pub jetstream: JetstreamMode,
    /// Why it is not ready to be used; never in a wish.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub readiness: Option<String>,
}

/// What a server's pod is known by in its cluster.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ServerPodIdentity {
    /// Its namespace.
    pub namespace: String,
    /// Its server, after which its StatefulSet is called too.
    pub server: ServerName,
}

impl ServerPodIdentity {
    /// The pod's name.
    #[must_use]
    pub fn pod(&self) -> String {
        format!("{}-0", self.server)
    }
}

impl fmt::Display for ServerPodIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.server)
    }
}

/// What a pod offers to others: nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoOutputs {}

impl Resource for NatsServerPod {
    const KIND: &'static str = "nats-server-pod/v1";
    const NOUN: &'static str = "nats-server";
    /// The StatefulSet, which is this program's, has made it.
    const ADOPTS: bool = true;
    const STANDS_ALONE: bool = true;
    type Identity = ServerPodIdentity;
    type Access = NatsAccess;
    type Outputs = NoOutputs;

    fn identity(&self) -> ServerPodIdentity {
        self.identity.clone()
    }

    fn impact(change: &FieldChange) -> Impact {
        if change.path == "/jetstream" { JetstreamMode::impact(change) } else { Impact::Update }
    }

    fn inside(&self) -> Vec<Whereabouts> {
        Whereabouts::of::<K8sNamespace>(&ObjectIdentity::of_namespace(&self.identity.namespace)).into_iter().collect()
    }
}
