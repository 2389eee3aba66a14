//! The port through which a place speaks to NATS servers.

use std::net::SocketAddr;
use std::sync::Arc;

use async_trait::async_trait;
use harmony_types::{AccountName, ClusterName, PlaceName, ServerName, StreamName};
use serde::{Deserialize, Serialize};

use super::access::NatsAccess;
use super::assets::{AccountContents, KvBucket, ServerMembership, Stream};
use super::proof::{
    CredentialRefused, CredentialWorks, GatewaysReachEveryCluster, KvReachesEverySite, PermissionsHold, ServersAgree,
    SystemAccountHoldsNoData,
};
use super::spec::PROOF_BUCKET;
use crate::proof::Prover;
use crate::provider::{Provider, ProviderError};
use crate::resource::{FieldChange, Impact, Shown};
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

    /// Why another server of the system than the one that `access` names is not where that one may be restarted; nothing if all are that
    /// answer.
    ///
    /// # Errors
    /// [`ProviderError::Unreachable`] if the servers cannot be asked.
    async fn find_unsettled_neighbour(&self, run: &Run, access: &NatsAccess) -> Result<Option<String>, ProviderError>;

    /// Tells the one server that `access` names to read its configuration again, and returns its own verdict.
    ///
    /// # Errors
    /// [`ProviderError::Refused`] with the server's words if it keeps its old configuration.
    async fn reload_server(&self, run: &Run, access: &NatsAccess) -> Result<(), ProviderError>;
}

/// A way to servers that this machine does not reach by their own names, such as those in a cluster.
#[async_trait]
pub trait WayToServers: Send + Sync {
    /// The place whose servers it leads to.
    fn place(&self) -> &PlaceName;

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

/// Whether a place has a client of NATS: one of [`WithNats`] and [`WithoutNats`].
pub trait MayHaveNats: Send + Sync + 'static {
    /// Whether NATS servers can run there.
    const RUNS_NATS: bool;

    /// Has the client, if there is one, take this way to those servers to which it leads.
    fn take_way(&self, way: Arc<dyn WayToServers>);
}

/// A place without a client of NATS.
#[derive(Debug, Clone, Copy)]
pub struct WithoutNats;

/// A place with a client of NATS.
#[derive(Clone)]
pub struct WithNats(pub Arc<dyn NatsClient>);

impl MayHaveNats for WithoutNats {
    const RUNS_NATS: bool = false;

    fn take_way(&self, _: Arc<dyn WayToServers>) {}
}

impl MayHaveNats for WithNats {
    const RUNS_NATS: bool = true;

    fn take_way(&self, way: Arc<dyn WayToServers>) {
        self.0.take_way(way);
    }
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

impl ServerState {
    /// Whether it has JetStream, and with whom.
    #[must_use]
    pub fn mode(&self) -> JetstreamMode {
        JetstreamMode::of(self.jetstream.is_some(), self.cluster.is_some())
    }

    /// What it holds that is not Harmony's own, in words; `None` if nothing.
    #[must_use]
    pub fn holds(&self) -> Option<String> {
        let own = format!("KV_{PROOF_BUCKET}");
        let streams = &self.jetstream.as_ref()?.streams;
        let full: Vec<String> = streams
            .iter()
            .filter(|copy| copy.messages > 0 && copy.stream.as_str() != own)
            .map(|copy| format!("stream {} of account {} ({} messages)", copy.stream, copy.account, copy.messages))
            .collect();
        (!full.is_empty()).then(|| full.join(", "))
    }

    /// Why it is not yet where the next server of its system may be restarted; `None` if it is.
    #[must_use]
    pub fn unsettled(&self) -> Option<String> {
        if let Some(why) = &self.unhealthy {
            return Some(why.clone());
        }
        let jetstream = self.jetstream.as_ref()?;
        if jetstream.meta_leader.is_none() {
            return Some("no meta leader is known".to_owned());
        }
        let behind = jetstream.streams.iter().find(|copy| !copy.settled)?;
        Some(format!("stream {} of account {} is not settled", behind.stream, behind.account))
    }

    /// The same of one that was restarted, and was like `before`. What it says of itself may be of a time at which it has not heard from the
    /// others yet of what it has lost, as where its volume is empty: it has to have again what it had.
    #[must_use]
    pub fn unsettled_since(&self, before: &Self) -> Option<String> {
        // One that is to hold nothing any more gets nothing back.
        let (Some(now), Some(before)) = (&self.jetstream, &before.jetstream) else { return self.unsettled() };
        // What nobody else has a copy of comes back from nobody.
        let lacking = before.streams.iter().filter(|copy| copy.copies > 1).find(|copy| {
            let same = now.streams.iter().find(|other| (&other.account, &other.stream) == (&copy.account, &copy.stream));
            same.is_none_or(|same| same.last_sequence < copy.last_sequence)
        });
        let lacking = lacking.map(|copy| {
            let StreamCopy { account, stream, last_sequence, .. } = copy;
            format!("stream {stream} of account {account} does not reach message {last_sequence} again yet")
        });
        self.unsettled().or(lacking)
    }
}

/// Whether a server has JetStream, and with whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum JetstreamMode {
    /// It has none.
    Off,
    /// It keeps its streams for itself.
    Alone,
    /// It keeps streams with the other servers of its cluster, which may be a cluster of one.
    Clustered,
}

impl JetstreamMode {
    /// Of a server that has JetStream or not, and is in a cluster or not.
    #[must_use]
    pub fn of(has_jetstream: bool, is_clustered: bool) -> Self {
        match (has_jetstream, is_clustered) {
            (false, _) => Self::Off,
            (true, false) => Self::Alone,
            (true, true) => Self::Clustered,
        }
    }

    /// How a change of the field that holds it reaches a server: one alone does not read the streams of a cluster, and one that joins a
    /// cluster throws away those that it kept alone.
    #[must_use]
    pub fn impact(change: &FieldChange) -> Impact {
        match &change.live {
            Shown::Value(live) if live != "off" => Impact::UpdateLosing,
            _ => Impact::Update,
        }
    }
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
    /// How many copies the stream has, this one included.
    pub copies: usize,
    /// Whether the stream has a leader, and all its other copies are current, as far as this server knows.
    pub settled: bool,
}

#[cfg(test)]
mod tests;
