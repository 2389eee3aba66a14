//! How servers in a cluster are dialled from outside of it.

use harmony::ArrangeError;
use harmony::capability::{Endpoint, ListenersWanted, Reach};
use harmony::modules::k8s::identity::ObjectIdentity;
use harmony::modules::k8s::object::K8sObject;
use harmony::modules::nats::kubernetes::Exposure;
use harmony::resource::Handle;
use harmony::stage::Stage;
use harmony::value::{Output, Value};
use harmony_types::{HostName, Port, ServerName};
use serde_json::{Value as Json, json};

use super::capability::Pods;
use super::manifests::{CLIENT_PORT, GATEWAY_PORT, ROUTE_PORT, managed};

/// For whom a server listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Client,
    Route,
    Gateway,
}

impl Role {
    fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Route => "route",
            Self::Gateway => "gateway",
        }
    }

    fn number(self) -> u16 {
        match self {
            Self::Client => CLIENT_PORT,
            Self::Route => ROUTE_PORT,
            Self::Gateway => GATEWAY_PORT,
        }
    }

    /// What a Service says of the port of its nodes that leads to it.
    fn node_port(self) -> Output<K8sObject, Port> {
        Output::public(match self {
            Self::Client => "node-port/client",
            Self::Route => "node-port/route",
            Self::Gateway => "node-port/gateway",
        })
    }
}

/// What a Service says of the load balancer that leads to it.
const LOAD_BALANCER: Output<K8sObject, HostName> = Output::public("load-balancer");

/// The port at which a server in a pod listens.
pub(super) fn port(role: Role) -> Result<Port, ArrangeError> {
    Port::new(role.number()).ok_or_else(|| ArrangeError::refused("a port is 0", Vec::new(), "report this"))
}

/// The ports at which servers of other places arrive, who are told from strangers by their certificates.
pub(super) fn exposed_ports(wanted: ListenersWanted) -> Vec<u16> {
    let servers = [(Role::Route, wanted.cluster), (Role::Gateway, wanted.gateway)];
    servers.into_iter().filter(|(_, reach)| *reach == Some(Reach::Beyond)).map(|(role, _)| role.number()).collect()
}

/// A server that is dialled from outside of its cluster.
pub(super) struct Exposed {
    /// The host that is dialled.
    pub(super) host: Value<HostName>,
    ports: Vec<(Role, Value<Port>)>,
}

impl Exposed {
    /// How a listener is dialled, if it is.
    pub(super) fn endpoint(&self, role: Role) -> Option<Endpoint> {
        let (_, port) = self.ports.iter().find(|(exposed, _)| *exposed == role)?;
        Some(Endpoint { host: self.host.clone(), port: port.clone() })
    }
}

impl Pods<'_> {
    /// Adds what it takes to dial a server from outside, if that is wanted or offered.
    pub(super) fn arrange_exposure(
        &self,
        server: &ServerName,
        wanted: ListenersWanted,
        stage: &mut Stage,
    ) -> Result<Option<Exposed>, ArrangeError> {
        let servers = [(Role::Route, wanted.cluster), (Role::Gateway, wanted.gateway)];
        let beyond = servers.into_iter().filter(|(_, reach)| *reach == Some(Reach::Beyond)).map(|(role, _)| role);
        let roles: Vec<Role> = [Role::Client].into_iter().chain(beyond).collect();
        let listened = |service: &Handle<K8sObject>| roles.iter().map(|role| (*role, service.get(&role.node_port()))).collect();
        match self.settings.exposure.as_ref().unwrap_or(&Exposure::Internal) {
            Exposure::Internal if wanted.client == Reach::Within && roles.len() == 1 => Ok(None),
            Exposure::Internal => Err(ArrangeError::Unsupported {
                place: self.place.name.to_string(),
                what: format!("have server {server} dialled by sites on other places"),
                alternative: "say how its servers are dialled from outside of the cluster, with `.with_nats_exposure(…)`"
                    .to_owned(),
            }),
            Exposure::NodePort { host } => {
                let service = self.arrange_service(server, "NodePort", &roles, stage)?;
                Ok(Some(Exposed { host: Value::Known(host.clone()), ports: listened(&service) }))
            }
            Exposure::LoadBalancer { domain } => {
                let service = self.arrange_service(server, "LoadBalancer", &roles, stage)?;
                let host = match domain {
                    Some(domain) => Value::Known(self.host(&format!("{server}.{domain}"))?),
                    None => service.get(&LOAD_BALANCER),
                };
                let known = |role: &Role| Ok((*role, Value::Known(port(*role)?)));
                Ok(Some(Exposed { host, ports: roles.iter().map(known).collect::<Result<_, ArrangeError>>()? }))
            }
            other => Err(ArrangeError::Unsupported {
                place: self.place.name.to_string(),
                what: format!("expose servers by {other:?}"),
                alternative: "choose `Exposure::NodePort` or `Exposure::LoadBalancer`".to_owned(),
            }),
        }
    }

    /// Leads to a server also while it is not ready: servers find each other to become ready.
    fn arrange_service(
        &self,
        server: &ServerName,
        kind: &str,
        roles: &[Role],
        stage: &mut Stage,
    ) -> Result<Handle<K8sObject>, ArrangeError> {
        let ports: Vec<Json> =
            roles.iter().map(|role| json!({ "name": role.name(), "port": role.number(), "protocol": "TCP" })).collect();
        let labels = json!({ "app.kubernetes.io/name": "nats", "app.kubernetes.io/instance": server });
        let fields = json!({
            "metadata": { "labels": managed(labels) },
            "spec": {
                "type": kind,
                "publishNotReadyAddresses": true,
                "selector": { "statefulset.kubernetes.io/pod-name": format!("{server}-0") },
                "ports": ports,
            },
        });
        let name = format!("{server}-exposed");
        let address = format!("{}/service/{name}", self.namespace);
        let identity =
            ObjectIdentity { group: String::new(), kind: "Service".to_owned(), namespace: Some(self.namespace.clone()), name };
        let fields = fields.as_object().cloned().unwrap_or_default();
        let service = K8sObject::new(identity, "v1").with_fields(fields);
        stage.within(server.as_str(), |stage| stage.add(self.place, &address, &service))
    }
}
