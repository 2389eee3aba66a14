//! A cluster, looked at: what it hosts.

use std::sync::Arc;

use harmony::capability::Kubernetes;
use harmony::modules::k8s::object::{K8sHoldingObject, K8sNamespace, K8sObject, K8sSecret};
use harmony::modules::nats::client::{MayHaveNats, NatsClient, WithNats, WithoutNats};
use harmony::modules::nats::hosting::{HasNatsClient, register_nats};
use harmony::modules::nats::kubernetes::NatsK8sSettings;
use harmony::modules::secret::hosting::{UsesSecretStore, register_secrets};
use harmony::provider::Provider;
use harmony::topology::{Hosts, Providers, Site, Topology};
use harmony_types::PlaceName;

use crate::nats::{NatsServerPod, ServerPods};
use crate::objects::Objects;
use crate::topology::K8sFacts;
use crate::tunnel::Tunnels;

/// A Kubernetes cluster, with its capabilities. `N` says whether it has a client of NATS: without one it cannot run NATS servers.
pub struct K8sPlace<N: MayHaveNats = WithoutNats> {
    pub(crate) name: PlaceName,
    pub(crate) site: Site,
    pub(crate) namespace: String,
    pub(crate) facts: K8sFacts,
    pub(crate) servers: NatsK8sSettings,
    pub(crate) nats: N,
    pub(crate) objects: Arc<Objects>,
}

impl<N: MayHaveNats> K8sPlace<N> {
    /// What was found when it was looked at.
    #[must_use]
    pub fn facts(&self) -> &K8sFacts {
        &self.facts
    }

    /// A way to the pods of this cluster, through its API server.
    #[must_use]
    pub fn tunnels(&self) -> Tunnels {
        Tunnels::new(self.name.clone(), self.objects.connection.clone())
    }

    /// What the cluster hosts with or without NATS.
    fn register_own(&self, providers: &mut Providers)
    where
        Self: Topology,
    {
        providers.host::<K8sObject>(self);
        providers.host::<K8sSecret>(self);
        providers.host::<K8sHoldingObject>(self);
        providers.host::<K8sNamespace>(self);
        register_secrets(self, providers);
    }
}

macro_rules! topology {
    ($($nats:ty => |$place:ident, $providers:ident| $register:block)*) => {
        $(impl Topology for K8sPlace<$nats> {
            fn name(&self) -> &PlaceName {
                &self.name
            }

            fn site(&self) -> &Site {
                &self.site
            }

            fn register(&self, $providers: &mut Providers) {
                let $place = self;
                $place.register_own($providers);
                $register
            }

            /// A cluster is reached from anywhere.
            fn is_of_this_machine(&self) -> bool {
                false
            }
        })*
    };
}

topology! {
    WithoutNats => |_place, _providers| {}
    WithNats => |place, providers| {
        providers.host::<NatsServerPod>(place);
        register_nats(place, providers);
    }
}

macro_rules! hosts_objects {
    ($($kind:ty),*) => {
        $(impl<N: MayHaveNats> Hosts<$kind> for K8sPlace<N>
        where
            Self: Topology,
        {
            fn provider(&self) -> Arc<dyn Provider<$kind>> {
                self.objects.clone()
            }
        })*
    };
}

hosts_objects!(K8sObject, K8sSecret, K8sHoldingObject, K8sNamespace);

impl<N: MayHaveNats> UsesSecretStore for K8sPlace<N> where Self: Topology {}

impl Hosts<NatsServerPod> for K8sPlace<WithNats> {
    fn provider(&self) -> Arc<dyn Provider<NatsServerPod>> {
        Arc::new(ServerPods::new(self.objects.connection.clone(), self.nats_client()))
    }
}

impl HasNatsClient for K8sPlace<WithNats> {
    fn nats_client(&self) -> Arc<dyn NatsClient> {
        self.nats.0.clone()
    }
}

impl<N: MayHaveNats> Kubernetes for K8sPlace<N>
where
    Self: Topology,
{
    fn default_namespace(&self) -> &str {
        &self.namespace
    }
}
