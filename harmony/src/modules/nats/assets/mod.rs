//! What lives inside an account: buckets and streams, and the account's contents as a whole. Resources; their provider is the
//! [`NatsClient`](super::client::NatsClient).

mod account;
mod arrange;
mod bucket;
mod limits;
mod server;
mod stream;

pub use account::{AccountContents, AccountIdentity};
pub use arrange::{arrange_bucket, arrange_stream};
pub use bucket::{BucketIdentity, KvBucket};
pub use limits::{Compression, Discard, History, LimitError, Nothing, Replicas, Retention, Storage};
pub use server::{MembershipIdentity, ServerMembership};
pub use stream::{Stream, StreamIdentity};
