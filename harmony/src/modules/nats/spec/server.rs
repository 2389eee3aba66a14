//! One server's configuration, before it is written in any format.

use harmony_types::{AccountName, ByteSize, ClusterName, HostName, Port, ServerName, TimeSpan, UserName};

use super::jetstream::JetstreamSettings;
use super::system::{AccountLimits, AccountSpec};
use crate::modules::nats::permission::Permissions;
use crate::value::{Text, Value};

/// One server. A place fills it in from a [`SystemSpec`](super::SystemSpec) with its own ports, files and keys, has
/// [`check_servers`](super::check_servers) check it, and writes it by [`render`](crate::modules::nats::render).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerSpec {
    /// Its name.
    pub name: ServerName,
    /// Its tags, sorted.
    pub tags: Vec<String>,
    /// Where clients connect.
    pub client: ClientListener,
    /// The other servers of its cluster; `None` for a server on its own.
    pub cluster: Option<ClusterBlock>,
    /// The other clusters of its supercluster.
    pub gateway: Option<GatewayBlock>,
    /// JetStream; `None` if it is off.
    pub jetstream: Option<JetstreamBlock>,
    /// Its accounts, sorted by name.
    pub accounts: Vec<AccountBlock>,
    /// The account of the servers themselves, one of `accounts`.
    pub system_account: AccountName,
    /// Whether it answers on its monitoring port.
    pub monitoring: Monitoring,
    /// How much it logs.
    pub log: LogLevel,
    /// Where it logs to, as an absolute path; standard error if not given.
    pub log_file: Option<Text>,
    /// How large a message may be; the server's default is 1 MiB.
    pub max_payload: Option<ByteSize>,
    /// How many clients may be connected; the server's default is 65 536.
    pub max_connections: Option<u64>,
    /// How often it asks a client for a sign of life; the server's default is 2 minutes.
    pub ping_interval: Option<TimeSpan>,
    /// How long it takes to send its clients away before it stops, at least 30 seconds; the server's default is 2 minutes.
    pub lame_duck: Option<TimeSpan>,
}

/// Where clients connect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientListener {
    /// The address that it listens on.
    pub listen: HostName,
    /// The port.
    pub port: Value<Port>,
    /// The `host:port` that clients are told; what it listens on if not given.
    pub advertise: Option<Text>,
    /// Its certificate; without one, clients connect in the clear.
    pub tls: Option<TlsFiles>,
}

/// A certificate and what others' are checked against, as absolute paths of PEM files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate, with its chain.
    pub certificate: Text,
    /// Its key.
    pub key: Text,
    /// The authorities that the other side's certificate is checked against. Between servers it always is; clients need none.
    pub authority: Text,
}

/// A server's part in its cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterBlock {
    /// The cluster's name.
    pub name: ClusterName,
    /// The address that it listens on for routes.
    pub listen: HostName,
    /// The port for routes.
    pub port: Value<Port>,
    /// The `host:port` that the other servers dial; what it listens on if not given.
    pub advertise: Option<Text>,
    /// The user that servers of the cluster prove themselves with, beside their certificates; never a client's.
    pub user: String,
    /// Its password: a secret.
    pub password: Text,
    /// The servers that it dials. One that is alone in its cluster has a route to itself.
    pub routes: Vec<Route>,
    /// Its certificate for routes; without one they are in the clear.
    pub tls: Option<TlsFiles>,
}

/// A server to dial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Its host: an IP address or a DNS name.
    pub host: Text,
    /// Its port for routes.
    pub port: Value<Port>,
}

/// A server's part in its supercluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatewayBlock {
    /// The gateway's name, which is its cluster's.
    pub name: ClusterName,
    /// The address that it listens on for gateways.
    pub listen: HostName,
    /// The port for gateways.
    pub port: Value<Port>,
    /// The `host:port` that other clusters dial; what it listens on if not given, which others often cannot reach.
    pub advertise: Option<Text>,
    /// The other clusters, sorted by name. Clusters that are not listed are refused.
    pub remotes: Vec<RemoteGateway>,
    /// Its certificate for gateways; without one they are in the clear.
    pub tls: Option<TlsFiles>,
}

/// Another cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteGateway {
    /// Its name.
    pub name: ClusterName,
    /// Where its gateways are: `nats://host:port` or `tls://host:port`.
    pub urls: Vec<Text>,
}

/// JetStream on one server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JetstreamBlock {
    /// The directory of its store, as an absolute path; the server makes `jetstream` in it.
    pub store_dir: Text,
    /// Its settings.
    pub settings: JetstreamSettings,
}

/// An account on one server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountBlock {
    /// Its name.
    pub name: AccountName,
    /// The limits of its JetStream; `None` if it has none.
    pub jetstream: Option<AccountLimits>,
    /// Its users, sorted by name; one that is known by two proofs is there twice.
    pub users: Vec<UserBlock>,
}

impl AccountBlock {
    /// The account `account` with the proofs that `proofs_of` finds for its users: a server takes each of them for the user.
    ///
    /// # Errors
    /// What `proofs_of` fails with.
    pub fn of<E>(
        account: &AccountSpec,
        mut proofs_of: impl FnMut(&super::UserSpec) -> Result<Vec<UserProof>, E>,
    ) -> Result<Self, E> {
        let mut users = Vec::new();
        for user in &account.users {
            let block = |proof| UserBlock { name: user.name.clone(), proof, permissions: user.permissions.clone() };
            users.extend(proofs_of(user)?.into_iter().map(block));
        }
        Ok(Self { name: account.name.clone(), jetstream: account.jetstream.clone(), users })
    }
}

/// A user on one server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserBlock {
    /// Its name.
    pub name: UserName,
    /// What the server checks.
    pub proof: UserProof,
    /// The subjects that it may use.
    pub permissions: Permissions,
}

/// What the server checks a user by; never a secret that a client needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserProof {
    /// The public half of its NKey: `U…`.
    Nkey(Text),
    /// Its name and password.
    Password {
        /// The name that it gives.
        user: String,
        /// The bcrypt hash of the password: `$2a$…`.
        hash: Text,
    },
}

/// Whether a server answers on its monitoring port, which asks for no credential. Independent of what it logs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Monitoring {
    /// It does not.
    #[default]
    Closed,
    /// On this machine only, on this port.
    Loopback(Value<Port>),
}

/// How much a server logs. More than normal writes subjects into the log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LogLevel {
    /// What operators need.
    #[default]
    Normal,
    /// Also what its authors need.
    Debug,
    /// Also every line of the protocol.
    Trace,
}
