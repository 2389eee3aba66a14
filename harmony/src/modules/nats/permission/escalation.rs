//! What a grant cannot prevent.

use super::right::Right;
use crate::modules::nats::score::KvAccess;

/// What the holder of `rights` can do beyond them, as sentences; permissions on subjects cannot prevent it.
#[must_use]
pub fn escalations(rights: &[Right]) -> Vec<String> {
    rights.iter().filter_map(escalation).collect()
}

fn escalation(right: &Right) -> Option<String> {
    match right {
        Right::Kv { access: KvAccess::WriteOnly, .. } => None,
        Right::Kv { bucket, access: KvAccess::Owner, .. } => Some(format!(
            "as owner of bucket {bucket} it can make the bucket a copy of any other stream of the account, and read that there; it can let \
             the bucket publish what it receives under any subject of the account; as its reader it can let the server deliver the \
             bucket's values to any subject of the account, and end the watches of others"
        )),
        Right::Kv { bucket, .. } => Some(format!(
            "as reader of bucket {bucket} it can let the server deliver the bucket's values to any subject of the account, and end the \
             watches of others"
        )),
        Right::StreamRead { stream } => Some(format!(
            "as reader of stream {stream} it can let the server deliver the stream's messages to any subject of the account"
        )),
        Right::StreamConsume { stream, durable } => Some(format!(
            "as user of consumer {durable} of stream {stream} it can change that consumer, and let the server deliver to any subject of \
             the account"
        )),
        Right::Provision => {
            Some("it can make, change and delete every stream of the account, and copy one into another".to_owned())
        }
        Right::StreamPublish { .. } | Right::Publish { .. } | Right::Subscribe { .. } | Right::Operate => None,
    }
}
