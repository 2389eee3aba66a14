//! How NATS servers stand in a cluster.

use std::collections::BTreeSet;

use harmony::ArrangeError;
use harmony::address::Address;
use harmony::capability::{CredentialFile, ListenersWanted, Nats, NatsJetstream, NatsOnKubernetes, Placement, ServerArrangement};
use harmony::modules::k8s::manifest::{Manifest, ManifestError};
use harmony::modules::k8s::{arrange_object, share_object};
use harmony::modules::nats::access::{Credential, NatsAccess};
use harmony::modules::nats::assets::{self, KvBucket, Stream};
use harmony::modules::nats::client::{JetstreamMode, WithNats};
use harmony::modules::nats::kubernetes::{NatsK8sSettings, Packaging};
use harmony::modules::nats::proof::Member;
use harmony::modules::nats::render::{RenderedConf, conf};
use harmony::stage::Stage;
use harmony::text;
use harmony::value::Text;
use harmony_types::SystemName;
use serde_json::{Value as Json, json};

use super::exposure::exposed_ports;
use super::manifests::{CERTIFICATES, STARTUP, Server, files};
use super::pod::{NatsServerPod, ServerPodIdentity};
use super::settings::volume;
use crate::place::K8sPlace;

/// The pods of one system on a cluster, and all around them.
pub(super) struct Pods<'p> {
    pub(super) place: &'p K8sPlace<WithNats>,
    pub(super) settings: NatsK8sSettings,
    pub(super) namespace: String,
}

impl K8sPlace<WithNats> {
    /// The pods of a system as these settings say, and else as all are here.
    fn pods(&self, settings: &NatsK8sSettings) -> Pods<'_> {
        let settings = settings.clone().or(&self.servers);
        let namespace = settings.namespace.clone().unwrap_or_else(|| self.namespace.clone());
        Pods { place: self, settings, namespace }
    }
}

impl Pods<'_> {
    fn server<'a>(&'a self, arrangement: &'a ServerArrangement) -> Server<'a> {
        let jetstream = arrangement.spec.jetstream.as_ref();
        Server {
            namespace: &self.namespace,
            system: &arrangement.system,
            cluster: &arrangement.member.cluster,
            name: &arrangement.spec.name,
            distribution: self.place.facts.distribution,
            settings: &self.settings,
            volume: jetstream.map(|block| volume(&self.settings, block.settings.max_file)),
        }
    }

    /// Refuses what no server here can be.
    fn ensure_possible(&self, arrangement: &ServerArrangement) -> Result<(), ArrangeError> {
        let unsupported = |what: String, alternative: &str| {
            let (place, alternative) = (self.place.name.to_string(), alternative.to_owned());
            Err(ArrangeError::Unsupported { place, what, alternative })
        };
        match self.settings.packaging.unwrap_or_default() {
            Packaging::Manifests => {}
            other => return unsupported(format!("make servers from {other:?}"), "choose `Packaging::Manifests`"),
        }
        let held = arrangement.spec.jetstream.as_ref().and_then(|block| block.settings.max_file);
        match (held, self.settings.storage) {
            (Some(held), Some(volume)) if held > volume => unsupported(
                format!("hold {held} in the files of server {}, whose volume has {volume}", arrangement.spec.name),
                "make the volumes larger, or let JetStream hold less by `JetstreamScore::with_max_file`",
            ),
            _ => Ok(()),
        }
    }

    /// Adds an object with values that may be known later, and that several servers may say.
    fn arrange(
        &self,
        object: &Json,
        values: &[(String, &Text)],
        sharing: Sharing,
        stage: &mut Stage,
    ) -> Result<Address, ArrangeError> {
        let refused = |error: ManifestError| {
            ArrangeError::refused(error.to_string(), Vec::new(), "report this: what is made of a Score should be an object")
        };
        let mut manifest = Manifest::of(object).map_err(refused)?;
        for (path, value) in values {
            manifest = manifest.with_value(path, value).map_err(refused)?;
        }
        match sharing {
            Sharing::Own => arrange_object(manifest, self.place, stage),
            Sharing::Shared => share_object(manifest, self.place, stage),
        }
    }

    /// A namespace, without which nothing is there.
    fn arrange_namespace(&self, name: &str, stage: &mut Stage) -> Result<Address, ArrangeError> {
        let namespace = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } });
        self.arrange(&namespace, &[], Sharing::Shared, stage)
    }

    /// The namespaces in which clients find what they need.
    fn client_namespaces(&self) -> BTreeSet<&str> {
        self.settings.client_namespaces.iter().chain([&self.namespace]).map(String::as_str).collect()
    }

    /// What a server needs before it can start.
    fn arrange_surroundings(
        &self,
        server: &Server<'_>,
        arrangement: &ServerArrangement,
        rendered: &RenderedConf,
        stage: &mut Stage,
    ) -> Result<Vec<Address>, ArrangeError> {
        let files = files(rendered, &arrangement.certificate, &arrangement.key, &arrangement.trust);
        let files: Vec<_> = files.into_iter().map(|(name, content)| (format!("/stringData/{name}"), content)).collect();
        let mut gates =
            vec![self.arrange_namespace(&self.namespace, stage)?, self.arrange(&server.secret(), &files, Sharing::Own, stage)?];
        if let Some(claim) = server.claim() {
            gates.push(self.arrange(&claim, &[], Sharing::Own, stage)?);
        }
        gates.push(self.arrange(&server.own_service(), &[], Sharing::Own, stage)?);
        let policy = server.network_policy(&exposed_ports(arrangement.wanted));
        for object in [server.client_service(), server.disruption_budget(), policy] {
            gates.push(self.arrange(&object, &[], Sharing::Shared, stage)?);
        }
        self.arrange_ca_bundles(server, &arrangement.trust, stage)?;
        Ok(gates)
    }

    fn arrange_ca_bundles(&self, server: &Server<'_>, trust: &Text, stage: &mut Stage) -> Result<(), ArrangeError> {
        let Some(name) = &self.settings.ca_bundle else { return Ok(()) };
        for namespace in self.client_namespaces() {
            self.arrange_namespace(namespace, stage)?;
            let bundle = server.ca_bundle(name, namespace);
            self.arrange(&bundle, &[("/data/ca.crt".to_owned(), trust)], Sharing::Shared, stage)?;
        }
        Ok(())
    }

    /// The server's StatefulSet, and then its pod as it should be.
    fn arrange_pod(
        &self,
        server: &Server<'_>,
        arrangement: &ServerArrangement,
        rendered: RenderedConf,
        stage: &mut Stage,
    ) -> Result<Address, ArrangeError> {
        let certificates = text![&arrangement.certificate, &arrangement.key, &arrangement.trust].digest();
        let annotation = |name: &str| format!("/spec/template/metadata/annotations/{}", name.replace('/', "~1"));
        let annotations = [(annotation(STARTUP), &rendered.startup), (annotation(CERTIFICATES), &certificates)];
        let set = self.arrange(&server.stateful_set(), &annotations, Sharing::Own, stage)?;
        let spec = &arrangement.spec;
        let pod = NatsServerPod {
            identity: ServerPodIdentity { namespace: self.namespace.clone(), server: spec.name.clone() },
            template: server.template_digest().to_string(),
            startup_digest: rendered.startup,
            certificates_digest: certificates,
            config_digest: rendered.digest,
            jetstream: JetstreamMode::of(spec.jetstream.is_some(), spec.cluster.is_some()),
            readiness: None,
        };
        let added = stage.after(&[set], |stage| stage.add_through(self.place, &arrangement.operator, "pod", &pod))?;
        Ok(added.address().clone())
    }
}

/// Whether several servers say an object.
#[derive(Clone, Copy)]
enum Sharing {
    Own,
    Shared,
}

impl Nats for K8sPlace<WithNats> {
    fn arrange_placement(&self, member: &Member, wanted: ListenersWanted, stage: &mut Stage) -> Result<Placement, ArrangeError> {
        self.pods(&NatsK8sSettings::default()).arrange_placement(member, wanted, stage)
    }

    fn arrange_server(&self, arrangement: &ServerArrangement, stage: &mut Stage) -> Result<Address, ArrangeError> {
        self.pods(&NatsK8sSettings::default()).arrange_server(arrangement, stage)
    }

    fn arrange_credential(&self, credential: &CredentialFile, stage: &mut Stage) -> Result<(), ArrangeError> {
        self.pods(&NatsK8sSettings::default()).arrange_credential(credential, stage)
    }
}

impl NatsOnKubernetes for K8sPlace<WithNats> {
    fn arrange_pod_placement(
        &self,
        settings: &NatsK8sSettings,
        member: &Member,
        wanted: ListenersWanted,
        stage: &mut Stage,
    ) -> Result<Placement, ArrangeError> {
        self.pods(settings).arrange_placement(member, wanted, stage)
    }

    fn arrange_pod(
        &self,
        settings: &NatsK8sSettings,
        arrangement: &ServerArrangement,
        stage: &mut Stage,
    ) -> Result<Address, ArrangeError> {
        self.pods(settings).arrange_server(arrangement, stage)
    }

    fn arrange_client_secrets(
        &self,
        settings: &NatsK8sSettings,
        credential: &CredentialFile,
        stage: &mut Stage,
    ) -> Result<(), ArrangeError> {
        self.pods(settings).arrange_credential(credential, stage)
    }
}

impl Pods<'_> {
    fn arrange_server(&self, arrangement: &ServerArrangement, stage: &mut Stage) -> Result<Address, ArrangeError> {
        self.ensure_possible(arrangement)?;
        let (server, rendered) = (self.server(arrangement), conf(&arrangement.spec));
        stage.within(server.name.as_str(), |stage| {
            let gates = self.arrange_surroundings(&server, arrangement, &rendered, stage)?;
            let turn = format!("servers of {}", arrangement.system);
            let run = |stage: &mut Stage| self.arrange_pod(&server, arrangement, rendered, stage);
            stage.after(&gates, |stage| stage.one_at_a_time(&turn, run))
        })
    }

    /// A Secret in the namespace of the servers, and in each that asks for it, with which a pod connects: `url`, `ca.crt`, `nkey` or `user`
    /// and `password`, `inbox-prefix`.
    fn arrange_credential(&self, credential: &CredentialFile, stage: &mut Stage) -> Result<(), ArrangeError> {
        let CredentialFile { system, account, user, access, .. } = credential;
        let name = secret_name(&format!("{system}-{account}-{user}"));
        let (url, prefix) = (joined(&access.servers), Text::from(access.inbox_prefix.as_str()));
        let mut values = vec![("url", &url), ("ca.crt", &access.trust), ("inbox-prefix", &prefix)];
        match &access.credential {
            Credential::Nkey { seed } => values.push(("nkey", seed)),
            Credential::Password { user, password } => values.extend([("user", user), ("password", password)]),
        }
        let values: Vec<_> = values.into_iter().map(|(key, value)| (format!("/stringData/{key}"), value)).collect();
        for namespace in self.client_namespaces() {
            self.arrange_namespace(namespace, stage)?;
            let secret = client_secret(system, &name, namespace);
            stage.within("credentials", |stage| self.arrange(&secret, &values, Sharing::Own, stage))?;
        }
        stage.next_step(
            format!("Use {system} as {user} of account {account}: give a pod of {} this Secret", self.place.name),
            text!["kubectl --namespace ", self.namespace.as_str(), " describe secret ", name],
        );
        Ok(())
    }
}

/// The Secret of a user; what is in it comes as values.
fn client_secret(system: &SystemName, name: &str, namespace: &str) -> Json {
    let labels = json!({
        "app.kubernetes.io/name": "nats",
        "app.kubernetes.io/part-of": system,
        "app.kubernetes.io/managed-by": "harmony",
    });
    json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "Opaque",
        "metadata": { "name": name, "namespace": namespace, "labels": labels },
    })
}

fn joined(servers: &[Text]) -> Text {
    let mut all = Text::from("");
    for (at, server) in servers.iter().enumerate() {
        all = text![all, if at == 0 { "" } else { "," }, server];
    }
    all
}

/// A name as Kubernetes has it: accounts and users may be written in capitals.
fn secret_name(name: &str) -> String {
    let allowed = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    name.chars().map(allowed).collect::<String>().trim_matches('-').to_owned()
}

impl NatsJetstream for K8sPlace<WithNats> {
    fn arrange_bucket(&self, access: &NatsAccess, bucket: &KvBucket, stage: &mut Stage) -> Result<Address, ArrangeError> {
        assets::arrange_bucket(self, access, bucket, stage)
    }

    fn arrange_stream(&self, access: &NatsAccess, stream: &Stream, stage: &mut Stage) -> Result<Address, ArrangeError> {
        assets::arrange_stream(self, access, stream, stage)
    }
}
