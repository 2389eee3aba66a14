//! From rights to subjects.

use std::collections::BTreeSet;

use harmony_types::UserName;
use serde::{Deserialize, Serialize};

use super::right::Right;
use crate::modules::nats::proof::SystemAccountHoldsNoData;
use crate::modules::nats::score::KvAccess;

/// The subjects that a user may publish and subscribe to, sorted, with wildcards; nothing else.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Permissions {
    /// What it may publish to.
    pub publish: Vec<String>,
    /// What it may subscribe to.
    pub subscribe: Vec<String>,
}

/// The prefix of a user's inboxes, without the final dot: nobody else may subscribe below it.
#[must_use]
pub fn inbox_prefix(user: &UserName) -> String {
    format!("_INBOX_{user}")
}

/// The subjects that follow from a user's rights: those of each right, the user's own inboxes, and the question who it is.
#[must_use]
pub fn permissions(user: &UserName, rights: &[Right]) -> Permissions {
    let mut publish = BTreeSet::from(["$SYS.REQ.USER.INFO".to_owned()]);
    let mut subscribe = BTreeSet::from([format!("{}.>", inbox_prefix(user))]);
    for right in rights {
        match right {
            Right::Subscribe { subject } => {
                subscribe.insert(subject.clone());
            }
            right => publish.extend(published(right)),
        }
    }
    Permissions { publish: publish.into_iter().collect(), subscribe: subscribe.into_iter().collect() }
}

/// The subjects that a right needs to publish to (NATS ADR-8 for buckets; the JetStream API's reference for streams).
fn published(right: &Right) -> Vec<String> {
    match right {
        Right::Kv { bucket, access, below } => kv(bucket.as_str(), *access, below.as_deref()),
        Right::StreamPublish { subjects, .. } => subjects.clone(),
        Right::StreamRead { stream } => {
            let mut subjects = reading(stream.as_str());
            subjects.push(format!("$JS.API.DIRECT.GET.{stream}.>"));
            subjects.push(format!("$JS.API.CONSUMER.MSG.NEXT.{stream}.*"));
            subjects
        }
        Right::StreamConsume { stream, durable } => consuming(stream.as_str(), durable.as_str()),
        Right::Publish { subject } => vec![subject.clone()],
        Right::Subscribe { .. } => Vec::new(),
        Right::Provision => owned(&[
            "$JS.API.INFO",
            "$JS.API.STREAM.CREATE.*",
            "$JS.API.STREAM.UPDATE.*",
            "$JS.API.STREAM.DELETE.*",
            "$JS.API.STREAM.INFO.*",
            "$JS.API.STREAM.NAMES",
            "$JS.API.STREAM.LIST",
        ]),
        Right::Operate => {
            let own = [
                "$SYS.REQ.>",
                // For servers that leave: their copies go to others, and they are struck off the meta group.
                "$JS.API.ACCOUNT.STREAM.MOVE.>",
                "$JS.API.META.LEADER.STEPDOWN",
                "$JS.API.SERVER.REMOVE",
            ];
            let probe = format!("$JS.API.STREAM.CREATE.{}", SystemAccountHoldsNoData::STREAM);
            own.into_iter().map(str::to_owned).chain([probe]).collect()
        }
    }
}

fn kv(bucket: &str, access: KvAccess, below: Option<&str>) -> Vec<String> {
    let keys = below.map_or_else(|| format!("$KV.{bucket}.>"), |prefix| format!("$KV.{bucket}.{prefix}.>"));
    let stream = format!("KV_{bucket}");
    let read = || {
        let mut subjects = reading(&stream);
        subjects.push(format!("$JS.API.DIRECT.GET.{stream}.$KV.{bucket}.>"));
        subjects
    };
    let mut subjects = match access {
        KvAccess::Read => return read(),
        KvAccess::WriteOnly => vec!["$JS.API.INFO".to_owned()],
        KvAccess::ReadWrite => read(),
        KvAccess::Owner => {
            let verbs = ["CREATE", "UPDATE", "DELETE"].map(|verb| format!("$JS.API.STREAM.{verb}.{stream}"));
            let mut subjects = read();
            subjects.push("$JS.API.INFO".to_owned());
            subjects.extend(verbs);
            subjects
        }
    };
    subjects.push(keys);
    subjects
}

/// Opening a stream, getting by sequence, and reading by an ordered consumer, made both by clients that name the filter in the subject
/// and by those that do not.
fn reading(stream: &str) -> Vec<String> {
    let mut subjects = vec![
        format!("$JS.API.STREAM.INFO.{stream}"),
        format!("$JS.API.DIRECT.GET.{stream}"),
        format!("$JS.API.CONSUMER.CREATE.{stream}"),
        format!("$JS.API.CONSUMER.CREATE.{stream}.>"),
        format!("$JS.API.CONSUMER.DELETE.{stream}.*"),
    ];
    subjects.extend(both_forms("FC", &format!("{stream}.>")));
    subjects
}

fn consuming(stream: &str, durable: &str) -> Vec<String> {
    let mut subjects = vec![
        format!("$JS.API.STREAM.INFO.{stream}"),
        format!("$JS.API.CONSUMER.INFO.{stream}.{durable}"),
        format!("$JS.API.CONSUMER.CREATE.{stream}.{durable}"),
        format!("$JS.API.CONSUMER.CREATE.{stream}.{durable}.>"),
        format!("$JS.API.CONSUMER.DURABLE.CREATE.{stream}.{durable}"),
        format!("$JS.API.CONSUMER.MSG.NEXT.{stream}.{durable}"),
    ];
    subjects.extend(both_forms("ACK", &format!("{stream}.{durable}.>")));
    subjects
}

/// Acknowledgement and flow control subjects, in their first form and in the second (`js_ack_fc_v2`, from 2.14 on), which has the domain
/// and a hash of the account in front.
fn both_forms(what: &str, rest: &str) -> [String; 2] {
    [format!("$JS.{what}.{rest}"), format!("$JS.{what}.*.*.{rest}")]
}

fn owned(subjects: &[&str]) -> Vec<String> {
    subjects.iter().map(|subject| (*subject).to_owned()).collect()
}
