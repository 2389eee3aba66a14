//! The servers of a system: where each stands, whom it dials, what it is given.

use std::collections::BTreeMap;

use harmony_types::{ClusterName, PlaceName, ServerName, SiteName};

use super::identity::{Authorities, non_blank, secret_name};
use super::places::Places;
use crate::address::Address;
use crate::capability::{Endpoint, Listener, ListenersWanted, Nats, Placement, Reach, ServerArrangement};
use crate::error::ArrangeError;
use crate::modules::nats::access::NatsAccess;
use crate::modules::nats::built::{BuiltServer, UserKey, UserSecret, who};
use crate::modules::nats::proof::Member;
use crate::modules::nats::spec::{
    AccountBlock, ClientListener, ClusterBlock, ClusterRole, ClusterSpec, GatewayBlock, JetstreamBlock, Monitoring,
    RemoteGateway, Route, SYSTEM_ACCOUNT, ServerLayout, ServerSpec, SystemSpec, TlsFiles, UserRole, UserSpec, check_servers,
};
use crate::modules::secret::{GeneratedSecret, Recipe};
use crate::modules::tls::{Authority, Certificate, SubjectName};
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
    let stands = places.by_site(spec.sites())?;
    let placements = arrange_placements(spec, places, &stands, stage)?;
    let drawing = Drawing { spec, authorities, users, passwords, stands, placements };
    let specs = drawing.server_specs()?;
    check_servers(&specs.iter().map(|(_, server)| server.clone()).collect::<Vec<_>>(), spec.origin())?;
    let mut servers = Vec::new();
    for (layout, server) in specs {
        let placement = drawing.placement(&layout.member.server)?;
        let process = drawing.arrange_server(layout, server, places, stage)?;
        let place = places.site(&layout.member.site)?.name().clone();
        let (client, reached) = (placement.client.clone(), placement.reached.clone());
        servers.push(BuiltServer { member: layout.member.clone(), place, client, reached, process });
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
    stands: &BTreeMap<SiteName, PlaceName>,
    stage: &mut Stage<'_>,
) -> Result<BTreeMap<ServerName, Placed>, ArrangeError> {
    let mut placements = BTreeMap::new();
    let everywhere = reach(spec.sites().iter().map(|site| stands.get(site)));
    for cluster in spec.clusters() {
        let across = reach(cluster.servers.iter().map(|layout| stands.get(&layout.member.site)));
        let wanted = ListenersWanted {
            client: everywhere,
            cluster: (cluster.role != ClusterRole::Single).then_some(across),
            gateway: spec.is_supercluster().then_some(everywhere),
        };
        for layout in &cluster.servers {
            let placement = places.arrange_placement(&layout.member, wanted, stage)?;
            placements.insert(layout.member.server.clone(), Placed { placement, wanted });
        }
    }
    Ok(placements)
}

/// How far those reach that stand on these places and dial each other.
fn reach<'p>(mut places: impl Iterator<Item = Option<&'p PlaceName>>) -> Reach {
    let first = places.next();
    if places.all(|place| Some(place) == first) { Reach::Within } else { Reach::Beyond }
}

/// Where a server will stand, and what was asked for.
struct Placed {
    placement: Placement,
    wanted: ListenersWanted,
}

/// Everything that is known of a system's servers before the first one is drawn.
struct Drawing<'a> {
    spec: &'a SystemSpec,
    authorities: &'a Authorities,
    users: &'a BTreeMap<UserKey, UserSecret>,
    passwords: BTreeMap<ClusterName, Text>,
    stands: BTreeMap<SiteName, PlaceName>,
    placements: BTreeMap<ServerName, Placed>,
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
            cluster: self.cluster_block(cluster, layout, placement)?,
            gateway: self.gateway_block(cluster, layout, placement)?,
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
            advertise: Some(client.advertised().text()),
            tls: Some(tls_files(placement)),
        }
    }

    fn cluster_block(
        &self,
        cluster: &ClusterSpec,
        layout: &ServerLayout,
        placement: &Placement,
    ) -> Result<Option<ClusterBlock>, ArrangeError> {
        let (Some(listener), Some(password)) = (&placement.cluster, self.passwords.get(&cluster.name)) else { return Ok(None) };
        let mut routes = Vec::new();
        for member in cluster.routes_of(&layout.member.server) {
            let Some(other) = &self.placement(&member.server)?.cluster else { continue };
            let Endpoint { host, port } = self.dialled(&layout.member, member, other)?;
            routes.push(Route { host: text![host], port: port.clone() });
        }
        Ok(Some(ClusterBlock {
            name: cluster.name.clone(),
            listen: listener.host.clone(),
            port: listener.port.clone(),
            advertise: Some(listener.advertised().text()),
            user: ROUTE_USER.to_owned(),
            password: password.clone(),
            routes,
            tls: Some(tls_files(placement)),
        }))
    }

    fn gateway_block(
        &self,
        cluster: &ClusterSpec,
        layout: &ServerLayout,
        placement: &Placement,
    ) -> Result<Option<GatewayBlock>, ArrangeError> {
        let Some(listener) = &placement.gateway else { return Ok(None) };
        let mut remotes = Vec::new();
        for remote in self.spec.remote_clusters(&cluster.name) {
            let mut urls = Vec::new();
            for other in &remote.servers {
                let Some(gateway) = &self.placement(&other.member.server)?.gateway else { continue };
                urls.push(text!["tls://", self.dialled(&layout.member, &other.member, gateway)?.text()]);
            }
            remotes.push(RemoteGateway { name: remote.name.clone(), urls });
        }
        Ok(Some(GatewayBlock {
            name: cluster.name.clone(),
            listen: listener.host.clone(),
            port: listener.port.clone(),
            advertise: Some(listener.advertised().text()),
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
            wanted: self.placed(&layout.member.server)?.wanted,
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
            names: self.certificate_names(layout)?,
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
            servers: vec![self.placement(server)?.reached.clone()],
            trust: self.authorities.trust(),
            who: who(user),
            credential: self.secret(user)?.credential.clone(),
            inbox_prefix: user.inbox_prefix.clone(),
        })
    }

    /// The names that a server's certificate is for: its own, and the DNS names of all servers of its cluster. Whoever dials a cluster by
    /// several addresses expects behind every one that is no name the first name among them (nats-server, `tlsName`).
    fn certificate_names(&self, layout: &ServerLayout) -> Result<Vec<SubjectName>, ArrangeError> {
        let mut names = self.placement(&layout.member.server)?.names.clone();
        let cluster = self.spec.clusters().iter().find(|cluster| cluster.name == layout.member.cluster);
        for other in cluster.iter().flat_map(|cluster| &cluster.servers) {
            let theirs = self.placement(&other.member.server)?.names.iter();
            names.extend(theirs.filter(|name| name.get().map_or(true, |name| name.address().is_none())).cloned());
        }
        names.sort_by(|one, other| one.get().ok().cmp(&other.get().ok()));
        let mut once: Vec<SubjectName> = Vec::new();
        names.into_iter().for_each(|name| {
            if !once.contains(&name) {
                once.push(name);
            }
        });
        Ok(once)
    }

    /// How `from` dials a listener of `to`.
    fn dialled<'l>(&self, from: &Member, to: &Member, listener: &'l Listener) -> Result<&'l Endpoint, ArrangeError> {
        if self.stands.get(&from.site) == self.stands.get(&to.site) {
            return Ok(&listener.near);
        }
        listener.far.as_ref().ok_or_else(|| refused(&format!("nobody reaches server {} from another place", to.server)))
    }

    fn placement(&self, server: &ServerName) -> Result<&Placement, ArrangeError> {
        self.placed(server).map(|placed| &placed.placement)
    }

    fn placed(&self, server: &ServerName) -> Result<&Placed, ArrangeError> {
        self.placements.get(server).ok_or_else(|| refused(&format!("server {server} has no place")))
    }

    fn secret(&self, user: &UserSpec) -> Result<&UserSecret, ArrangeError> {
        let key = (user.account.clone(), user.name.clone());
        self.users.get(&key).ok_or_else(|| refused(&format!("{} has no secret", who(user))))
    }
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
