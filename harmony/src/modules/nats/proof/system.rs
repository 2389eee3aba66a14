//! What is proven of the servers.

use harmony_types::{BucketName, ClusterName, ServerName, SiteName, SystemName, TimeSpan};
use serde::{Deserialize, Serialize};

use super::credential::SiteAccess;
use crate::modules::nats::access::NatsAccess;
use crate::proof::Proof;

/// A server of a system: where, and of which cluster.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Member {
    /// The server.
    pub server: ServerName,
    /// Its cluster.
    pub cluster: ClusterName,
    /// Its site.
    pub site: SiteName,
}

/// Every server of the system is there and ready; with JetStream, all of them name one meta leader and the full size of its group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServersAgree {
    /// The system.
    pub system: SystemName,
    /// All its servers, sorted.
    pub members: Vec<Member>,
    /// How many of them are in the meta group; 0 without JetStream.
    pub meta_group: usize,
    /// A user of the system account, and one server of each site.
    pub access: NatsAccess,
}

impl Proof for ServersAgree {
    const KIND: &'static str = "nats-servers-agree/v1";

    fn claim(&self) -> String {
        let count = self.members.len();
        match self.meta_group {
            0 => format!("all {count} servers of {} are ready", self.system),
            size => format!("all {count} servers of {} are ready and name one meta leader of {size}", self.system),
        }
    }
}

/// Every server has an outbound gateway connection to every other cluster. Inbound ones are uneven in a healthy supercluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GatewaysReachEveryCluster {
    /// The system.
    pub system: SystemName,
    /// All its servers, sorted.
    pub members: Vec<Member>,
    /// A user of the system account, and one server of each site.
    pub access: NatsAccess,
}

impl Proof for GatewaysReachEveryCluster {
    const KIND: &'static str = "nats-gateways-reach-every-cluster/v1";

    fn claim(&self) -> String {
        format!("every server of {} has a gateway to every other cluster", self.system)
    }
}

/// What is written into a bucket on one site is read on every other within a bound. The bucket is the proof's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KvReachesEverySite {
    /// The system.
    pub system: SystemName,
    /// The proof's own bucket.
    pub bucket: BucketName,
    /// Within which time.
    pub within: TimeSpan,
    /// One user who may write it, on every site.
    pub sites: Vec<SiteAccess>,
}

impl Proof for KvReachesEverySite {
    const KIND: &'static str = "nats-kv-reaches-every-site/v1";

    fn claim(&self) -> String {
        match self.sites.len() {
            1 => format!("what is written into a bucket of {} is read back", self.system),
            count => format!(
                "what is written on any of the {count} sites of {} is read on every other within {}",
                self.system, self.within
            ),
        }
    }
}

/// The system account refuses to hold data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SystemAccountHoldsNoData {
    /// The system.
    pub system: SystemName,
    /// A user of the system account.
    pub access: NatsAccess,
}

impl SystemAccountHoldsNoData {
    /// The stream that the proof tries to make: its user may ask for it, so that it is the server that refuses.
    pub const STREAM: &str = "HARMONY_PROOF_OF_SYSTEM_ACCOUNT";
}

impl Proof for SystemAccountHoldsNoData {
    const KIND: &'static str = "nats-system-account-holds-no-data/v1";

    fn claim(&self) -> String {
        format!("the system account of {} cannot hold data", self.system)
    }
}
