//! A cluster, looked at: what it hosts.

use std::sync::Arc;

use harmony::capability::Kubernetes;
use harmony::modules::k8s::object::{K8sHoldingObject, K8sNamespace, K8sObject, K8sSecret};
use harmony::modules::secret::{GeneratedSecret, PasswordHash, SecretEntries};
use harmony::modules::tls::{Authority, Certificate, StoredPki};
use harmony::provider::Provider;
use harmony::topology::{Hosts, Providers, Site, Topology};
use harmony_types::PlaceName;

use crate::connection::Connection;
use crate::provider::Objects;
use crate::topology::K8sFacts;
use crate::tunnel::Tunnels;

/// A Kubernetes cluster, with its capabilities.
pub struct K8sPlace {
    name: PlaceName,
    site: Site,
    namespace: String,
    facts: K8sFacts,
    objects: Arc<Objects>,
}

impl K8sPlace {
    pub(crate) fn new(name: PlaceName, site: Site, namespace: String, facts: K8sFacts, connection: Connection) -> Self {
        Self { name, site, namespace, facts, objects: Arc::new(Objects::new(connection)) }
    }

    /// What was found when it was looked at.
    #[must_use]
    pub fn facts(&self) -> &K8sFacts {
        &self.facts
    }

    /// A way to the pods of this cluster, through its API server.
    #[must_use]
    pub fn tunnels(&self) -> Tunnels {
        Tunnels::new(self.objects.connection.clone())
    }
}

impl Topology for K8sPlace {
    fn name(&self) -> &PlaceName {
        &self.name
    }

    fn site(&self) -> &Site {
        &self.site
    }

    fn register(&self, providers: &mut Providers) {
        providers.host::<K8sObject>(self);
        providers.host::<K8sSecret>(self);
        providers.host::<K8sHoldingObject>(self);
        providers.host::<K8sNamespace>(self);
        providers.host::<GeneratedSecret>(self);
        providers.host::<PasswordHash>(self);
        providers.host::<Authority>(self);
        providers.host::<Certificate>(self);
    }

    /// A cluster is reached from anywhere.
    fn is_of_this_machine(&self) -> bool {
        false
    }
}

macro_rules! hosts {
    ($($kind:ty => |$place:ident| $provider:expr;)*) => {
        $(impl Hosts<$kind> for K8sPlace {
            fn provider(&self) -> Arc<dyn Provider<$kind>> {
                let $place = self;
                $provider
            }
        })*
    };
}

hosts! {
    K8sObject => |place| place.objects.clone();
    K8sSecret => |place| place.objects.clone();
    K8sHoldingObject => |place| place.objects.clone();
    K8sNamespace => |place| place.objects.clone();
    GeneratedSecret => |place| SecretEntries::new(&place.site.secrets);
    PasswordHash => |place| SecretEntries::new(&place.site.secrets);
    Authority => |place| StoredPki::new(&place.site.secrets);
    Certificate => |place| StoredPki::new(&place.site.secrets);
}

impl Kubernetes for K8sPlace {
    fn default_namespace(&self) -> &str {
        &self.namespace
    }
}
