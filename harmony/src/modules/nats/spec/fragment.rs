//! What Scores contribute to one system.

use super::super::built::BuiltSystem;
use crate::modules::nats::score::{
    CredentialsScore, JetstreamScore, KvBucketScore, NatsScore, NatsSuperclusterScore, StreamScore,
};
use crate::stage::Thing;

/// A NATS system: what one Score declares and others contribute to, by its name.
#[derive(Debug)]
pub struct NatsSystem;

impl Thing for NatsSystem {
    const NOUN: &'static str = "NATS system";
    type Fragment = NatsFragment;
    type Built = BuiltSystem;
}

/// What a Score says of a system: the Score itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NatsFragment {
    /// It is one cluster.
    Cluster(NatsScore),
    /// It is several sites.
    Supercluster(NatsSuperclusterScore),
    /// It has JetStream.
    Jetstream(JetstreamScore),
    /// It has these accounts and users.
    Credentials(CredentialsScore),
    /// It holds this bucket.
    Bucket(KvBucketScore),
    /// It holds this stream.
    Stream(StreamScore),
}

macro_rules! from_score {
    ($($score:ident => $variant:ident),*) => {
        $(impl From<$score> for NatsFragment {
            fn from(score: $score) -> Self {
                Self::$variant(score)
            }
        })*
    };
}

from_score!(
    NatsScore => Cluster,
    NatsSuperclusterScore => Supercluster,
    JetstreamScore => Jetstream,
    CredentialsScore => Credentials,
    KvBucketScore => Bucket,
    StreamScore => Stream
);
