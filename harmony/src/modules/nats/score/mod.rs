//! What users say of a NATS system: plain data. Names are kept as they were written and read when the system is assembled, so that a
//! wrong one is refused with the line that says it; see [`Rule`](super::spec::Rule) for all that is checked.
//!
//! One Score declares the system ([`NatsScore`] for one cluster, [`NatsSuperclusterScore`] for several sites); the others contribute
//! to it by its name. Their order does not matter.

mod bucket;
mod cluster;
mod credentials;
mod grant;
mod jetstream;
mod replication;
mod stream;
mod supercluster;

pub use bucket::KvBucketScore;
pub use cluster::NatsScore;
pub use credentials::{AccountWish, Authentication, CredentialsScore, UserWish};
pub use grant::{Grant, KvAccess, KvGrant, StreamAccess, StreamGrant};
pub use jetstream::{JetstreamScore, RequestChecking, SyncPolicy};
pub use replication::{Losses, Replication};
pub use stream::StreamScore;
pub use supercluster::{Hub, NatsSuperclusterScore, QuorumRisk, SiteWish};
