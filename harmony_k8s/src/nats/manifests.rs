//! The objects of a server and of its cluster. Pure.

use harmony::modules::nats::kubernetes::NatsK8sSettings;
use harmony::modules::nats::render::{ROUTES_FILE, RenderedConf};
use harmony::value::Text;
use harmony_types::{ByteSize, ClusterName, Digest, ServerName, SystemName};
use serde_json::{Value as Json, json};

use super::settings::{environment, image, quantity, resources, spread, toleration};
use crate::topology::Distribution;

/// Where clients connect.
pub(super) const CLIENT_PORT: u16 = 4222;
/// Where the other servers of a cluster connect.
pub(super) const ROUTE_PORT: u16 = 6222;
/// Where other clusters connect.
pub(super) const GATEWAY_PORT: u16 = 7222;
/// Where a container finds what its Secret holds.
pub(super) const FILES: &str = "/etc/nats";
/// Where a container finds its volume.
pub(super) const STORE: &str = "/data";

/// Annotations of a pod: what it was started with.
pub(super) const TEMPLATE: &str = "harmony/template";
pub(super) const STARTUP: &str = "harmony/startup";
pub(super) const CERTIFICATES: &str = "harmony/certificates";

/// Nobody in particular, and not root. Where a cluster gives each namespace users of its own, it says them itself.
const USER: u32 = 1000;
/// A server writes its state and hands its leaderships over within a second when it is told to stop; a busy disk takes longer.
const GRACE_SECONDS: u32 = 60;

/// A server of which objects are made.
pub(super) struct Server<'a> {
    pub(super) namespace: &'a str,
    pub(super) system: &'a SystemName,
    pub(super) cluster: &'a ClusterName,
    pub(super) name: &'a ServerName,
    pub(super) distribution: Distribution,
    pub(super) settings: &'a NatsK8sSettings,
    /// The size of its volume; `None` if it keeps nothing.
    pub(super) volume: Option<ByteSize>,
}

impl Server<'_> {
    /// What all pods of its system have in common.
    fn system_labels(&self) -> Json {
        json!({ "app.kubernetes.io/name": "nats", "app.kubernetes.io/part-of": self.system })
    }

    /// What all pods of its cluster have in common.
    fn cluster_labels(&self) -> Json {
        let mut labels = self.system_labels();
        labels["app.kubernetes.io/component"] = json!(self.cluster);
        labels
    }

    /// What only its own pod has.
    fn own_labels(&self) -> Json {
        let mut labels = self.cluster_labels();
        labels["app.kubernetes.io/instance"] = json!(self.name);
        labels
    }

    fn object(&self, api_version: &str, kind: &str, name: &str, labels: Json, rest: Json) -> Json {
        let mut object = rest;
        object["apiVersion"] = json!(api_version);
        object["kind"] = json!(kind);
        object["metadata"] = json!({ "name": name, "namespace": self.namespace, "labels": managed(labels) });
        object
    }

    fn own(&self, api_version: &str, kind: &str, name: &str, rest: Json) -> Json {
        self.object(api_version, kind, name, self.own_labels(), rest)
    }

    fn of_cluster(&self, api_version: &str, kind: &str, rest: Json) -> Json {
        self.object(api_version, kind, self.cluster.as_str(), self.cluster_labels(), rest)
    }

    /// Its configuration and certificates; what is in them comes as values.
    pub(super) fn secret(&self) -> Json {
        self.own("v1", "Secret", &self.secret_name(), json!({ "type": "Opaque" }))
    }

    /// The name of [`Self::secret`], which no client's credential has.
    pub(super) fn secret_name(&self) -> String {
        format!("{}-server", self.name)
    }

    /// Its volume.
    pub(super) fn claim(&self) -> Option<Json> {
        let mut spec =
            json!({ "accessModes": ["ReadWriteOnce"], "resources": { "requests": { "storage": quantity(self.volume?) } } });
        if let Some(class) = &self.settings.storage_class {
            spec["storageClassName"] = json!(class);
        }
        Some(self.own("v1", "PersistentVolumeClaim", self.name.as_str(), json!({ "spec": spec })))
    }

    /// Its name in the cluster's DNS, known also before it is ready: servers find each other to become ready.
    pub(super) fn own_service(&self) -> Json {
        let ports = [("client", CLIENT_PORT), ("route", ROUTE_PORT), ("gateway", GATEWAY_PORT)]
            .map(|(name, port)| json!({ "name": name, "port": port, "protocol": "TCP" }));
        let spec =
            json!({ "clusterIP": "None", "publishNotReadyAddresses": true, "selector": self.own_labels(), "ports": ports });
        self.own("v1", "Service", self.name.as_str(), json!({ "spec": spec }))
    }

    /// Where clients find any server of the cluster that is ready.
    pub(super) fn client_service(&self) -> Json {
        let spec =
            json!({ "selector": self.cluster_labels(), "ports": [{ "name": "client", "port": CLIENT_PORT, "protocol": "TCP" }] });
        self.of_cluster("v1", "Service", json!({ "spec": spec }))
    }

    /// Of its cluster, one server at a time may be moved to another node.
    pub(super) fn disruption_budget(&self) -> Json {
        let spec = json!({ "maxUnavailable": 1, "selector": { "matchLabels": self.cluster_labels() } });
        self.of_cluster("policy/v1", "PodDisruptionBudget", json!({ "spec": spec }))
    }

    /// Clients from anywhere, servers from among themselves, and at the ports of `exposed` from anywhere too: those that come from outside
    /// come with the address of a node or of a router. Whoever is no server of the system has no certificate to show.
    pub(super) fn network_policy(&self, exposed: &[u16]) -> Json {
        let tcp = |port: u16| json!({ "port": port, "protocol": "TCP" });
        let open: Vec<_> = [CLIENT_PORT].iter().chain(exposed).map(|port| tcp(*port)).collect();
        let servers = json!({
            "from": [{ "podSelector": { "matchLabels": self.system_labels() } }],
            "ports": [tcp(ROUTE_PORT), tcp(GATEWAY_PORT)],
        });
        let spec = json!({
            "podSelector": { "matchLabels": self.cluster_labels() },
            "policyTypes": ["Ingress"],
            "ingress": [{ "ports": open }, servers],
        });
        self.of_cluster("networking.k8s.io/v1", "NetworkPolicy", json!({ "spec": spec }))
    }

    /// Whom clients of its system trust, for those in `namespace`; the certificates come as a value.
    pub(super) fn ca_bundle(&self, name: &str, namespace: &str) -> Json {
        let metadata = json!({ "name": name, "namespace": namespace, "labels": managed(self.system_labels()) });
        json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata })
    }

    /// What makes its pod, and leaves it to others to replace it. What the pod is started with comes as values.
    pub(super) fn stateful_set(&self) -> Json {
        let metadata =
            json!({ "labels": managed(self.own_labels()), "annotations": { TEMPLATE: self.template_digest().to_string() } });
        let spec = json!({
            "replicas": 1,
            "serviceName": self.name,
            "updateStrategy": { "type": "OnDelete" },
            "selector": { "matchLabels": self.own_labels() },
            "template": { "metadata": metadata, "spec": self.pod() },
        });
        self.own("apps/v1", "StatefulSet", self.name.as_str(), json!({ "spec": spec }))
    }

    /// The digest of what its pod is made from.
    pub(super) fn template_digest(&self) -> Digest {
        Digest::of(self.pod().to_string().as_bytes())
    }

    fn pod(&self) -> Json {
        let mut volumes = vec![json!({ "name": "files", "secret": { "secretName": self.secret_name(), "defaultMode": 0o440 } })];
        if self.volume.is_some() {
            volumes.push(json!({ "name": "store", "persistentVolumeClaim": { "claimName": self.name } }));
        }
        let mut security = json!({ "runAsNonRoot": true, "seccompProfile": { "type": "RuntimeDefault" } });
        if self.distribution != Distribution::Okd {
            for id in ["runAsUser", "runAsGroup", "fsGroup"] {
                security[id] = json!(USER);
            }
            security["fsGroupChangePolicy"] = json!("OnRootMismatch");
        }
        let mut pod = json!({
            "automountServiceAccountToken": false,
            "enableServiceLinks": false,
            "terminationGracePeriodSeconds": GRACE_SECONDS,
            "securityContext": security,
            "topologySpreadConstraints": spread(self.settings, &self.cluster_labels()),
            "containers": [self.container()],
            "volumes": volumes,
        });
        if !self.settings.node_labels.is_empty() {
            pod["nodeSelector"] = json!(self.settings.node_labels);
        }
        if !self.settings.tolerations.is_empty() {
            pod["tolerations"] = self.settings.tolerations.iter().map(toleration).collect();
        }
        pod
    }

    fn container(&self) -> Json {
        let mut mounts = vec![json!({ "name": "files", "mountPath": FILES, "readOnly": true })];
        if self.volume.is_some() {
            mounts.push(json!({ "name": "store", "mountPath": STORE }));
        }
        let ports = [("client", CLIENT_PORT), ("route", ROUTE_PORT), ("gateway", GATEWAY_PORT)]
            .map(|(name, port)| json!({ "name": name, "containerPort": port, "protocol": "TCP" }));
        let mut container = json!({
            "name": "nats",
            "image": image(self.settings),
            // Only arguments: images differ in where they keep the program.
            "args": ["-c", format!("{FILES}/{CONFIG_FILE}")],
            "ports": ports,
            "resources": resources(self.settings),
            "securityContext": {
                "allowPrivilegeEscalation": false,
                "readOnlyRootFilesystem": true,
                "capabilities": { "drop": ["ALL"] },
            },
            // A server listens for clients once its streams are read, and ends when it cannot go on: what opens a connection later learns
            // nothing more, and leaves a line in its log each time. The monitoring port would have to be open for more.
            "startupProbe": { "tcpSocket": { "port": "client" }, "periodSeconds": 1, "failureThreshold": 600 },
            "volumeMounts": mounts,
        });
        if let Some(environment) = environment(self.settings) {
            container["env"] = environment;
        }
        container
    }
}

/// The main file of a server's configuration.
const CONFIG_FILE: &str = "nats.conf";

/// The files of a server by their names.
pub(super) fn files<'a>(
    rendered: &'a RenderedConf,
    certificate: &'a Text,
    key: &'a Text,
    trust: &'a Text,
) -> Vec<(&'static str, &'a Text)> {
    let routes = rendered.routes.iter().map(|routes| (ROUTES_FILE, routes));
    let always = [(CONFIG_FILE, &rendered.main), ("certificate.pem", certificate), ("key.pem", key), ("trust.pem", trust)];
    always.into_iter().chain(routes).collect()
}

pub(super) fn managed(mut labels: Json) -> Json {
    labels["app.kubernetes.io/managed-by"] = json!("harmony");
    labels
}
