//! Waits for servers in pods, has them read their configuration again, and replaces their pods one at a time.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use harmony::modules::nats::access::NatsAccess;
use harmony::modules::nats::client::{JetstreamMode, NatsClient, ServerState};
use harmony::modules::nats::gate::wait_until_settled;
use harmony::provider::{Known, Live, Observation, Provider, ProviderError};
use harmony::run::{Looked, Run};
use harmony::value::Text;
use serde_json::{Value as Json, json};

use super::manifests::{CERTIFICATES, STARTUP, TEMPLATE};
use super::pod::{NatsServerPod, NoOutputs, ServerPodIdentity};
use crate::api::{Api, ApiError, Send};
use crate::connection::Connection;
use crate::explain::on_its_node;
use crate::ready::{Readiness, readiness};
use crate::wait::Lasting;

/// How long the kubelet may take to show a pod its new Secret once the pod itself has changed: it then looks at once, and at the latest when
/// its cache is a minute old.
const SHOWN_WITHIN: Duration = Duration::from_secs(75);
/// The annotation by which a pod is changed, so that its kubelet looks after it.
const RELOADED: &str = "harmony/reloaded";

/// The provider of servers in pods.
pub(crate) struct ServerPods {
    connection: Connection,
    client: Arc<dyn NatsClient>,
}

impl ServerPods {
    pub(crate) fn new(connection: Connection, client: Arc<dyn NatsClient>) -> Self {
        Self { connection, client }
    }

    async fn look(
        &self,
        run: &Run,
        at: &NatsAccess,
        identity: &ServerPodIdentity,
    ) -> Result<Observation<NatsServerPod>, ProviderError> {
        let api = self.connection.api(run).await?;
        // One that leaves is as good as gone: its StatefulSet makes the next.
        let Some(pod) = find(run, api, &pod_path(identity)).await?.filter(|pod| !is_leaving(pod)) else {
            return Ok(Observation::Absent);
        };
        let why = match readiness(&pod) {
            Readiness::Ready => None,
            Readiness::NotYet(reason) | Readiness::Failed(reason) => Some(on_its_node(run, api, &pod, reason).await),
        };
        let (digest, server) = match &why {
            Some(_) => (NOT_KNOWN.to_owned(), None),
            None => match self.client.look_at_server(run, at).await {
                Ok(server) => (server.config_digest.clone(), Some(server)),
                Err(error @ ProviderError::NotPermitted(_)) => (error.to_string(), None),
                Err(error) => return Ok(Observation::Unreachable(on_its_node(run, api, &pod, error.to_string()).await)),
            },
        };
        let state = NatsServerPod {
            identity: identity.clone(),
            template: annotation(&pod, TEMPLATE),
            startup_digest: Text::from(annotation(&pod, STARTUP)),
            certificates_digest: Text::from(annotation(&pod, CERTIFICATES)),
            config_digest: Text::from(digest),
            jetstream: server.as_ref().map_or(JetstreamMode::Off, ServerState::mode),
            readiness: why,
        };
        let holds = server.as_ref().and_then(ServerState::holds);
        Ok(Observation::There(Box::new(Live { state, outputs: NoOutputs {}, holds })))
    }

    async fn change(
        &self,
        run: &Run,
        at: &NatsAccess,
        desired: &NatsServerPod,
        live: &NatsServerPod,
        pod: &Json,
    ) -> Result<(), ProviderError> {
        let is_of_another_start = live.template != desired.template
            || live.startup_digest != desired.startup_digest
            || live.certificates_digest != desired.certificates_digest;
        if live.readiness.is_some() {
            return match is_of_another_start {
                true => self.replace_pod(run, at, desired, pod).await,
                false => self.wait_until_it_serves(run, at, desired, None).await,
            };
        }
        let before = match self.client.look_at_server(run, at).await {
            Ok(before) => before,
            // Nobody can ask it to reload. And where all servers stopped trusting their operator, they do not trust each other either
            // until the last one has been changed: to wait for that here would be to wait forever.
            Err(ProviderError::NotPermitted(_)) => return self.replace_pod(run, at, desired, pod).await,
            Err(error) => return Err(error),
        };
        if !is_of_another_start && self.reload(run, at, desired, pod).await? {
            return Ok(());
        }
        if before.unsettled().is_none() {
            self.wait_until_others_have_settled(run, at, &desired.identity).await?;
        }
        self.replace_pod(run, at, desired, pod).await?;
        wait_until_settled(&*self.client, run, at, &desired.identity, Some(&before)).await
    }

    /// Has the server read its files again until it uses what it should; whether it does. Only the server can say that its pod has the new
    /// files: the API says what a Secret holds, not what a container sees of it.
    async fn reload(&self, run: &Run, at: &NatsAccess, desired: &NatsServerPod, pod: &Json) -> Result<bool, ProviderError> {
        run.progress("reloading");
        self.wake_kubelet(run, desired, pod).await?;
        let digest = desired.config_digest.get()?;
        let what = format!("{} to use its new configuration", desired.identity);
        let patient = run.within(SHOWN_WITHIN);
        let waited = patient.wait_for(&what, || async {
            match self.client.reload_server(run, at).await {
                Err(error @ (ProviderError::Refused(_) | ProviderError::NotPermitted(_))) => {
                    run.progress(format!("the server refuses to reload: {error}"));
                    return Ok(Looked::Found(false));
                }
                reloaded => reloaded?,
            }
            let uses = self.client.look_at_server(run, at).await?.config_digest;
            Ok(if uses == *digest {
                Looked::Found(true)
            } else {
                Looked::NotYet("its pod does not see the new files yet".to_owned())
            })
        });
        match waited.await {
            Err(ProviderError::Unreachable(_)) => Ok(false),
            waited => waited,
        }
    }

    /// A kubelet looks after the volumes of a pod that has changed at once, and after others within a minute or two.
    async fn wake_kubelet(&self, run: &Run, desired: &NatsServerPod, pod: &Json) -> Result<(), ProviderError> {
        let api = self.connection.api(run).await?;
        let identity = &desired.identity;
        let metadata = json!({
            "name": identity.pod(),
            "namespace": identity.namespace,
            "uid": pod.pointer("/metadata/uid"),
            "annotations": { RELOADED: desired.config_digest.get()? },
        });
        let object = json!({ "apiVersion": "v1", "kind": "Pod", "metadata": metadata });
        let send = Send::Apply { object: &object, force: true, dry_run: false };
        let failed = |error: ApiError| error.failed(format!("failed to mark the pod of {identity} in {}", api.cluster()));
        api.send(run, &pod_path(identity), send).await.map(|_| ()).map_err(failed)
    }

    async fn replace_pod(&self, run: &Run, at: &NatsAccess, desired: &NatsServerPod, pod: &Json) -> Result<(), ProviderError> {
        run.progress("restarting");
        let api = self.connection.api(run).await?;
        delete(run, api, &pod_path(&desired.identity), pod, "Background").await?;
        let uid = pod.pointer("/metadata/uid").and_then(Json::as_str);
        self.wait_until_it_serves(&run.finishing(), at, desired, uid).await
    }

    /// Waits until a pod other than `old` is ready, and its server answers and uses what it should.
    async fn wait_until_it_serves(
        &self,
        run: &Run,
        at: &NatsAccess,
        desired: &NatsServerPod,
        old: Option<&str>,
    ) -> Result<(), ProviderError> {
        let (api, identity, digest) = (self.connection.api(run).await?, &desired.identity, desired.config_digest.get()?);
        let (lasting, what) = (Lasting::default(), format!("pod of {identity}"));
        run.wait_for(&format!("{identity} to serve"), || async {
            let pod = find(run, api, &pod_path(identity)).await?;
            let pod = pod.filter(|pod| old.is_none() || pod.pointer("/metadata/uid").and_then(Json::as_str) != old);
            let (reason, is_final) = match pod.as_ref().map(readiness) {
                None => ("its StatefulSet has not made the pod yet".to_owned(), false),
                Some(Readiness::NotYet(reason)) => (reason, false),
                Some(Readiness::Failed(reason)) => (reason, true),
                Some(Readiness::Ready) => {
                    let uses = self.client.look_at_server(run, at).await?.config_digest;
                    if uses == *digest {
                        return Ok(Looked::Found(()));
                    }
                    // The Secret may have come after the pod.
                    self.client.reload_server(run, at).await?;
                    return Ok(Looked::NotYet("it uses another configuration".to_owned()));
                }
            };
            let subject = match pod {
                Some(pod) => Some(pod),
                None => find(run, api, &set_path(identity)).await?,
            };
            let Some(subject) = subject else { return Ok(Looked::NotYet("its StatefulSet is not there".to_owned())) };
            lasting.why(run, api, &subject, &what, (&reason, is_final)).await.map(Looked::NotYet)
        })
        .await
    }

    /// Before one that is well is taken away the others have to be: a run that was killed, or a node that was lost, may have left one of them
    /// without what only this one and another one have.
    async fn wait_until_others_have_settled(
        &self,
        run: &Run,
        at: &NatsAccess,
        identity: &ServerPodIdentity,
    ) -> Result<(), ProviderError> {
        let look = || async {
            let behind = self.client.find_unsettled_neighbour(run, at).await?;
            Ok(behind.map_or(Looked::Found(()), Looked::NotYet))
        };
        run.wait_for(&format!("the other servers, before {identity} is restarted"), look).await
    }
}

/// In place of a digest that nobody can say.
const NOT_KNOWN: &str = "(not known: the pod is not ready)";

fn pod_path(identity: &ServerPodIdentity) -> String {
    format!("/api/v1/namespaces/{}/pods/{}", identity.namespace, identity.pod())
}

fn set_path(identity: &ServerPodIdentity) -> String {
    format!("/apis/apps/v1/namespaces/{}/statefulsets/{}", identity.namespace, identity.server)
}

async fn find(run: &Run, api: &Api, path: &str) -> Result<Option<Json>, ProviderError> {
    match api.send(run, path, Send::Get).await {
        Ok(object) => Ok(Some(object)),
        Err(error) if error.is_absent() => Ok(None),
        Err(error) => Err(error.failed(format!("failed to look at {path} in {}", api.cluster()))),
    }
}

/// Deletes what was seen, and nothing that was made anew under its name meanwhile.
async fn delete(run: &Run, api: &Api, path: &str, object: &Json, propagation: &str) -> Result<(), ProviderError> {
    let options = json!({ "preconditions": { "uid": object.pointer("/metadata/uid") }, "propagationPolicy": propagation });
    match api.send(run, path, Send::Delete(&options)).await {
        Err(error) if !error.is_absent() => Err(error.failed(format!("failed to delete {path} in {}", api.cluster()))),
        _ => Ok(()),
    }
}

fn is_leaving(object: &Json) -> bool {
    object.pointer("/metadata/deletionTimestamp").is_some()
}

fn annotation(pod: &Json, name: &str) -> String {
    let annotations = pod.pointer("/metadata/annotations");
    annotations.and_then(|all| all[name].as_str()).unwrap_or("(not said)").to_owned()
}

#[async_trait]
impl Provider<NatsServerPod> for ServerPods {
    async fn observe(
        &self,
        run: &Run,
        at: &NatsAccess,
        wanted: &[Known<NatsServerPod>],
    ) -> Result<Vec<Observation<NatsServerPod>>, ProviderError> {
        let mut found = Vec::with_capacity(wanted.len());
        for known in wanted {
            found.push(self.look(run, at, &known.identity).await?);
        }
        Ok(found)
    }

    async fn apply(
        &self,
        run: &Run,
        at: &NatsAccess,
        desired: &NatsServerPod,
        live: Option<&Live<NatsServerPod>>,
    ) -> Result<NoOutputs, ProviderError> {
        let api = self.connection.api(run).await?;
        let pod = find(run, api, &pod_path(&desired.identity)).await?;
        match (live, pod.filter(|pod| !is_leaving(pod))) {
            (Some(live), Some(pod)) => self.change(run, at, desired, &live.state, &pod).await?,
            _ => self.wait_until_it_serves(run, at, desired, None).await?,
        }
        Ok(NoOutputs {})
    }

    /// As long as its StatefulSet is there a pod comes back: both go.
    async fn delete(&self, run: &Run, _: &NatsAccess, identity: &ServerPodIdentity) -> Result<(), ProviderError> {
        let api = self.connection.api(run).await?;
        for path in [set_path(identity), pod_path(identity)] {
            let Some(object) = find(run, api, &path).await? else { continue };
            if !is_leaving(&object) {
                delete(run, api, &path, &object, "Foreground").await?;
            }
            run.wait_for(&format!("{identity} to be gone"), || async {
                let left = find(run, api, &path).await?.is_some();
                Ok(if left { Looked::NotYet("it is being deleted".to_owned()) } else { Looked::Found(()) })
            })
            .await?;
        }
        Ok(())
    }
}
