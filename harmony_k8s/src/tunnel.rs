//! Tunnels to pods, through the API server: the way to what is not exposed outside of the cluster.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use harmony::modules::nats::client::{Lead, WayToServers};
use harmony::provider::ProviderError;
use harmony::run::Run;
use harmony_io::{Door, Io};
use harmony_types::PlaceName;
use k8s_openapi::api::core::v1::Pod;
use tokio::io::{AsyncRead, AsyncWrite, copy_bidirectional};
use tokio::task::JoinHandle;

use crate::api::{ApiError, Send as Ask};
use crate::connection::Connection;

/// Tunnels to the pods of one cluster. One is opened when it is first asked for, and stays until the program ends: what does not go through
/// it costs nothing.
pub struct Tunnels {
    place: PlaceName,
    connection: Connection,
    open: Mutex<HashMap<Target, Tunnel>>,
}

/// What a tunnel leads to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Target {
    namespace: String,
    pod: String,
    port: u16,
}

struct Tunnel {
    address: SocketAddr,
    serving: JoinHandle<()>,
}

impl Drop for Tunnel {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Tunnels {
    pub(crate) fn new(place: PlaceName, connection: Connection) -> Self {
        Self { place, connection, open: Mutex::default() }
    }

    fn address_of(&self, target: Target, io: &Io, pods: kube::Api<Pod>) -> Result<SocketAddr, ProviderError> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        // It ends with the runtime that serves it, and a program may have several.
        if let Some(tunnel) = open.get(&target).filter(|tunnel| !tunnel.serving.is_finished()) {
            return Ok(tunnel.address);
        }
        let door = io.open_door()?;
        let address = door.address();
        let serving = tokio::spawn(serve(door, io.clone(), pods, target.clone()));
        open.insert(target, Tunnel { address, serving });
        Ok(address)
    }
}

#[async_trait]
impl WayToServers for Tunnels {
    fn place(&self) -> &PlaceName {
        &self.place
    }

    async fn lead_to(&self, run: &Run, host: &str, port: u16) -> Result<Lead, ProviderError> {
        let Some((pod, namespace)) = pod_of(host) else { return Ok(Lead::Elsewhere) };
        if self.connection.is_from_inside() {
            return Ok(Lead::Elsewhere);
        }
        let api = self.connection.api(run).await?;
        let path = format!("/api/v1/namespaces/{namespace}/pods/{pod}");
        let phase = match api.send(run, &path, Ask::Get).await {
            Ok(found) => found["status"]["phase"].as_str().unwrap_or("Unknown").to_owned(),
            Err(error) if error.is_absent() => {
                return Ok(Lead::Nowhere(format!("{} has no pod {pod} in namespace {namespace}", api.cluster())));
            }
            Err(error) => return Err(error.failed(format!("failed to look for pod {namespace}/{pod}"))),
        };
        if phase != "Running" {
            return Ok(Lead::Nowhere(format!("pod {namespace}/{pod} of {} is {phase}", api.cluster())));
        }
        let target = Target { namespace: namespace.to_owned(), pod: pod.to_owned(), port };
        Ok(Lead::To(self.address_of(target, run.io(), api.pods(namespace))?))
    }
}

/// The pod and the namespace of a name that the cluster's DNS gives to a pod of a headless Service: `pod.service.namespace.svc`, with or
/// without the cluster's domain.
fn pod_of(host: &str) -> Option<(&str, &str)> {
    let mut labels = host.split('.');
    let (pod, _service, namespace) = (labels.next()?, labels.next()?, labels.next()?);
    (labels.next() == Some("svc")).then_some((pod, namespace))
}

async fn serve(door: Door, io: Io, pods: kube::Api<Pod>, target: Target) {
    while let Ok(near) = door.next().await {
        let (io, pods, target) = (io.clone(), pods.clone(), target.clone());
        tokio::spawn(async move {
            if let Err(error) = forward(near, &io, &pods, &target).await {
                log::debug!("the tunnel to {}/{}:{} is closed: {error}", target.namespace, target.pod, target.port);
            }
        });
    }
}

/// Joins `near` with the pod until either side closes.
async fn forward(
    mut near: impl AsyncRead + AsyncWrite + Unpin,
    io: &Io,
    pods: &kube::Api<Pod>,
    Target { namespace, pod, port }: &Target,
) -> Result<(), ApiError> {
    let lost = |error: &dyn std::error::Error| ApiError::Lost { words: harmony::explain::chain(error) };
    let what = format!("tunnel to {namespace}/{pod}:{port}");
    let open = async { pods.portforward(pod, &[*port]).await.map_err(|error| lost(&error)) };
    let mut tunnel = io.request(&what, open).await?;
    let Some(mut far) = tunnel.take_stream(*port) else { return Ok(()) };
    let joined = copy_bidirectional(&mut near, &mut far).await;
    drop(far);
    tunnel.abort();
    joined.map(|_| ()).map_err(|error| lost(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_is_told_by_the_name_that_the_clusters_dns_gives_it() {
        assert_eq!(pod_of("nats-1-0.nats.messaging.svc"), Some(("nats-1-0", "messaging")));
        assert_eq!(pod_of("nats-1-0.nats.messaging.svc.cluster.local"), Some(("nats-1-0", "messaging")));
        assert_eq!(pod_of("nats.messaging.svc"), None);
        assert_eq!(pod_of("127.0.0.1"), None);
        assert_eq!(pod_of("nats.example.org"), None);
    }
}
