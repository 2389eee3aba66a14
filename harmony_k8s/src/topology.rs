//! A cluster as a place.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use harmony::lease::Lease;
use harmony::modules::nats::client::{MayHaveNats, NatsClient, WithNats, WithoutNats};
use harmony::modules::nats::kubernetes::NatsK8sSettings;
use harmony::provider::{Failure, ProviderError};
use harmony::run::Run;
use harmony::topology::{Check, Site, Survey, Topology};
use harmony_types::{ByteSize, PlaceName};
use serde::{Deserialize, Serialize};

use crate::api::Send;
use crate::connection::Connection;
use crate::nats::Exposure;
use crate::objects::Objects;
use crate::place::K8sPlace;
use crate::state::{K8sLeaseStore, K8sLedgerStore, Keeping};
use crate::tunnel::Tunnels;

/// A Kubernetes cluster, wherever it is, not yet looked at. Which one is always said: there is no default that could be the wrong one.
/// `N` says whether it has a client of NATS: without one it cannot run NATS servers.
#[derive(Debug, Clone)]
pub struct K8sAnywhereTopology<N = WithoutNats> {
    name: String,
    way: Way,
    namespace: String,
    distribution: Option<Distribution>,
    manager: Option<String>,
    state: Option<String>,
    servers: NatsK8sSettings,
    nats: N,
}

/// How a cluster is reached.
#[derive(Debug, Clone)]
pub(crate) enum Way {
    /// As a pod in it.
    InCluster,
    /// By a context of a kubeconfig; of `KUBECONFIG` or the user's own if no path is said.
    Kubeconfig { path: Option<PathBuf>, context: String },
}

impl Way {
    pub(crate) fn hint(&self) -> String {
        match self {
            Self::InCluster => "run it in a pod with a service account, or name a context of a kubeconfig".to_owned(),
            Self::Kubeconfig { path: Some(path), .. } => {
                format!("look at it with `kubectl --kubeconfig {} config get-contexts`", path.display())
            }
            Self::Kubeconfig { path: None, .. } => "look at it with `kubectl config get-contexts`".to_owned(),
        }
    }
}

/// What a cluster is made of, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Distribution {
    /// Kubernetes as it comes.
    Vanilla,
    /// k3s.
    K3s,
    /// OKD or OpenShift.
    Okd,
}

/// What looking at a cluster finds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct K8sFacts {
    /// The version that the API server says: `v1.34.4`.
    pub version: String,
    /// What it is made of.
    pub distribution: Distribution,
}

impl K8sAnywhereTopology {
    /// The cluster of a context of the kubeconfig that `KUBECONFIG` names, or of `~/.kube/config`. `name` (an RFC 1123 label) is unique in
    /// the program; objects that say no namespace go into `default`.
    #[must_use]
    pub fn from_context(name: &str, context: &str) -> Self {
        Self::by(name, Way::Kubeconfig { path: None, context: context.to_owned() })
    }

    /// The same of a kubeconfig at `path`.
    #[must_use]
    pub fn from_kubeconfig(name: &str, path: impl Into<PathBuf>, context: &str) -> Self {
        Self::by(name, Way::Kubeconfig { path: Some(path.into()), context: context.to_owned() })
    }

    /// The cluster in which the program runs as a pod, as its service account.
    #[must_use]
    pub fn in_cluster(name: &str) -> Self {
        Self::by(name, Way::InCluster)
    }

    fn by(name: &str, way: Way) -> Self {
        Self {
            name: name.to_owned(),
            way,
            namespace: "default".to_owned(),
            distribution: None,
            manager: None,
            state: None,
            servers: NatsK8sSettings::default(),
            nats: WithoutNats,
        }
    }
}

impl<N> K8sAnywhereTopology<N> {
    /// The same with a client of NATS: it can then run NATS servers, in the namespace of [`Self::with_namespace`].
    #[must_use]
    pub fn with_nats(self, client: impl NatsClient + 'static) -> K8sAnywhereTopology<WithNats> {
        K8sAnywhereTopology {
            name: self.name,
            way: self.way,
            namespace: self.namespace,
            distribution: self.distribution,
            manager: self.manager,
            state: self.state,
            servers: self.servers,
            nats: WithNats(Arc::new(client)),
        }
    }

    /// The same, with NATS servers of this image instead of [`NATS_IMAGE`](crate::nats::NATS_IMAGE). Its entry point has to be nats-server.
    #[must_use]
    pub fn with_nats_image(mut self, image: &str) -> Self {
        self.servers.image = Some(image.to_owned());
        self
    }

    /// The same, with volumes of this size for the streams of each NATS server. It can be made larger later where the storage class can,
    /// and never smaller. Default: a quarter more than `JetstreamScore::with_max_file`, or 10 GiB if that is not said.
    #[must_use]
    pub fn with_nats_storage(mut self, size: ByteSize) -> Self {
        self.servers.storage = Some(size);
        self
    }

    /// The same, with volumes of this storage class for NATS servers. Default: the cluster's default.
    #[must_use]
    pub fn with_nats_storage_class(mut self, class: &str) -> Self {
        self.servers.storage_class = Some(class.to_owned());
        self
    }

    /// The same, with NATS servers that are dialled from outside of the cluster like this. A supercluster needs it of every cluster that is one
    /// of its sites. Default: [`Exposure::Internal`].
    #[must_use]
    pub fn with_nats_exposure(mut self, exposure: Exposure) -> Self {
        self.servers.exposure = Some(exposure);
        self
    }

    /// The same, with objects that say no namespace in this one.
    #[must_use]
    pub fn with_namespace(mut self, namespace: &str) -> Self {
        namespace.clone_into(&mut self.namespace);
        self
    }

    /// The same, as a distribution that is declared instead of detected.
    #[must_use]
    pub fn with_distribution(mut self, distribution: Distribution) -> Self {
        self.distribution = Some(distribution);
        self
    }

    /// The same, applying under another name. Default: `harmony-` and the name of the site program's state directory, so that two programs
    /// are told apart. It must not change while something is applied.
    #[must_use]
    pub fn with_field_owner(mut self, manager: &str) -> Self {
        self.manager = Some(manager.to_owned());
        self
    }

    /// The same, keeping the program's lease and Ledger in this namespace, which has to be there: its runs then find what was made, and exclude each other,
    /// on whatever machine they run, with nothing but the way to this cluster. Secrets are not kept there.
    #[must_use]
    pub fn with_state_in(mut self, namespace: &str) -> Self {
        self.state = Some(namespace.to_owned());
        self
    }

    /// Where the program's state is kept; `None` if that is not here.
    fn keeping(&self, site: &Site) -> Result<Option<Keeping>, ProviderError> {
        let Some(namespace) = &self.state else { return Ok(None) };
        let namespace = namespace.parse().map_err(|error| {
            let failure = Failure::new("the state of the program has no place", error);
            ProviderError::Refused(failure.with_hint("correct the namespace given to `with_state_in`"))
        })?;
        Ok(Some(Keeping::new(self.connection(site), site.io.clone(), namespace, &program(site))))
    }

    /// Whether the program's state may be kept here, if it is to be.
    async fn examine_state(&self, site: &Site) -> Option<Check> {
        const ABOUT: &str = "state in the cluster";
        let keeping = self.keeping(site).ok().flatten()?;
        let missing = keeping.missing_rights(&Run::alone(site.io.clone(), PATIENCE)).await;
        Some(match missing {
            Ok(missing) if missing.is_empty() => Check::good(ABOUT, format!("may be kept in {}", keeping.place())),
            Ok(missing) => {
                let hint = "give the credential that the program uses these rights, or use one that has them";
                Check::wrong(ABOUT, format!("this program may not {}", missing.join("; ")), hint)
            }
            Err(error) => Check::failed(ABOUT, error.to_string(), error.hint().map(str::to_owned)),
        })
    }

    fn connection(&self, site: &Site) -> Connection {
        let program = program(site);
        // At most 128 characters, as the API has it.
        let manager = self.manager.clone().unwrap_or_else(|| format!("{FIELD_MANAGERS}{program}").chars().take(128).collect());
        Connection::new(self.way.clone(), format!("cluster {}", self.name), manager)
    }
}

/// The name of the folder in which a program keeps its state is its own.
fn program(site: &Site) -> String {
    site.state.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// What the names of our field managers begin with.
pub(crate) const FIELD_MANAGERS: &str = "harmony-";

#[async_trait]
impl<N: MayHaveNats> Survey for K8sAnywhereTopology<N>
where
    K8sPlace<N>: Topology,
{
    type Facts = K8sFacts;
    type Surveyed = K8sPlace<N>;

    async fn survey(&self, site: &Site) -> Result<K8sFacts, ProviderError> {
        let run = Run::alone(site.io.clone(), PATIENCE);
        let connection = self.connection(site);
        let api = connection.api(&run).await?;
        let failed = |error: crate::api::ApiError| error.failed(format!("failed to look at {}", api.cluster()));
        let version = api.send(&run, "/version", Send::Get).await.map_err(failed)?;
        let version = version["gitVersion"].as_str().unwrap_or_default().to_owned();
        let distribution = match self.distribution {
            Some(declared) => declared,
            None if version.contains("+k3s") => Distribution::K3s,
            None if connection.discovery.serves_group(&run, api, "config.openshift.io").await.map_err(failed)? => {
                Distribution::Okd
            }
            None => Distribution::Vanilla,
        };
        Ok(K8sFacts { version, distribution })
    }

    /// What is made of it is not decided by its version; a distribution that matters is better declared.
    fn presumed(&self) -> Option<K8sFacts> {
        Some(K8sFacts { version: String::new(), distribution: self.distribution.unwrap_or(Distribution::Vanilla) })
    }

    async fn examine(&self, site: &Site) -> Vec<Check> {
        let about = format!("cluster {}", self.name);
        match self.survey(site).await {
            Ok(facts) => {
                let answers = Check::good(about, format!("answers, Kubernetes {}", facts.version));
                std::iter::once(answers).chain(self.examine_state(site).await).collect()
            }
            Err(error) => vec![Check::failed(about, error.to_string(), error.hint().map(str::to_owned))],
        }
    }

    fn keep_state(&self, site: Site) -> Result<Site, ProviderError> {
        let Some(keeping) = self.keeping(&site)? else { return Ok(site) };
        if let Some(lease) = &site.lease {
            let why = format!("its runs exclude each other by {} already", lease.store().name());
            let failure = Failure::new(format!("the state of the program cannot be kept in {}", keeping.place()), why);
            return Err(ProviderError::Refused(failure.with_hint("say one of the two: a lease elsewhere, or `with_state_in`")));
        }
        let lease = Lease::new(Arc::new(K8sLeaseStore::new(keeping.clone())));
        Ok(site.with_lease(lease).with_ledger(Arc::new(K8sLedgerStore::new(keeping))))
    }

    fn with_facts(self, site: &Site, facts: K8sFacts) -> Result<K8sPlace<N>, ProviderError> {
        let name: PlaceName = self.name.parse().map_err(|error| {
            let failure = Failure::new("the place cannot be used", error);
            ProviderError::Refused(failure.with_hint("correct the name given to `K8sAnywhereTopology`"))
        })?;
        let objects = Arc::new(Objects::new(self.connection(site)));
        let (namespace, servers, nats) = (self.namespace, self.servers, self.nats);
        nats.take_way(Arc::new(Tunnels::new(name.clone(), objects.connection.clone())));
        Ok(K8sPlace { name, site: site.clone(), namespace, facts, servers, nats, objects })
    }
}

/// How long a cluster may take to answer when it is looked at.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(10);
