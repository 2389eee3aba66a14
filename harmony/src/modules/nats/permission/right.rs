//! A grant, checked.

use harmony_types::{BucketName, StreamName};

use crate::modules::nats::score::KvAccess;

/// A grant whose names are valid and whose bucket or stream exists.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Right {
    /// On a bucket.
    Kv {
        /// The bucket.
        bucket: BucketName,
        /// What may be done.
        access: KvAccess,
        /// The prefix of the keys that may be written, without the final dot; all keys if not given.
        below: Option<String>,
    },
    /// Publishing to the subjects of a stream.
    StreamPublish {
        /// The stream.
        stream: StreamName,
        /// Its subjects.
        subjects: Vec<String>,
    },
    /// Reading a stream.
    StreamRead {
        /// The stream.
        stream: StreamName,
    },
    /// Making and using one durable consumer of a stream.
    StreamConsume {
        /// The stream.
        stream: StreamName,
        /// The durable consumer.
        durable: StreamName,
    },
    /// Publishing to a subject of the application.
    Publish {
        /// The subject.
        subject: String,
    },
    /// Subscribing to a subject of the application.
    Subscribe {
        /// The subject.
        subject: String,
    },
    /// Making, changing, looking at and deleting every stream and bucket of the account, without reading any: Harmony's provisioner.
    Provision,
    /// Asking the servers, from the system account: Harmony's operator.
    Operate,
}
