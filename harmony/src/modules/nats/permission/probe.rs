//! The probes that prove one user's permissions.

use std::collections::BTreeSet;

use harmony_types::{BucketName, StreamName};

use super::api::{ApiCall, account_calls, administering_calls, owning_calls, reading_calls, server_calls, writing_calls};
use super::right::Right;
use crate::modules::nats::proof::{Expectation, Probe};
use crate::modules::nats::spec::{SystemSpec, UserSpec, matches};

/// The probes for `user` of `system`, none of which changes anything: what it may do, and what it may not. One bucket of its account to
/// which it has no right stands for all that is foreign.
#[must_use]
pub fn probes(user: &UserSpec, system: &SystemSpec) -> Vec<Probe> {
    let granted = granted(&user.rights);
    let mut calls: Vec<ApiCall> = granted.iter().flat_map(|bucket| bucket_calls(bucket)).collect();
    calls.extend(user.rights.iter().flat_map(right_calls));
    calls.extend(account_calls());
    calls.extend(server_calls(&user.name));
    let buckets = system.buckets().iter().map(|spec| &spec.bucket.identity).filter(|bucket| bucket.account == user.account);
    let foreign = buckets.map(|identity| &identity.bucket).find(|bucket| !granted.contains(bucket));
    calls.extend(foreign.into_iter().flat_map(foreign_calls));
    let mut seen = BTreeSet::new();
    calls.retain(|call| seen.insert(call.subject.clone()));
    calls.into_iter().map(|call| probe(call, &user.permissions.publish)).collect()
}

fn granted(rights: &[Right]) -> BTreeSet<&BucketName> {
    let mut buckets = BTreeSet::new();
    for right in rights {
        if let Right::Kv { bucket, .. } = right {
            buckets.insert(bucket);
        }
    }
    buckets
}

fn bucket_calls(bucket: &BucketName) -> Vec<ApiCall> {
    let name = bucket.as_str();
    [reading_calls(name), writing_calls(name, None), owning_calls(name), administering_calls(name)].concat()
}

/// The most telling of the calls on a bucket that the user has no right to.
fn foreign_calls(bucket: &BucketName) -> Vec<ApiCall> {
    let mut calls = bucket_calls(bucket);
    calls.retain(|call| ["open", "get a key", "watch", "put", "delete", "purge"].iter().any(|verb| call.what.starts_with(verb)));
    calls
}

/// What a right allows beyond what is asked of every bucket.
fn right_calls(right: &Right) -> Vec<ApiCall> {
    match right {
        Right::Kv { bucket, below: Some(prefix), .. } => writing_calls(bucket.as_str(), Some(prefix)),
        Right::StreamRead { stream } => stream_calls(stream, "probe"),
        Right::StreamConsume { stream, durable } => stream_calls(stream, durable.as_str()),
        // A subject of the application is not probed where that is allowed: somebody would get the message.
        _ => Vec::new(),
    }
}

fn stream_calls(stream: &StreamName, consumer: &str) -> Vec<ApiCall> {
    let call = |what: &str, subject: String| ApiCall::asking(format!("{what} stream {stream}"), subject);
    let change = |what: &str, subject: String| ApiCall::changing(format!("{what} stream {stream}"), subject);
    vec![
        call("open", format!("$JS.API.STREAM.INFO.{stream}")),
        call("look at the consumer of", format!("$JS.API.CONSUMER.INFO.{stream}.{consumer}")),
        change("make the consumer of", format!("$JS.API.CONSUMER.CREATE.{stream}.{consumer}")),
        change("make another consumer of", format!("$JS.API.CONSUMER.CREATE.{stream}.not-{consumer}")),
        change("delete a consumer of", format!("$JS.API.CONSUMER.DELETE.{stream}.not-{consumer}")),
        change("purge", format!("$JS.API.STREAM.PURGE.{stream}")),
        change("delete", format!("$JS.API.STREAM.DELETE.{stream}")),
        change("change", format!("$JS.API.STREAM.UPDATE.{stream}")),
    ]
}

fn probe(call: ApiCall, publish: &[String]) -> Probe {
    let allowed = publish.iter().any(|pattern| matches(pattern, &call.subject));
    Probe {
        what: call.what,
        subject: call.subject,
        body: call.harmless_body,
        expected_last_sequence: call.expected_last_sequence,
        expect: if allowed { Expectation::Allowed } else { Expectation::Refused },
    }
}
