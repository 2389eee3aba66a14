//! A cluster, looked at: what it hosts.

use std::sync::Arc;

use harmony::capability::Kubernetes;
use harmony::modules::k8s::object::{K8sHoldingObject, K8sNamespace, K8sObject, K8sSecret};
use harmony::modules::nats::assets::{AccountContents, KvBucket, ServerMembership, Stream};
use harmony::modules::nats::client::{MayHaveNats, NatsClient, WithNats, WithoutNats};
use harmony::modules::nats::kubernetes::NatsK8sSettings;
use harmony::modules::nats::proof::{
    CredentialRefused, CredentialWorks, GatewaysReachEveryCluster, KvReachesEverySite, PermissionsHold, ServersAgree,
    SystemAccountHoldsNoData,
};
use harmony::modules::secret::{GeneratedSecret, PasswordHash, SecretEntries};
use harmony::modules::tls::{Authority, Certificate, StoredPki};
use harmony::proof::Prover;
use harmony::provider::Provider;
use harmony::topology::{Hosts, Proves, Providers, Site, Topology};
use harmony_types::PlaceName;

use crate::nats::{NatsServerPod, ServerPods};
use crate::provider::Objects;
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
        providers.host::<GeneratedSecret>(self);
        providers.host::<PasswordHash>(self);
        providers.host::<Authority>(self);
        providers.host::<Certificate>(self);
    }
}

impl K8sPlace<WithNats> {
    fn client(&self) -> Arc<dyn NatsClient> {
        self.nats.0.clone()
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
        providers.host::<KvBucket>(place);
        providers.host::<Stream>(place);
        providers.host::<AccountContents>(place);
        providers.host::<ServerMembership>(place);
    }
}

/// What any cluster hosts.
macro_rules! hosts {
    ($($kind:ty => |$place:ident| $provider:expr;)*) => {
        $(impl<N: MayHaveNats> Hosts<$kind> for K8sPlace<N>
        where
            Self: Topology,
        {
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

/// What a cluster with a client of NATS hosts besides.
macro_rules! hosts_with_nats {
    ($($kind:ty => |$place:ident| $provider:expr;)*) => {
        $(impl Hosts<$kind> for K8sPlace<WithNats> {
            fn provider(&self) -> Arc<dyn Provider<$kind>> {
                let $place = self;
                $provider
            }
        })*
    };
}

hosts_with_nats! {
    NatsServerPod => |place| Arc::new(ServerPods::new(place.objects.connection.clone(), place.client()));
    KvBucket => |place| place.client();
    Stream => |place| place.client();
    AccountContents => |place| place.client();
    ServerMembership => |place| place.client();
}

/// What the client of NATS proves.
macro_rules! proves {
    ($($proof:ty),* $(,)?) => {
        $(impl Proves<$proof> for K8sPlace<WithNats> {
            fn prover(&self) -> Arc<dyn Prover<$proof>> {
                self.client()
            }
        })*
    };
}

proves!(
    ServersAgree,
    GatewaysReachEveryCluster,
    KvReachesEverySite,
    SystemAccountHoldsNoData,
    CredentialWorks,
    CredentialRefused,
    PermissionsHold,
);

impl<N: MayHaveNats> Kubernetes for K8sPlace<N>
where
    Self: Topology,
{
    fn default_namespace(&self) -> &str {
        &self.namespace
    }
}
