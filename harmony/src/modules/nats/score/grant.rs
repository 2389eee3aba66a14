//! What a user is granted.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a user is granted, in terms of what is used. The permissions on subjects are derived from it and never typed: see
/// [`permission`](crate::modules::nats::permission), which also says what they cannot prevent.
///
/// ```
/// use harmony::modules::nats::score::Grant;
///
/// let grants = [
///     Grant::kv("HARMONY").read_write(),
///     Grant::kv("CONFIG").read(),
///     Grant::stream("ORDERS").consume("billing"),
///     Grant::publish("orders.new"),
/// ];
/// assert_eq!(serde_json::to_value(&grants[1]).unwrap()["kv"]["access"], "read");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Grant {
    /// On a key-value bucket of the user's account.
    Kv {
        /// The bucket.
        bucket: String,
        /// What may be done.
        access: KvAccess,
        /// The prefix of the keys that may be written, without the final dot; all keys if not given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        below: Option<String>,
    },
    /// On a stream of the user's account.
    Stream {
        /// The stream.
        stream: String,
        /// What may be done.
        access: StreamAccess,
    },
    /// Publishing to subjects of the application.
    Publish {
        /// The subject, with wildcards; never one of the server's own.
        subject: String,
    },
    /// Subscribing to subjects of the application.
    Subscribe {
        /// The subject, with wildcards; never one of the server's own.
        subject: String,
    },
}

/// What may be done with a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum KvAccess {
    /// Opening it, getting, listing and watching keys.
    Read,
    /// Also putting, deleting and purging keys.
    ReadWrite,
    /// Only putting, deleting and purging keys, without reading any.
    WriteOnly,
    /// Also creating, changing and deleting the bucket itself.
    Owner,
}

/// What may be done with a stream.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StreamAccess {
    /// Publishing to its subjects.
    Publish,
    /// Reading it by an ephemeral consumer and by direct gets.
    Read,
    /// Making, pulling from and acknowledging to one durable consumer.
    Consume {
        /// The durable consumer's name.
        durable: String,
    },
}

impl Grant {
    /// A grant on the bucket `bucket` of the user's account; say next what may be done.
    pub fn kv(bucket: &str) -> KvGrant {
        KvGrant { bucket: bucket.to_owned(), below: None }
    }

    /// A grant on the stream `stream` of the user's account; say next what may be done.
    pub fn stream(stream: &str) -> StreamGrant {
        StreamGrant { stream: stream.to_owned() }
    }

    /// Publishing to `subject`, with wildcards `*` and `>`: ordinary messages. Subjects of the server (`$…`, `_INBOX…`) are refused.
    #[must_use]
    pub fn publish(subject: &str) -> Self {
        Self::Publish { subject: subject.to_owned() }
    }

    /// Subscribing to `subject`, with wildcards `*` and `>`: ordinary messages. Subjects of the server (`$…`, `_INBOX…`) are refused.
    #[must_use]
    pub fn subscribe(subject: &str) -> Self {
        Self::Subscribe { subject: subject.to_owned() }
    }
}

/// A grant on a bucket, which still has to say what may be done.
#[derive(Debug, Clone)]
#[must_use = "say what may be done with the bucket"]
pub struct KvGrant {
    bucket: String,
    below: Option<String>,
}

impl KvGrant {
    /// The same with writing only to keys below `prefix`: `agents.a` allows `agents.a.status`. Reading is not narrowed: clients that put
    /// a watch's filter into the request's body could not watch any more. Use a bucket for each who must not read the other.
    pub fn below(mut self, prefix: &str) -> Self {
        self.below = Some(prefix.to_owned());
        self
    }

    /// Opening it, getting, listing and watching keys.
    #[must_use]
    pub fn read(self) -> Grant {
        self.with(KvAccess::Read)
    }

    /// Also putting, deleting and purging keys.
    #[must_use]
    pub fn read_write(self) -> Grant {
        self.with(KvAccess::ReadWrite)
    }

    /// Only putting, deleting and purging keys.
    #[must_use]
    pub fn write_only(self) -> Grant {
        self.with(KvAccess::WriteOnly)
    }

    /// Also creating, changing and deleting the bucket itself.
    #[must_use]
    pub fn owner(self) -> Grant {
        self.with(KvAccess::Owner)
    }

    fn with(self, access: KvAccess) -> Grant {
        Grant::Kv { bucket: self.bucket, access, below: self.below }
    }
}

/// A grant on a stream, which still has to say what may be done.
#[derive(Debug, Clone)]
#[must_use = "say what may be done with the stream"]
pub struct StreamGrant {
    stream: String,
}

impl StreamGrant {
    /// Publishing to its subjects.
    #[must_use]
    pub fn publish(self) -> Grant {
        Grant::Stream { stream: self.stream, access: StreamAccess::Publish }
    }

    /// Making, pulling from and acknowledging to the durable consumer `durable` (named as a stream is).
    #[must_use]
    pub fn consume(self, durable: &str) -> Grant {
        Grant::Stream { stream: self.stream, access: StreamAccess::Consume { durable: durable.to_owned() } }
    }

    /// Reading it by an ephemeral consumer and by direct gets.
    #[must_use]
    pub fn read(self) -> Grant {
        Grant::Stream { stream: self.stream, access: StreamAccess::Read }
    }
}
