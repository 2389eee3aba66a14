//! A key-value bucket.

use std::collections::BTreeMap;
use std::fmt;

use harmony_types::{AccountName, BucketName, ByteSize, ClusterName, NonBlank, SystemName, TimeSpan};
use serde::{Deserialize, Serialize};

use super::limits::{Compression, History, Nothing, Replicas, Storage};
use crate::modules::nats::access::NatsAccess;
use crate::resource::{FieldChange, Impact, Loss, Resource, Shown};

/// A key-value bucket, which is a stream `KV_<bucket>` of a fixed shape (ADR-8 of NATS).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KvBucket {
    /// Which bucket.
    #[serde(flatten)]
    pub identity: BucketIdentity,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<NonBlank>,
    /// How many values of a key it keeps.
    pub history: History,
    /// How long a value lives; for ever if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl: Option<TimeSpan>,
    /// How large one value may be; the server's `max_payload` if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_value_size: Option<ByteSize>,
    /// How large all of it may be, in each replica; the account's limit if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_size: Option<ByteSize>,
    /// Where it rests.
    pub storage: Storage,
    /// How many copies it has inside its cluster.
    pub replicas: Replicas,
    /// The one cluster that holds it; the cluster of whoever makes it if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<ClusterName>,
    /// Whether it is compressed.
    pub compression: Compression,
    /// Settings of the stream, by the server's name for them, that are not as a bucket's should be. Empty in a wish, so that whatever
    /// somebody changes is seen.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub deviations: BTreeMap<String, String>,
}

/// What the world calls a bucket.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct BucketIdentity {
    /// The system it is in.
    pub system: SystemName,
    /// The account it is in.
    pub account: AccountName,
    /// Its name.
    pub bucket: BucketName,
}

impl fmt::Display for BucketIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of account {} in {}", self.bucket, self.account, self.system)
    }
}

impl Resource for KvBucket {
    const KIND: &'static str = "nats-kv-bucket/v1";
    const NOUN: &'static str = "key-value bucket";
    const LOSS: Loss = Loss::Data;
    type Identity = BucketIdentity;
    type Access = NatsAccess;
    type Outputs = Nothing;

    fn identity(&self) -> BucketIdentity {
        self.identity.clone()
    }

    fn impact(change: &FieldChange) -> Impact {
        match change.path.as_str() {
            "/storage" => Impact::Replace("the server cannot move a stream between file and memory storage".to_owned()),
            "/history" | "/ttl" | "/max_size" if tightens(change) => Impact::UpdateLosing,
            _ => Impact::Update,
        }
    }
}

/// Whether a limit becomes narrower, so that the server drops what no longer fits. An absent limit is the widest.
pub(super) fn tightens(change: &FieldChange) -> bool {
    match (&change.live, &change.desired) {
        (_, Shown::Absent) => false,
        (Shown::Value(live), Shown::Value(desired)) => match (measure(live), measure(desired)) {
            (Some(live), Some(desired)) => desired < live,
            _ => true,
        },
        _ => true,
    }
}

/// A limit as a number: a count, a size in bytes, or a time in milliseconds.
fn measure(value: &serde_json::Value) -> Option<u128> {
    let text = value.as_str();
    value
        .as_u64()
        .map(u128::from)
        .or_else(|| text?.parse::<ByteSize>().ok().map(|size| u128::from(size.as_bytes())))
        .or_else(|| text?.parse::<TimeSpan>().ok().map(|span| span.as_duration().as_millis()))
}
