//! JetStream's settings on every server of a system.

use harmony_types::{ByteSize, TimeSpan};
use serde::{Deserialize, Serialize};

use super::agree::agreed;
use super::rule::Rule;
use crate::error::ArrangeError;
use crate::modules::nats::score::{JetstreamScore, RequestChecking, SyncPolicy};
use crate::origin::Origin;
use crate::stage::Contribution;

/// JetStream's settings on every server of a system; what is `None` has the server's own default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JetstreamSettings {
    /// Memory for streams in memory, on each server.
    pub max_memory: Option<ByteSize>,
    /// Disk, on each server.
    pub max_file: Option<ByteSize>,
    /// The JetStream domain: a name without dots, wildcards and white space.
    pub domain: Option<String>,
    /// Messages that a server holds for a slow stream.
    pub max_buffered_messages: Option<u64>,
    /// How much a server holds for a slow stream.
    pub max_buffered_size: Option<ByteSize>,
    /// JetStream requests that may wait on a server.
    pub request_queue_limit: Option<u64>,
    /// When acknowledged messages are written through.
    pub sync: SyncPolicy,
    /// How requests with unknown fields are treated.
    pub strict: RequestChecking,
    /// The prefix of the tags by which copies are spread.
    pub unique_tag: Option<String>,
}

/// What all that speak of JetStream agree on; nothing if nobody does.
pub(super) fn settings(said: &[Contribution<JetstreamScore>]) -> Result<Option<JetstreamSettings>, ArrangeError> {
    if said.is_empty() {
        return Ok(None);
    }
    said.iter().try_for_each(check)?;
    macro_rules! field {
        ($field:ident) => {
            agreed(
                concat!("JetStream's ", stringify!($field)),
                said.iter().map(|each| (&each.origin, each.fragment.$field.clone())),
            )?
        };
    }
    Ok(Some(JetstreamSettings {
        max_memory: field!(max_memory),
        max_file: field!(max_file),
        domain: field!(domain),
        max_buffered_messages: field!(max_buffered_messages),
        max_buffered_size: field!(max_buffered_size),
        request_queue_limit: field!(request_queue_limit),
        sync: field!(sync).unwrap_or_default(),
        strict: field!(strict).unwrap_or_default(),
        unique_tag: field!(unique_tag),
    }))
}

fn check(said: &Contribution<JetstreamScore>) -> Result<(), ArrangeError> {
    let score = &said.fragment;
    let sizes = [("max_memory", score.max_memory), ("max_file", score.max_file), ("max_buffered_size", score.max_buffered_size)];
    let counts = [("max_buffered_messages", score.max_buffered_messages), ("request_queue_limit", score.request_queue_limit)];
    let span = match score.sync {
        Some(SyncPolicy::Every(span)) => Some(milliseconds(span)),
        _ => None,
    };
    let numbers =
        sizes.into_iter().map(|(name, size)| (name, size.map(ByteSize::as_bytes))).chain(counts).chain([("sync", span)]);
    above_zero("JetStream", numbers, &said.origin)?;
    match &score.domain {
        Some(domain) if !is_domain(domain) => Err(Rule::DomainName.refuse(
            format!("`{domain}` is not a JetStream domain"),
            &[&said.origin],
            "write 1 to 64 characters of A-Z, a-z, 0-9, `_` and `-`",
        )),
        _ => Ok(()),
    }
}

/// Refuses limits of `whose` that are zero.
pub(super) fn above_zero(
    whose: &str,
    limits: impl IntoIterator<Item = (&'static str, Option<u64>)>,
    origin: &Origin,
) -> Result<(), ArrangeError> {
    match limits.into_iter().find(|(_, limit)| *limit == Some(0)) {
        None => Ok(()),
        Some((name, _)) => Err(Rule::LimitAboveZero.refuse(
            format!("{name} of {whose} is zero"),
            &[origin],
            "give a limit above zero, or none for the default",
        )),
    }
}

/// A span as a number, to be compared with zero.
pub(super) fn milliseconds(span: TimeSpan) -> u64 {
    u64::try_from(span.as_duration().as_millis()).unwrap_or(u64::MAX)
}

/// The server only warns of some bad domains, and then its API is not found under them.
fn is_domain(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    (1..=64).contains(&text.len()) && text.bytes().all(allowed)
}
