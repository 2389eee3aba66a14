//! JetStream on the servers of a system.

use harmony_types::{ByteSize, TimeSpan};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// JetStream on every server of a system. What is not given has the server's own default, which the methods name.
///
/// Where the store is, is a fact of the place and not said here.
///
/// ```
/// use harmony::modules::nats::score::{JetstreamScore, SyncPolicy};
/// use harmony_types::{ByteSize, TimeSpan};
///
/// let score = JetstreamScore::on("nats")
///     .with_max_memory(ByteSize::mib(256))
///     .with_max_file(ByteSize::gib(10))
///     .with_sync(SyncPolicy::Every(TimeSpan::seconds(1)));
/// assert_eq!(serde_json::to_value(&score).unwrap()["max_file"], "10GiB");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[must_use]
pub struct JetstreamScore {
    pub(crate) system: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) max_memory: Option<ByteSize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) max_file: Option<ByteSize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) domain: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) max_buffered_messages: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) max_buffered_size: Option<ByteSize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) request_queue_limit: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sync: Option<SyncPolicy>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) strict: Option<RequestChecking>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) unique_tag: Option<String>,
}

/// When a server writes acknowledged messages through to the disk. Default: always.
///
/// A server acknowledges a message once it (and, with replicas, a majority) has it; what it has not written through is gone when its
/// machine loses power. The crash of a server alone loses nothing, whatever the policy.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SyncPolicy {
    /// Before each acknowledgement: nothing acknowledged is lost. Several times slower (measured: 4.9 times with three replicas, 8.8 times
    /// with one).
    #[default]
    Always,
    /// Once in this time: when all machines that hold a stream lose power together, what was acknowledged since is lost. NATS' own
    /// default is 2 minutes, with which even the stream itself can be gone.
    Every(TimeSpan),
}

/// How a server treats a JetStream request with fields that it does not know. Default: strict.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RequestChecking {
    /// It refuses it.
    #[default]
    Strict,
    /// It passes over the fields.
    Lenient,
}

impl JetstreamScore {
    /// JetStream on the system `system`, with the defaults.
    pub fn on(system: &str) -> Self {
        Self {
            system: system.to_owned(),
            max_memory: None,
            max_file: None,
            domain: None,
            max_buffered_messages: None,
            max_buffered_size: None,
            request_queue_limit: None,
            sync: None,
            strict: None,
            unique_tag: None,
        }
    }

    /// The same with so much memory on each server for streams in memory. The server's default: 75 % of the machine's memory.
    pub fn with_max_memory(mut self, size: ByteSize) -> Self {
        self.max_memory = Some(size);
        self
    }

    /// The same with so much disk on each server. The server's default: 75 % of what is free when it starts.
    pub fn with_max_file(mut self, size: ByteSize) -> Self {
        self.max_file = Some(size);
        self
    }

    /// The same in a JetStream domain: a name without dots, wildcards and white space. The server's default: none.
    pub fn with_domain(mut self, domain: &str) -> Self {
        self.domain = Some(domain.to_owned());
        self
    }

    /// The same with so many messages that a server holds for a stream that is slower than its publishers. The server's default: 100 000.
    pub fn with_max_buffered_messages(mut self, count: u64) -> Self {
        self.max_buffered_messages = Some(count);
        self
    }

    /// The same with so much that a server holds for a stream that is slower than its publishers. The server's default: 128 MiB.
    pub fn with_max_buffered_size(mut self, size: ByteSize) -> Self {
        self.max_buffered_size = Some(size);
        self
    }

    /// The same with so many JetStream requests that may wait on a server. The server's default: 10 000.
    pub fn with_request_queue_limit(mut self, count: u64) -> Self {
        self.request_queue_limit = Some(count);
        self
    }

    /// The same with another policy of writing through to the disk. Default: [`SyncPolicy::Always`].
    pub fn with_sync(mut self, policy: SyncPolicy) -> Self {
        self.sync = Some(policy);
        self
    }

    /// The same with another treatment of unknown fields. Default: [`RequestChecking::Strict`].
    pub fn with_request_checking(mut self, checking: RequestChecking) -> Self {
        self.strict = Some(checking);
        self
    }

    /// The same with the copies of a stream only on servers whose tags with this prefix (`az:`) differ. Every server needs such a tag;
    /// the servers of a supercluster carry `site:<site>` by themselves. Default: none.
    pub fn with_unique_tag(mut self, prefix: &str) -> Self {
        self.unique_tag = Some(prefix.to_owned());
        self
    }
}
