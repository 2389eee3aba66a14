//! A stream.

use harmony_types::{ByteSize, TimeSpan};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::replication::{Losses, Replication};
use crate::modules::nats::assets::{Compression, Discard, Retention, Storage};

/// A stream in an account of a system: it keeps the messages of its subjects.
///
/// ```
/// use harmony::modules::nats::assets::Retention;
/// use harmony::modules::nats::score::StreamScore;
/// use harmony_types::TimeSpan;
///
/// let score = StreamScore::on("nats", "HARMONY", "ORDERS")
///     .with_subject("orders.>")
///     .with_retention(Retention::WorkQueue)
///     .with_max_age(TimeSpan::hours(24));
/// assert_eq!(serde_json::to_value(&score).unwrap()["max_age"], "24h");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[must_use]
pub struct StreamScore {
    pub(crate) system: String,
    pub(crate) account: String,
    pub(crate) stream: String,
    pub(crate) subjects: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    #[serde(default)]
    pub(crate) retention: Retention,
    #[serde(default)]
    pub(crate) discard: Discard,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) max_messages: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) max_messages_per_subject: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) max_size: Option<ByteSize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) max_age: Option<TimeSpan>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) max_message_size: Option<ByteSize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) duplicate_window: Option<TimeSpan>,
    #[serde(default)]
    pub(crate) storage: Storage,
    #[serde(default)]
    pub(crate) compression: Compression,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) replication: Option<Replication>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) site: Option<String>,
    #[serde(default)]
    pub(crate) losses: Losses,
}

impl StreamScore {
    /// The stream `stream` (1 to 64 of `A-Z`, `a-z`, `0-9`, `_`, `-`) in the account `account` of the system `system`, without subjects
    /// yet.
    pub fn on(system: &str, account: &str, stream: &str) -> Self {
        Self {
            system: system.to_owned(),
            account: account.to_owned(),
            stream: stream.to_owned(),
            subjects: Vec::new(),
            description: None,
            retention: Retention::Limits,
            discard: Discard::Old,
            max_messages: None,
            max_messages_per_subject: None,
            max_size: None,
            max_age: None,
            max_message_size: None,
            duplicate_window: None,
            storage: Storage::File,
            compression: Compression::Off,
            replication: None,
            site: None,
            losses: Losses::Refused,
        }
    }

    /// The same keeping the messages of `subject`, with wildcards `*` and `>`. No two streams of an account keep one subject.
    pub fn with_subject(mut self, subject: &str) -> Self {
        self.subjects.push(subject.to_owned());
        self
    }

    /// The same with a description for people.
    pub fn with_description(mut self, text: &str) -> Self {
        self.description = Some(text.to_owned());
        self
    }

    /// The same with another way for messages to go. Default: by the limits.
    pub fn with_retention(mut self, retention: Retention) -> Self {
        self.retention = retention;
        self
    }

    /// The same with another behaviour when it is full. Default: the oldest message goes.
    pub fn with_discard(mut self, discard: Discard) -> Self {
        self.discard = discard;
        self
    }

    /// The same with at most so many messages. Default: no limit.
    pub fn with_max_messages(mut self, count: u64) -> Self {
        self.max_messages = Some(count);
        self
    }

    /// The same with at most so many messages of one subject. Default: no limit.
    pub fn with_max_messages_per_subject(mut self, count: u64) -> Self {
        self.max_messages_per_subject = Some(count);
        self
    }

    /// The same with at most this much in each copy. Default: what the account may hold.
    pub fn with_max_size(mut self, size: ByteSize) -> Self {
        self.max_size = Some(size);
        self
    }

    /// The same with messages that live so long. Default: for ever.
    pub fn with_max_age(mut self, span: TimeSpan) -> Self {
        self.max_age = Some(span);
        self
    }

    /// The same with messages of at most this size. Default: what a server takes as one message.
    pub fn with_max_message_size(mut self, size: ByteSize) -> Self {
        self.max_message_size = Some(size);
        self
    }

    /// The same with a message id that counts as a repetition for so long. Default: 2 minutes, or the maximum age if that is shorter.
    pub fn with_duplicate_window(mut self, span: TimeSpan) -> Self {
        self.duplicate_window = Some(span);
        self
    }

    /// The same in memory instead of in files, or back. Default: in files.
    pub fn with_storage(mut self, storage: Storage) -> Self {
        self.storage = storage;
        self
    }

    /// The same compressed at rest, or not. Default: not.
    pub fn with_compression(mut self, compression: Compression) -> Self {
        self.compression = compression;
        self
    }

    /// The same with its copies elsewhere. Default: [`Replication::AcrossSites`] in a supercluster with a hub, else
    /// [`Replication::Local`] with three copies if the cluster has three servers, else one.
    pub fn with_replication(mut self, replication: Replication) -> Self {
        self.replication = Some(replication);
        self
    }

    /// The same with its copies on this site of a supercluster: the home of a [`Replication::Local`] one.
    pub fn at_site(mut self, site: &str) -> Self {
        self.site = Some(site.to_owned());
        self
    }

    /// The same with the allowance that what it holds may be lost.
    pub fn allowing_loss(mut self) -> Self {
        self.losses = Losses::Allowed;
        self
    }

    /// What to tell it apart by in plans and errors.
    #[must_use]
    pub fn label(&self) -> String {
        format!("{} of account {} on {}", self.stream, self.account, self.system)
    }
}
