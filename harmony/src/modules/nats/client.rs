//! The port through which a place speaks to NATS servers.

use std::net::SocketAddr;
use std::sync::Arc;

use async_trait::async_trait;
use harmony_types::{AccountName, ClusterName, ServerName, StreamName};
use serde::{Deserialize, Serialize};

use super::access::NatsAccess;
use super::assets::{AccountContents, KvBucket, ServerMembership, Stream};
use super::proof::{
    CredentialRefused, CredentialWorks, GatewaysReachEveryCluster, KvReachesEverySite, PermissionsHold, ServersAgree,
    SystemAccountHoldsNoData,
};
use crate::proof::Prover;
use crate::provider::{Provider, ProviderError};
use crate::run::Run;

/// A client of NATS: what places need to host buckets and streams, to carry out the proofs, and to look after running servers. A place
/// is given one by the site program, so that only programs that use NATS compile its client.
#[async_trait]
pub trait NatsClient:
    Provider<KvBucket>
    + Provider<Stream>
    + Provider<AccountContents>
    + Provider<ServerMembership>
    + Prover<ServersAgree>
    + Prover<GatewaysReachEveryCluster>
    + Prover<KvReachesEverySite>
    + Prover<SystemAccountHoldsNoData>
    + Prover<CredentialWorks>
    + Prover<CredentialRefused>
    + Prover<PermissionsHold>
{
    /// Takes this way to those servers to which it leads. Clients that are clones of one another share it, so that what one place carries out
    /// reaches the servers of all.
    fn take_way(&self, way: Arc<dyn WayToServers>);

    /// What the one server that `access` (a user of the system account) names says of itself, asked over that very connection.
    ///
    /// # Errors
    /// [`ProviderError::Unreachable`] if it does not answer, [`ProviderError::NotPermitted`] if it does not take the credential, or shows a
    /// certificate that the access does not trust.
    async fn look_at_server(&self, run: &Run, access: &NatsAccess) -> Result<ServerState, ProviderError>;

    /// Tells the one server that `access` names to read its configuration again, and returns its own verdict.
    ///
    /// # Errors
    /// [`ProviderError::Refused`] with the server's words if it keeps its old configuration.
    async fn reload_server(&self, run: &Run, access: &NatsAccess) -> Result<(), ProviderError>;
}

/// A way to servers that this machine does not reach by their own names, such as those in a cluster.
#[async_trait]
pub trait WayToServers: Send + Sync {
    /// Where this machine dials what others reach at `host:port`. It leads there as long as the program runs.
    ///
    /// # Errors
    /// [`ProviderError`] if it cannot be found out whether it leads there.
    async fn lead_to(&self, run: &Run, host: &str, port: u16) -> Result<Lead, ProviderError>;
}

/// Where a way leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lead {
    /// The host is none of those that this way is for.
    Elsewhere,
    /// The host would be one of them, but is not there, for this reason.
    Nowhere(String),
    /// To this address.
    To(SocketAddr),
}

/// What a running server says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerState {
    /// Its name.
    pub server: ServerName,
    /// Its public key, new at every start.
    pub id: String,
    /// Its version: `2.15.1`.
    pub version: String,
    /// The cluster it is in, if it is in one.
    pub cluster: Option<ClusterName>,
    /// When it started, in its own words (RFC 3339).
    pub started: String,
    /// When it last read its configuration, in its own words (RFC 3339).
    pub configured: String,
    /// The digest of the configuration that it uses: `sha256:…`.
    pub config_digest: String,
    /// Why it is not healthy; `None` if it is.
    pub unhealthy: Option<String>,
    /// How it sees JetStream; `None` if it is off.
    pub jetstream: Option<JetstreamState>,
}

/// How a server sees JetStream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JetstreamState {
    /// The leader of the meta group, if it knows one; of a server on its own, itself.
    pub meta_leader: Option<ServerName>,
    /// The size of the meta group, as it sees it.
    pub meta_size: usize,
    /// The streams it has a copy of.
    pub streams: Vec<StreamCopy>,
}

/// A server's copy of a stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamCopy {
    /// The account.
    pub account: AccountName,
    /// The stream.
    pub stream: StreamName,
    /// How many messages this copy holds.
    pub messages: u64,
    /// The sequence of its last message.
    pub last_sequence: u64,
    /// Whether the stream has a leader, and all its other copies are current, as far as this server knows.
    pub settled: bool,
}
