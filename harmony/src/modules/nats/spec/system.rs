//! A system as a whole.

use harmony_types::{AccountName, ByteSize, ClusterName, ServerName, SiteName, SystemName, UserName};

use super::jetstream::JetstreamSettings;
use crate::arrangement::Note;
use crate::modules::nats::assets::{KvBucket, Stream};
use crate::modules::nats::permission::{Permissions, Right};
use crate::modules::nats::proof::Member;
use crate::modules::nats::score::Authentication;
use crate::origin::Origin;

/// A NATS system, valid because it exists: [`assemble`](super::assemble) is the only way in. Everything in it is sorted, so that two
/// programs that say the same in another order have equal ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SystemSpec {
    pub(super) name: SystemName,
    pub(super) origin: Origin,
    pub(super) sites: Vec<SiteName>,
    pub(super) clusters: Vec<ClusterSpec>,
    pub(super) jetstream: Option<JetstreamSettings>,
    pub(super) accounts: Vec<AccountSpec>,
    pub(super) buckets: Vec<BucketSpec>,
    pub(super) streams: Vec<StreamSpec>,
    pub(super) notes: Vec<Note>,
}

/// A cluster and its servers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterSpec {
    /// Its name, which is also its gateway's.
    pub name: ClusterName,
    /// What it is for.
    pub role: ClusterRole,
    /// Its servers, in the order of their numbers or sites.
    pub servers: Vec<ServerLayout>,
}

/// What a cluster is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClusterRole {
    /// It is the whole system and one server, which needs no cluster block.
    Single,
    /// It is the whole system, of several servers.
    Whole,
    /// It is one site of a supercluster.
    Site,
    /// It has one server on each site of a supercluster, and holds what is copied across them.
    Hub,
}

/// A server: who it is, and its tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerLayout {
    /// Its name, its cluster and its site.
    pub member: Member,
    /// Its tags, sorted.
    pub tags: Vec<String>,
}

/// An account, the same on every server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountSpec {
    /// Its name.
    pub name: AccountName,
    /// What it is for.
    pub role: AccountRole,
    /// The limits of its JetStream; `None` if it has none.
    pub jetstream: Option<AccountLimits>,
    /// Its users, Harmony's own among them, sorted by name.
    pub users: Vec<UserSpec>,
    /// Who declared it, sorted; of the system account, who declared the system.
    pub origins: Vec<Origin>,
}

/// What an account is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountRole {
    /// The servers' own: `SYS`. It never has JetStream.
    System,
    /// Applications.
    Application,
}

/// The limits of an account's JetStream, all replicas together; none where not given. What Harmony's proof bucket needs is in them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountLimits {
    /// Memory.
    pub max_memory: Option<ByteSize>,
    /// Disk.
    pub max_file: Option<ByteSize>,
    /// Streams.
    pub max_streams: Option<u64>,
    /// Consumers of each stream.
    pub max_consumers: Option<u64>,
}

/// A user of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserSpec {
    /// Its name.
    pub name: UserName,
    /// Its account.
    pub account: AccountName,
    /// Who uses it.
    pub role: UserRole,
    /// How it proves who it is.
    pub authentication: Authentication,
    /// What it is granted, checked.
    pub rights: Vec<Right>,
    /// The subjects that follow from it.
    pub permissions: Permissions,
    /// The prefix of its inboxes, without the final dot: `_INBOX_agent`.
    pub inbox_prefix: String,
    /// Who asked for it.
    pub origin: Origin,
}

/// Who uses a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum UserRole {
    /// The user that a Score declares.
    Declared,
    /// Harmony, to make buckets and streams.
    Provisioner,
    /// Harmony's proofs, to write into their own bucket.
    Prover,
    /// Harmony, to look after the servers.
    Operator,
}

/// A bucket, ready to be added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketSpec {
    /// The bucket, with its cluster and its number of copies.
    pub bucket: KvBucket,
    /// What it survives, in words.
    pub survives: String,
    /// Whether what it holds may be lost.
    pub may_be_lost: bool,
    /// Whether it is the bucket that Harmony's proofs write into.
    pub is_for_proofs: bool,
    /// Who declared it; of a proof bucket, who declared the account's first one.
    pub origin: Origin,
}

/// A stream, ready to be added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamSpec {
    /// The stream, with its cluster and its number of copies.
    pub stream: Stream,
    /// What it survives, in words.
    pub survives: String,
    /// Whether what it holds may be lost.
    pub may_be_lost: bool,
    /// Who declared it.
    pub origin: Origin,
}

impl SystemSpec {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &SystemName {
        &self.name
    }

    /// Who declared it.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Its sites, sorted. The only site of a single cluster has the system's name.
    #[must_use]
    pub fn sites(&self) -> &[SiteName] {
        &self.sites
    }

    /// Its clusters, sorted by name.
    #[must_use]
    pub fn clusters(&self) -> &[ClusterSpec] {
        &self.clusters
    }

    /// Whether gateways join several clusters.
    #[must_use]
    pub fn is_supercluster(&self) -> bool {
        self.clusters.len() > 1
    }

    /// The cluster with one server on each site, if there is one.
    #[must_use]
    pub fn hub(&self) -> Option<&ClusterSpec> {
        self.clusters.iter().find(|cluster| cluster.role == ClusterRole::Hub)
    }

    /// All its servers, sorted by name.
    #[must_use]
    pub fn servers(&self) -> Vec<&ServerLayout> {
        let mut servers: Vec<_> = self.clusters.iter().flat_map(|cluster| &cluster.servers).collect();
        servers.sort_by(|one, other| one.member.cmp(&other.member));
        servers
    }

    /// All its servers, sorted by name, for proofs.
    #[must_use]
    pub fn members(&self) -> Vec<Member> {
        self.servers().into_iter().map(|server| server.member.clone()).collect()
    }

    /// The clusters that a server of `cluster` has gateways to: all others.
    pub fn remote_clusters<'a>(&'a self, cluster: &'a ClusterName) -> impl Iterator<Item = &'a ClusterSpec> {
        self.clusters.iter().filter(move |other| other.name != *cluster)
    }

    /// JetStream's settings on every server; `None` if it is off.
    #[must_use]
    pub fn jetstream(&self) -> Option<&JetstreamSettings> {
        self.jetstream.as_ref()
    }

    /// How many servers decide together about JetStream: all of them, or 0 without JetStream.
    #[must_use]
    pub fn meta_group(&self) -> usize {
        if self.jetstream.is_some() { self.servers().len() } else { 0 }
    }

    /// Its accounts, sorted by name, the system account among them.
    #[must_use]
    pub fn accounts(&self) -> &[AccountSpec] {
        &self.accounts
    }

    /// Its users, sorted by account and name.
    pub fn users(&self) -> impl Iterator<Item = &UserSpec> {
        self.accounts.iter().flat_map(|account| &account.users)
    }

    /// The user of this role in an account, if it has one.
    #[must_use]
    pub fn user_of(&self, account: &AccountName, role: UserRole) -> Option<&UserSpec> {
        self.users().find(|user| user.account == *account && user.role == role)
    }

    /// Its buckets, sorted by account and name, those of Harmony's proofs among them.
    #[must_use]
    pub fn buckets(&self) -> &[BucketSpec] {
        &self.buckets
    }

    /// Its streams, sorted by account and name.
    #[must_use]
    pub fn streams(&self) -> &[StreamSpec] {
        &self.streams
    }

    /// What users should know before they apply it: what each bucket and stream survives, what the sync policy risks, what a grant
    /// cannot prevent.
    #[must_use]
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }
}

impl ClusterSpec {
    /// The other servers that a server of it has routes to. A server that is alone in its cluster has one to itself where there is
    /// JetStream and a gateway: NATS refuses to start without.
    pub fn routes_of<'a>(&'a self, server: &'a ServerName) -> impl Iterator<Item = &'a Member> {
        let alone = self.servers.len() == 1;
        self.servers.iter().map(|layout| &layout.member).filter(move |member| alone || member.server != *server)
    }
}
