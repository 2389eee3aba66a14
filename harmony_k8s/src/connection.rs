//! The way to one cluster: made when it is first needed.

use std::sync::Arc;

use harmony::explain::chain;
use harmony::provider::{Failure, ProviderError};
use harmony::run::Run;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use tokio::sync::OnceCell;

use crate::api::Api;
use crate::discovery::Discovery;
use crate::topology::Way;

/// The way to one cluster. Clones share it.
#[derive(Clone)]
pub(crate) struct Connection {
    way: Way,
    cluster: String,
    manager: String,
    api: Arc<OnceCell<Api>>,
    pub(crate) discovery: Arc<Discovery>,
}

impl Connection {
    pub(crate) fn new(way: Way, cluster: String, manager: String) -> Self {
        Self { way, cluster, manager, api: Arc::default(), discovery: Arc::default() }
    }

    /// Whether the program is a pod of the cluster itself.
    pub(crate) fn is_from_inside(&self) -> bool {
        matches!(self.way, Way::InCluster)
    }

    /// What people call the cluster.
    pub(crate) fn cluster(&self) -> &str {
        &self.cluster
    }

    /// The API.
    ///
    /// # Errors
    /// [`ProviderError::Refused`] if the way to it cannot be read.
    pub(crate) async fn api(&self, _run: &Run) -> Result<&Api, ProviderError> {
        let made = self.api.get_or_try_init(|| async {
            // Two libraries may each bring a default; the one that is there already is as good.
            let _ = rustls::crypto::ring::default_provider().install_default();
            let failed = |why: String| {
                let failure = Failure::new(format!("failed to read the way to {}", self.cluster), why);
                ProviderError::Refused(failure.with_hint(self.way.hint()))
            };
            let mut config = self.config().await.map_err(failed)?;
            // What is tried again, and when, the engine decides.
            config.default_retry = false;
            let client = Client::try_from(config).map_err(|error| failed(chain(&error)))?;
            Ok(Api::new(client, self.cluster.clone(), self.manager.clone()))
        });
        made.await
    }

    async fn config(&self) -> Result<Config, String> {
        match &self.way {
            Way::InCluster => Config::incluster().map_err(|error| chain(&error)),
            Way::Kubeconfig { path, context } => {
                let kubeconfig = match path {
                    Some(path) => Kubeconfig::read_from(path),
                    None => Kubeconfig::read(),
                };
                let kubeconfig = kubeconfig.map_err(|error| chain(&error))?;
                let known: Vec<&str> = kubeconfig.contexts.iter().map(|context| context.name.as_str()).collect();
                if !known.contains(&context.as_str()) {
                    return Err(format!("it has no context `{context}`; it has {}", known.join(", ")));
                }
                let options = KubeConfigOptions { context: Some(context.clone()), ..KubeConfigOptions::default() };
                Config::from_custom_kubeconfig(kubeconfig, &options).await.map_err(|error| chain(&error))
            }
        }
    }
}
