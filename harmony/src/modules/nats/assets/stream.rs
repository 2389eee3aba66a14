//! A JetStream stream.

use std::collections::BTreeMap;
use std::fmt;

use harmony_types::{AccountName, ByteSize, ClusterName, NonBlank, StreamName, SystemName, TimeSpan};
use serde::{Deserialize, Serialize};

use super::bucket::tightens;
use super::limits::{Compression, Discard, Nothing, Replicas, Retention, Storage};
use crate::modules::nats::access::NatsAccess;
use crate::resource::{FieldChange, Impact, Loss, Resource};

/// A stream with its own subjects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stream {
    /// Which stream.
    #[serde(flatten)]
    pub identity: StreamIdentity,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<NonBlank>,
    /// The subjects whose messages it keeps, sorted; wildcards `*` and `>` as in NATS.
    pub subjects: Vec<String>,
    /// When messages go.
    pub retention: Retention,
    /// What it does when it is full.
    pub discard: Discard,
    /// How many messages it keeps; no limit if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_messages: Option<u64>,
    /// How many messages of one subject it keeps; no limit if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_messages_per_subject: Option<u64>,
    /// How large all of it may be, in each replica; the account's limit if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_size: Option<ByteSize>,
    /// How long a message lives; for ever if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age: Option<TimeSpan>,
    /// How large one message may be; the server's `max_payload` if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_message_size: Option<ByteSize>,
    /// For how long a message id counts as a repetition; the server's default of 2 minutes (or `max_age`, if shorter) if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duplicate_window: Option<TimeSpan>,
    /// Where it rests.
    pub storage: Storage,
    /// How many copies it has inside its cluster.
    pub replicas: Replicas,
    /// The one cluster that holds it; the cluster of whoever makes it if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<ClusterName>,
    /// Whether it is compressed.
    pub compression: Compression,
    /// Settings, by the server's name for them, that are not as this stream's should be. Empty in a wish.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub deviations: BTreeMap<String, String>,
}

/// What the world calls a stream.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StreamIdentity {
    /// The system it is in.
    pub system: SystemName,
    /// The account it is in.
    pub account: AccountName,
    /// Its name.
    pub stream: StreamName,
}

impl fmt::Display for StreamIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of account {} in {}", self.stream, self.account, self.system)
    }
}

impl Resource for Stream {
    const KIND: &'static str = "nats-stream/v1";
    const NOUN: &'static str = "stream";
    const LOSS: Loss = Loss::Data;
    type Identity = StreamIdentity;
    type Access = NatsAccess;
    type Outputs = Nothing;

    fn identity(&self) -> StreamIdentity {
        self.identity.clone()
    }

    fn impact(change: &FieldChange) -> Impact {
        match change.path.as_str() {
            "/storage" => Impact::Replace("the server cannot move a stream between file and memory storage".to_owned()),
            "/retention" => {
                Impact::Replace("the server cannot turn a stream into or from a work queue or an interest stream".to_owned())
            }
            "/max_messages" | "/max_messages_per_subject" | "/max_age" | "/max_size" if tightens(change) => Impact::UpdateLosing,
            _ => Impact::Update,
        }
    }
}
