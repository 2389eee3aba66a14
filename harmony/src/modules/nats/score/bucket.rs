//! A key-value bucket.

use harmony_types::{ByteSize, TimeSpan};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::replication::{Losses, Replication};
use crate::modules::nats::assets::{Compression, Storage};

/// A key-value bucket in an account of a system.
///
/// ```
/// use harmony::modules::nats::assets::Replicas;
/// use harmony::modules::nats::score::{KvBucketScore, Replication};
/// use harmony_types::{ByteSize, TimeSpan};
///
/// let survives_a_site = KvBucketScore::on("nats", "HARMONY", "HARMONY").with_history(5).with_max_size(ByteSize::mib(64));
/// let only_in_east = KvBucketScore::on("nats", "HARMONY", "CACHE")
///     .with_ttl(TimeSpan::hours(1))
///     .with_replication(Replication::Local(Replicas::THREE))
///     .at_site("east");
/// assert_eq!(serde_json::to_value(&only_in_east).unwrap()["replication"]["local"], 3);
/// # let _ = survives_a_site;
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[must_use]
pub struct KvBucketScore {
    pub(crate) system: String,
    pub(crate) account: String,
    pub(crate) bucket: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) history: Option<u8>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ttl: Option<TimeSpan>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) max_value_size: Option<ByteSize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) max_size: Option<ByteSize>,
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

impl KvBucketScore {
    /// The bucket `bucket` (1 to 64 of `A-Z`, `a-z`, `0-9`, `_`, `-`) in the account `account` of the system `system`.
    pub fn on(system: &str, account: &str, bucket: &str) -> Self {
        Self {
            system: system.to_owned(),
            account: account.to_owned(),
            bucket: bucket.to_owned(),
            description: None,
            history: None,
            ttl: None,
            max_value_size: None,
            max_size: None,
            storage: Storage::File,
            compression: Compression::Off,
            replication: None,
            site: None,
            losses: Losses::Refused,
        }
    }

    /// The same with a description for people.
    pub fn with_description(mut self, text: &str) -> Self {
        self.description = Some(text.to_owned());
        self
    }

    /// The same keeping so many values of a key, 1 to 64. Default: 1.
    pub fn with_history(mut self, values: u8) -> Self {
        self.history = Some(values);
        self
    }

    /// The same with values that live so long. Default: for ever.
    pub fn with_ttl(mut self, span: TimeSpan) -> Self {
        self.ttl = Some(span);
        self
    }

    /// The same with values of at most this size. Default: what a server takes as one message.
    pub fn with_max_value_size(mut self, size: ByteSize) -> Self {
        self.max_value_size = Some(size);
        self
    }

    /// The same with at most this much in each copy. Default: what the account may hold.
    pub fn with_max_size(mut self, size: ByteSize) -> Self {
        self.max_size = Some(size);
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
        format!("{} of account {} on {}", self.bucket, self.account, self.system)
    }
}
