//! Where a server stands in a cluster, and how it is dialled.

use harmony::ArrangeError;
use harmony::capability::{Endpoint, Listener, ListenersWanted, Placement, Reach, ServerPaths};
use harmony::modules::nats::proof::Member;
use harmony::modules::nats::spec::LogLevel;
use harmony::stage::Stage;
use harmony::text;
use harmony::value::Value;
use harmony_types::{HostName, ServerName};

use super::capability::Pods;
use super::exposure::{Role, port};
use super::manifests::{FILES, STORE};

/// A StatefulSet's pods carry its name and a hash in one label of at most 63 characters.
const LONGEST_NAME: usize = 52;

impl Pods<'_> {
    /// Servers dial each other by the names of their pods, clients in the cluster also by the cluster's Service, those outside as the servers
    /// are exposed, and the program itself comes through the API server to a loopback address.
    pub(super) fn arrange_placement(
        &self,
        member: &Member,
        wanted: ListenersWanted,
        stage: &mut Stage,
    ) -> Result<Placement, ArrangeError> {
        self.ensure_is_name("a server called", member.server.as_str())?;
        self.ensure_is_name("a cluster called", member.cluster.as_str())?;
        let exposed = self.arrange_exposure(&member.server, wanted, stage)?;
        let (everywhere, own) = (self.host("0.0.0.0")?, self.host(&dns_name(&member.server, &self.namespace))?);
        let listener = |role: Role| -> Result<Listener, ArrangeError> {
            let port = Value::Known(port(role)?);
            let near = Endpoint { host: Value::Known(own.clone()), port: port.clone() };
            let far = exposed.as_ref().and_then(|exposed| exposed.endpoint(role));
            Ok(Listener { host: everywhere.clone(), port, near, far })
        };
        let optional = |reach: Option<Reach>, role| reach.map(|_| listener(role)).transpose();
        let client = listener(Role::Client)?;
        let reached = text!["tls://", client.near.text(), "#", self.place.name.as_str()];
        let mut names = self.names(member, &own)?;
        names.extend(exposed.as_ref().map(|exposed| exposed.host.clone()));
        let inside = |name: &str| format!("{FILES}/{name}");
        Ok(Placement {
            client,
            cluster: optional(wanted.cluster, Role::Route)?,
            gateway: optional(wanted.gateway, Role::Gateway)?,
            monitoring: None,
            reached,
            log: LogLevel::Normal,
            names,
            paths: ServerPaths {
                certificate: inside("certificate.pem"),
                key: inside("key.pem"),
                trust: inside("trust.pem"),
                store: STORE.to_owned(),
                log: None,
            },
        })
    }

    /// By which names a server is known in the cluster, and to the program.
    fn names(&self, member: &Member, own: &HostName) -> Result<Vec<Value<HostName>>, ArrangeError> {
        let (cluster, namespace) = (&member.cluster, &self.namespace);
        let service = ["", &format!(".{namespace}"), &format!(".{namespace}.svc")].map(|rest| format!("{cluster}{rest}"));
        let mut names = vec![Value::Known(own.clone()), Value::Known(HostName::loopback())];
        for name in service.iter().chain(&self.settings.certificate_names) {
            names.push(Value::Known(self.host(name)?));
        }
        Ok(names)
    }

    fn ensure_is_name(&self, what: &str, name: &str) -> Result<(), ArrangeError> {
        if name.len() <= LONGEST_NAME && name.starts_with(|first: char| first.is_ascii_lowercase()) {
            return Ok(());
        }
        Err(ArrangeError::Unsupported {
            place: self.place.name.to_string(),
            what: format!("run {what} `{name}`: it becomes the name of Services and of a StatefulSet"),
            alternative: format!("choose one of at most {LONGEST_NAME} characters that begins with a letter"),
        })
    }

    pub(super) fn host(&self, name: &str) -> Result<HostName, ArrangeError> {
        name.parse().map_err(|error: harmony_types::NameError| ArrangeError::Unsupported {
            place: self.place.name.to_string(),
            what: error.to_string(),
            alternative: "choose another namespace".to_owned(),
        })
    }
}

/// A server's name in the cluster's DNS: its pod's, in its own Service.
fn dns_name(server: &ServerName, namespace: &str) -> String {
    format!("{server}-0.{server}.{namespace}.svc")
}
