//! Three sites with a hub: nine servers, filled in as a place does.

use harmony::Origin;
use harmony::modules::nats::score::{
    AccountWish, Authentication, CredentialsScore, Grant, JetstreamScore, KvBucketScore, NatsSuperclusterScore, UserWish,
};
use harmony::modules::nats::spec::{
    AccountBlock, ClientListener, ClusterBlock, ClusterSpec, GatewayBlock, JetstreamBlock, LogLevel, Monitoring, NatsFragment,
    RemoteGateway, Route, ServerLayout, ServerSpec, SystemSpec, TlsFiles, UserProof, UserSpec, assemble, check_servers,
};
use harmony::stage::Contribution;
use harmony::value::{Text, Value};
use harmony_types::{ByteSize, HostName, Port, ServerName, TimeSpan};

/// A password with everything that needs quoting somewhere.
pub(crate) const PASSWORD: &str = "p@ss/w%rd<&>\"\\é $x";
/// The bcrypt hash of some password.
const HASH: &str = "$2a$11$K2Wn6PHAcXwOXKVlMk0EquO/rM3BSdcmpIDq6YOGM1hQ7qSDzvCmu";

pub(crate) fn origin() -> Origin {
    Origin::new("score", "main.rs", 1)
}

pub(crate) fn assembled(fragments: Vec<NatsFragment>) -> SystemSpec {
    assemble("nats", fragments.into_iter().map(|fragment| Contribution { origin: origin(), fragment }).collect()).unwrap()
}

pub(crate) fn three_sites() -> SystemSpec {
    assembled(vec![
        NatsSuperclusterScore::new("nats").with_site("east", 2).with_site("west", 2).with_site("north", 2).into(),
        JetstreamScore::on("nats").with_max_memory(ByteSize::mib(64)).with_max_file(ByteSize::gib(1)).into(),
        CredentialsScore::on("nats")
            .with_account(
                AccountWish::new("HARMONY")
                    .with_user(UserWish::new("agent").with_grant(Grant::kv("HARMONY").read_write()))
                    .with_user(
                        UserWish::new("billing")
                            .with_authentication(Authentication::Password)
                            .with_grant(Grant::kv("HARMONY").below("billing").read_write()),
                    ),
            )
            .into(),
        KvBucketScore::on("nats", "HARMONY", "HARMONY").into(),
    ])
}

/// The servers of `system` on this machine, with their files below `directory` and `password` for their routes.
pub(crate) fn servers(system: &SystemSpec, directory: &str, password: &Text) -> Vec<ServerSpec> {
    let mut servers = Vec::new();
    for cluster in system.clusters() {
        for layout in &cluster.servers {
            servers.push(server(system, cluster, layout, directory, password));
        }
    }
    check_servers(&servers, &origin()).unwrap();
    servers
}

fn server(system: &SystemSpec, cluster: &ClusterSpec, layout: &ServerLayout, directory: &str, password: &Text) -> ServerSpec {
    let name = &layout.member.server;
    let tls = || TlsFiles {
        certificate: Text::from(format!("{directory}/certificate.pem")),
        key: Text::from(format!("{directory}/key.pem")),
        authority: Text::from(format!("{directory}/trust.pem")),
    };
    let routes = cluster.routes_of(name).map(|member| Route { host: loopback(), port: port(system, &member.server, 6000) });
    ServerSpec {
        name: name.clone(),
        tags: layout.tags.clone(),
        client: ClientListener {
            listen: HostName::loopback(),
            port: port(system, name, 4000),
            advertise: Some(at(system, name, "", 4000)),
            tls: Some(tls()),
        },
        cluster: Some(ClusterBlock {
            name: cluster.name.clone(),
            listen: HostName::loopback(),
            port: port(system, name, 6000),
            advertise: Some(at(system, name, "", 6000)),
            user: "cluster".to_owned(),
            password: password.clone(),
            routes: routes.collect(),
            tls: Some(tls()),
        }),
        gateway: Some(gateway(system, cluster, name, tls())),
        jetstream: system
            .jetstream()
            .map(|settings| JetstreamBlock { store_dir: Text::from(format!("{directory}/{name}")), settings: settings.clone() }),
        accounts: system.accounts().iter().map(|account| AccountBlock::of(account, proof).unwrap()).collect(),
        system_account: "SYS".parse().unwrap(),
        monitoring: Monitoring::Loopback(port(system, name, 8000)),
        log: LogLevel::Normal,
        log_file: Some(Text::from(format!("{directory}/{name}.log"))),
        max_payload: Some(ByteSize::mib(2)),
        max_connections: Some(1000),
        ping_interval: Some(TimeSpan::seconds(20)),
        lame_duck: Some(TimeSpan::seconds(30)),
    }
}

fn gateway(system: &SystemSpec, cluster: &ClusterSpec, name: &ServerName, tls: TlsFiles) -> GatewayBlock {
    let remote = |other: &ClusterSpec| RemoteGateway {
        name: other.name.clone(),
        urls: other.servers.iter().map(|layout| at(system, &layout.member.server, "nats://", 7000)).collect(),
    };
    GatewayBlock {
        name: cluster.name.clone(),
        listen: HostName::loopback(),
        port: port(system, name, 7000),
        advertise: Some(at(system, name, "", 7000)),
        remotes: system.remote_clusters(&cluster.name).map(remote).collect(),
        tls: Some(tls),
    }
}

fn port(system: &SystemSpec, server: &ServerName, base: u16) -> Value<Port> {
    let at = system.servers().iter().position(|layout| layout.member.server == *server).unwrap();
    Value::Known(Port::new(base + u16::try_from(at).unwrap()).unwrap())
}

fn at(system: &SystemSpec, server: &ServerName, scheme: &str, base: u16) -> Text {
    harmony::text![scheme, "127.0.0.1:", port(system, server, base)]
}

fn loopback() -> Text {
    Text::from("127.0.0.1")
}

fn proof(user: &UserSpec) -> Result<Vec<UserProof>, std::convert::Infallible> {
    Ok(vec![match user.authentication {
        Authentication::Nkey => UserProof::Nkey(Text::from(public_key(user.name.as_str()))),
        Authentication::Password => UserProof::Password { user: user.name.to_string(), hash: Text::from(HASH) },
    }])
}

/// A public key that is always the same for a name.
fn public_key(name: &str) -> String {
    let mut seed = [7; 32];
    seed.iter_mut().zip(name.bytes()).for_each(|(byte, letter)| *byte = letter);
    nkeys::KeyPair::new_from_raw(nkeys::KeyPairType::User, seed).unwrap().public_key()
}
