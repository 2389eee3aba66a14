//! How buckets and streams are added to what a place arranges, wherever their servers stand.

use super::{KvBucket, Stream};
use crate::address::Address;
use crate::error::ArrangeError;
use crate::modules::nats::access::NatsAccess;
use crate::stage::Stage;
use crate::topology::Hosts;

/// Adds a bucket in the system that `access` reaches: what a place answers to
/// [`NatsJetstream::arrange_bucket`](crate::capability::NatsJetstream::arrange_bucket) that holds it as a resource.
///
/// # Errors
/// [`ArrangeError`] if it is there twice.
pub fn arrange_bucket(
    on: &impl Hosts<KvBucket>,
    access: &NatsAccess,
    bucket: &KvBucket,
    stage: &mut Stage,
) -> Result<Address, ArrangeError> {
    let name = format!("bucket/{}/{}", bucket.identity.account, bucket.identity.bucket);
    Ok(stage.add_through(on, access, &name, bucket)?.address().clone())
}

/// Adds a stream in the system that `access` reaches, as [`arrange_bucket`] does a bucket.
///
/// # Errors
/// [`ArrangeError`] if it is there twice.
pub fn arrange_stream(
    on: &impl Hosts<Stream>,
    access: &NatsAccess,
    stream: &Stream,
    stage: &mut Stage,
) -> Result<Address, ArrangeError> {
    let name = format!("stream/{}/{}", stream.identity.account, stream.identity.stream);
    Ok(stage.add_through(on, access, &name, stream)?.address().clone())
}
