//! Several sites joined by gateways.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Several sites, each a cluster of its own, joined by gateways. It declares the system that other Scores name.
///
/// Site `east` of system `nats` is the cluster `nats-east` with the servers `nats-east-1`, `nats-east-2`, and so on. From three sites on
/// there is also a hub by default: one more server per site (`nats-east-hub`), which together form the cluster `nats-hub`. A stream
/// placed there has a copy on every site and survives the loss of any one: gateways themselves never carry copies.
///
/// ```
/// use harmony::modules::nats::score::NatsSuperclusterScore;
///
/// let score = NatsSuperclusterScore::new("nats").with_site("east", 2).with_site("west", 2).with_site("north", 2);
/// assert_eq!(serde_json::to_value(&score).unwrap()["sites"][1]["name"], "west");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[must_use]
pub struct NatsSuperclusterScore {
    pub(crate) system: String,
    pub(crate) sites: Vec<SiteWish>,
    /// Not given: across the sites from three sites on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) hub: Option<Hub>,
    #[serde(default)]
    pub(crate) quorum: QuorumRisk,
}

/// One site of a supercluster.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct SiteWish {
    pub(crate) name: String,
    pub(crate) servers: u8,
}

/// Whether a supercluster has a hub: a cluster with one server on each site, for streams that survive the loss of a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Hub {
    /// One more server on each site, all in one cluster whose routes span the sites; needs three sites.
    Across,
    /// No hub: every stream lives in one site.
    None,
}

/// What may be lost together with one site. JetStream's servers decide by majority over all sites; when too many of them are on one
/// site, nothing can be created, changed or deleted anywhere while that site is away.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum QuorumRisk {
    /// A layout in which the loss of one site stops JetStream's changes everywhere is refused.
    #[default]
    Refused,
    /// It is accepted: with two sites there is no other way.
    Accepted,
}

impl NatsSuperclusterScore {
    /// The system `name` (an RFC 1123 label), without sites yet.
    pub fn new(name: &str) -> Self {
        Self { system: name.to_owned(), sites: Vec::new(), hub: None, quorum: QuorumRisk::Refused }
    }

    /// The same with a site (an RFC 1123 label) of so many servers, beside its server of the hub.
    pub fn with_site(mut self, name: &str, servers: u8) -> Self {
        self.sites.push(SiteWish { name: name.to_owned(), servers });
        self
    }

    /// The same with or without a hub.
    pub fn with_hub(mut self, hub: Hub) -> Self {
        self.hub = Some(hub);
        self
    }

    /// The same, accepting that the loss of one site can stop every creation, change and deletion of streams, everywhere.
    pub fn accepting_quorum_loss(mut self) -> Self {
        self.quorum = QuorumRisk::Accepted;
        self
    }
}
