//! Where the copies of a bucket or stream are.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::modules::nats::assets::Replicas;

/// Where the copies of a bucket or stream are. All of them are in one cluster: gateways never carry copies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Replication {
    /// So many copies on servers of one site. It survives the loss of servers there, not the loss of the site.
    Local(Replicas),
    /// One copy on each site, by the hub of a supercluster. Reads and writes go on when any one site is lost, and nothing acknowledged
    /// is lost; each write waits for a round trip between sites.
    AcrossSites,
}

/// Whether what a bucket or stream holds may be lost when the program changes. Default: kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Losses {
    /// A change or deletion that would lose messages is refused.
    #[default]
    Refused,
    /// It is carried out.
    Allowed,
}
