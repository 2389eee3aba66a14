//! The servers of a system: where each stands, whom it dials, what it is given.

use std::collections::BTreeMap;

use harmony_types::{ClusterName, ServerName};

use super::identity::{Authorities, non_blank, secret_name};
use super::places::Places;
use crate::address::Address;
use crate::capability::{Listener, ListenersWanted, Nats, Placement, ServerArrangement};
use crate::error::ArrangeError;
use crate::modules::nats::access::NatsAccess;
use crate::modules::nats::built::{BuiltServer, UserKey, UserSecret, who};
use crate::modules::nats::spec::{
    AccountBlock, ClientListener, ClusterBlock, ClusterRole, ClusterSpec, GatewayBlock, JetstreamBlock, Monitoring,
    RemoteGateway, Route, SYSTEM_ACCOUNT, ServerLayout, ServerSpec, SystemSpec, TlsFiles, UserRole, UserSpec, check_servers,
};
use crate::modules::secret::{GeneratedSecret, Recipe};
use crate::modules::tls::{Authority, Certificate};
use crate::stage::Stage;
use crate::text;
use crate::value::Text;

/// The user name with which servers of a cluster meet each other, beside their certificates.
const ROUTE_USER: &str = "route";

/// Adds all servers of a system.
pub(super) fn arrange_servers(
    spec: &SystemSpec,
    places: &Places<'_>,
    authorities: &Authorities,
    users: &BTreeMap<UserKey, UserSecret>,
    stage: &mut Stage<'_>,
) -> Result<Vec<BuiltServer>, ArrangeError> {
    let passwords = arrange_cluster_passwords(spec, places.home(), stage)?;
    let placements = arrange_placements(spec, places, stage)?;
    let drawing = Drawing { spec, authorities, users, passwords, placements };
    let specs = drawing.server_specs()?;
    check_servers(&specs.iter().map(|(_, server)| server.clone()).collect::<Vec<_>>(), spec.origin())?;
    let mut servers = Vec::new();
    for (layout, server) in specs {
        let url = drawing.client_url(&layout.member.server)?;
        let process = drawing.arrange_server(layout, server, places, stage)?;
        servers.push(BuiltServer { member: layout.member.clone(), url, process });
    }
    servers.sort_by(|one, other| one.member.cmp(&other.member));
    Ok(servers)
}

/// Each cluster has a password of its own: no client's credential ever makes a route.
fn arrange_cluster_passwords(
    spec: &SystemSpec,
    home: &dyn Nats,
    stage: &mut Stage<'_>,
) -> Result<BTreeMap<ClusterName, Text>, ArrangeError> {
    let mut passwords = BTreeMap::new();
    for cluster in spec.clusters().iter().filter(|cluster| cluster.role != ClusterRole::Single) {
        let name = secret_name(&format!("nats/{}/cluster/{}/routes", spec.name(), cluster.name))?;
        let secret = GeneratedSecret::new(name, Recipe::Password);
        let handle = stage.within("routes", |stage| stage.add(home, cluster.name.as_str(), &secret))?;
        passwords.insert(cluster.name.clone(), handle.get(&GeneratedSecret::VALUE));
    }
    Ok(passwords)
}

fn arrange_placements(
    spec: &SystemSpec,
    places: &Places<'_>,
    stage: &mut Stage<'_>,
) -> Result<BTreeMap<ServerName, Placement>, ArrangeError> {
    let mut placements = BTreeMap::new();
    for cluster in spec.clusters() {
        let wanted = ListenersWanted { cluster: cluster.role != ClusterRole::Single, gateway: spec.is_supercluster() };
        for layout in &cluster.servers {
            let placement = places.arrange_placement(&layout.member, wanted, stage)?;
            placements.insert(layout.member.server.clone(), placement);
        }
    }
    Ok(placements)
}

/// Everything that is known of a system's servers before the first one is drawn.
struct Drawing<'a> {
    spec: &'a SystemSpec,
    authorities: &'a Authorities,
    users: &'a BTreeMap<UserKey, UserSecret>,
    passwords: BTreeMap<ClusterName, Text>,
    placements: BTreeMap<ServerName, Placement>,
}

impl<'a> Drawing<'a> {
    fn server_specs(&self) -> Result<Vec<(&'a ServerLayout, ServerSpec)>, ArrangeError> {
        let mut specs = Vec::new();
        for cluster in self.spec.clusters() {
            for layout in &cluster.servers {
                specs.push((layout, self.server_spec(cluster, layout)?));
            }
        }
        Ok(specs)
    }

    fn server_spec(&self, cluster: &ClusterSpec, layout: &ServerLayout) -> Result<ServerSpec, ArrangeError> {
        let name = &layout.member.server;
        let placement = self.placement(name)?;
        let accounts =
            self.spec.accounts().iter().map(|account| AccountBlock::of(account, |user| Ok(self.secret(user)?.proofs.clone())));
        Ok(ServerSpec {
            name: name.clone(),
            tags: layout.tags.clone(),
            client: self.client_listener(placement),
            cluster: self.cluster_block(cluster, name, placement)?,
            gateway: self.gateway_block(cluster, placement)?,
            jetstream: self.spec.jetstream().map(|settings| JetstreamBlock {
                store_dir: Text::from(placement.paths.store.as_str()),
                settings: settings.clone(),
            }),
            accounts: accounts.collect::<Result<_, ArrangeError>>()?,
            system_account: SYSTEM_ACCOUNT.parse().map_err(|error| refused(&error))?,
            monitoring: placement.monitoring.as_ref().map_or(Monitoring::Closed, |on| Monitoring::Loopback(on.port.clone())),
            log: placement.log,
            log_file: placement.paths.log.as_deref().map(Text::from),
            max_payload: None,
            max_connections: None,
            ping_interval: None,
            lame_duck: None,
        })
    }

    fn client_listener(&self, placement: &Placement) -> ClientListener {
        let client = &placement.client;
        ClientListener {
            listen: client.host.clone(),
            port: client.port.clone(),
            advertise: Some(client.dialled()),
            tls: Some(tls_files(placement)),
        }
    }

    fn cluster_block(
        &self,
        cluster: &ClusterSpec,
        name: &ServerName,
        placement: &Placement,
    ) -> Result<Option<ClusterBlock>, ArrangeError> {
        let (Some(listener), Some(password)) = (&placement.cluster, self.passwords.get(&cluster.name)) else { return Ok(None) };
        let mut routes = Vec::new();
        for member in cluster.routes_of(name) {
            let Some(other) = &self.placement(&member.server)?.cluster else { continue };
            routes.push(Route { host: dialled_host(other), port: other.port.clone() });
        }
        Ok(Some(ClusterBlock {
            name: cluster.name.clone(),
            listen: listener.host.clone(),
            port: listener.port.clone(),
            advertise: Some(listener.dialled()),
            user: ROUTE_USER.to_owned(),
            password: password.clone(),
            routes,
            tls: Some(tls_files(placement)),
        }))
    }

    fn gateway_block(&self, cluster: &ClusterSpec, placement: &Placement) -> Result<Option<GatewayBlock>, ArrangeError> {
        let Some(listener) = &placement.gateway else { return Ok(None) };
        let mut remotes = Vec::new();
        for remote in self.spec.remote_clusters(&cluster.name) {
            let mut urls = Vec::new();
            for layout in &remote.servers {
                let Some(gateway) = &self.placement(&layout.member.server)?.gateway else { continue };
                urls.push(text!["tls://", gateway.dialled()]);
            }
            remotes.push(RemoteGateway { name: remote.name.clone(), urls });
        }
        Ok(Some(GatewayBlock {
            name: cluster.name.clone(),
            listen: listener.host.clone(),
            port: listener.port.clone(),
            advertise: Some(listener.dialled()),
            remotes,
            tls: Some(tls_files(placement)),
        }))
    }

    fn arrange_server(
        &self,
        layout: &ServerLayout,
        server: ServerSpec,
        places: &Places<'_>,
        stage: &mut Stage<'_>,
    ) -> Result<Address, ArrangeError> {
        let certificate = self.arrange_certificate(layout, places.site(&layout.member.site)?, stage)?;
        let arrangement = ServerArrangement {
            system: self.spec.name().clone(),
            member: layout.member.clone(),
            certificate: certificate.get(&Certificate::CERTIFICATE),
            key: certificate.get(&Certificate::KEY),
            trust: self.authorities.trust(),
            operator: self.operator(&layout.member.server)?,
            spec: server,
        };
        places.arrange_server(&arrangement, stage)
    }

    fn arrange_certificate(
        &self,
        layout: &ServerLayout,
        place: &dyn Nats,
        stage: &mut Stage<'_>,
    ) -> Result<crate::resource::Handle<Certificate>, ArrangeError> {
        let name = &layout.member.server;
        let Some(authority) = self.authorities.of(&layout.member.site) else { return Err(refused(&"its site has no authority")) };
        let certificate = Certificate {
            name: secret_name(&format!("nats/{}/server/{name}/certificate", self.spec.name()))?,
            subject: non_blank(name.as_str())?,
            names: self.placement(name)?.names.clone(),
            issuer: authority.get(&Authority::CERTIFICATE),
            issuer_key: authority.get(&Authority::KEY),
            expires_soon: false,
        };
        stage.within(name.as_str(), |stage| stage.add(place, "certificate", &certificate))
    }

    /// A user of the system account, at this very server.
    fn operator(&self, server: &ServerName) -> Result<NatsAccess, ArrangeError> {
        let Some(user) = self.spec.users().find(|user| user.role == UserRole::Operator) else {
            return Err(refused(&"the system account has no operator"));
        };
        Ok(NatsAccess {
            servers: vec![self.client_url(server)?],
            trust: self.authorities.trust(),
            who: who(user),
            credential: self.secret(user)?.credential.clone(),
            inbox_prefix: user.inbox_prefix.clone(),
        })
    }

    fn client_url(&self, server: &ServerName) -> Result<Text, ArrangeError> {
        Ok(text!["tls://", self.placement(server)?.client.dialled()])
    }

    fn placement(&self, server: &ServerName) -> Result<&Placement, ArrangeError> {
        self.placements.get(server).ok_or_else(|| refused(&format!("server {server} has no place")))
    }

    fn secret(&self, user: &UserSpec) -> Result<&UserSecret, ArrangeError> {
        let key = (user.account.clone(), user.name.clone());
        self.users.get(&key).ok_or_else(|| refused(&format!("{} has no secret", who(user))))
    }
}

fn dialled_host(listener: &Listener) -> Text {
    Text::from(listener.advertise.as_ref().unwrap_or(&listener.host).as_str())
}

fn tls_files(placement: &Placement) -> TlsFiles {
    let paths = &placement.paths;
    TlsFiles {
        certificate: Text::from(paths.certificate.as_str()),
        key: Text::from(paths.key.as_str()),
        authority: Text::from(paths.trust.as_str()),
    }
}

/// What a validated system cannot bring about.
fn refused(why: &dyn std::fmt::Display) -> ArrangeError {
    ArrangeError::refused(
        format!("the system cannot be drawn: {why}"),
        Vec::new(),
        "report this: the model should have refused it",
    )
}
