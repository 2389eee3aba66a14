//! The table of everything that can be asked of JetStream about a bucket, and who may.

use harmony_types::{BucketName, UserName};

use crate::modules::nats::score::KvAccess;

const READERS: &[KvAccess] = &[KvAccess::Read, KvAccess::ReadWrite, KvAccess::Owner];
const WRITERS: &[KvAccess] = &[KvAccess::ReadWrite, KvAccess::WriteOnly, KvAccess::Owner];
const ASKERS: &[KvAccess] = &[KvAccess::WriteOnly, KvAccess::Owner];
const OWNER: &[KvAccess] = &[KvAccess::Owner];
const NOBODY: &[KvAccess] = &[];
const EVERYBODY: &[KvAccess] = &[KvAccess::Read, KvAccess::ReadWrite, KvAccess::WriteOnly, KvAccess::Owner];

/// The key that probes name; it is never written.
const KEY: &str = "harmony-probe";
/// A body that begins as JSON and is none. The server checks the permission first and then refuses this, whatever the call: it neither
/// takes it for an empty request nor passes over it.
const NOT_A_REQUEST: &str = "{!";
/// A sequence that the last message of a subject cannot have, so that a write which expects it is refused.
const IMPOSSIBLE_SEQUENCE: u64 = 1 << 62;

/// One call of JetStream's API, or a message that means something to JetStream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiCall {
    /// What it does, for people: `delete bucket HARMONY`.
    pub what: String,
    /// Its subject.
    pub subject: String,
    /// A body with which it changes nothing even where it is allowed.
    pub harmless_body: String,
    /// For calls that write: the sequence that the subject's last message would have to have, which none has.
    pub expected_last_sequence: Option<u64>,
    /// A body with which it does what it says. Only for tests, on servers of their own.
    pub real_body: String,
    /// The accesses to the bucket that include it.
    pub allowed: &'static [KvAccess],
}

impl ApiCall {
    /// A call that only reads, with an empty request.
    pub(super) fn asking(what: String, subject: String) -> Self {
        let (harmless_body, real_body) = (String::new(), String::new());
        Self { what, subject, harmless_body, expected_last_sequence: None, real_body, allowed: NOBODY }
    }

    /// A call that changes something, with an empty request.
    pub(super) fn changing(what: String, subject: String) -> Self {
        Self { harmless_body: NOT_A_REQUEST.to_owned(), ..Self::asking(what, subject) }
    }

    fn with_body(mut self, body: &str) -> Self {
        self.harmless_body = NOT_A_REQUEST.to_owned();
        self.real_body = body.to_owned();
        self
    }

    fn writing(what: String, subject: String) -> Self {
        Self {
            harmless_body: "probe".to_owned(),
            expected_last_sequence: Some(IMPOSSIBLE_SEQUENCE),
            real_body: "value".to_owned(),
            ..Self::asking(what, subject)
        }
    }

    fn for_only(mut self, allowed: &'static [KvAccess]) -> Self {
        self.allowed = allowed;
        self
    }
}

/// Everything that `user` could ask with a right to `bucket`: every call of the API on the bucket's stream, and on the stream of `other`,
/// to which it has none; writes, acknowledgements, flow control; the inboxes of others and the server's own subjects. Whether a client
/// names the filter of a watch in the subject or in the body makes two rows.
#[must_use]
pub fn api_calls(user: &UserName, bucket: &BucketName, other: &BucketName) -> Vec<ApiCall> {
    let all = |bucket: &str| {
        [
            reading_calls(bucket),
            writing_calls(bucket, None),
            owning_calls(bucket),
            administering_calls(bucket),
            consumer_calls(bucket),
        ]
        .concat()
    };
    let mut calls = account_calls();
    calls.extend(all(bucket.as_str()));
    calls.extend(all(other.as_str()).into_iter().map(|call| call.for_only(NOBODY)));
    calls.extend(server_calls(user));
    calls
}

/// Calls on the account as a whole.
pub(super) fn account_calls() -> Vec<ApiCall> {
    let call = |what: &str, subject: &str| ApiCall::asking(what.to_owned(), subject.to_owned());
    vec![
        call("ask for the account's JetStream", "$JS.API.INFO").for_only(ASKERS),
        call("list the names of all streams", "$JS.API.STREAM.NAMES"),
        call("list all streams", "$JS.API.STREAM.LIST"),
    ]
}

/// What readers of a bucket need.
pub(super) fn reading_calls(bucket: &str) -> Vec<ApiCall> {
    let stream = format!("KV_{bucket}");
    let key = format!("$KV.{bucket}.{KEY}");
    let ephemeral = format!(r#"{{"stream_name":"{stream}","config":{{"ack_policy":"none","deliver_policy":"last"}}}}"#);
    let filtered = format!(
        r#"{{"stream_name":"{stream}","config":{{"name":"probe","ack_policy":"none","deliver_policy":"last","filter_subject":"{key}"}}}}"#
    );
    let ask = |what: &str, subject: String| ApiCall::asking(format!("{what} bucket {bucket}"), subject);
    let calls = vec![
        ask("open", format!("$JS.API.STREAM.INFO.{stream}")),
        ask("get a key of", format!("$JS.API.DIRECT.GET.{stream}.{key}")),
        ask("get a revision of", format!("$JS.API.DIRECT.GET.{stream}")).with_body(r#"{"seq":1}"#),
        ask("watch, with the filter in the body,", format!("$JS.API.CONSUMER.CREATE.{stream}")).with_body(&ephemeral),
        ask("watch, with the filter in the subject,", format!("$JS.API.CONSUMER.CREATE.{stream}.probe.{key}"))
            .with_body(&filtered),
        ApiCall::changing(format!("end a watch of bucket {bucket}"), format!("$JS.API.CONSUMER.DELETE.{stream}.probe")),
        ask("answer the flow control of", format!("$JS.FC.{stream}.probe.1")),
        ask("answer the flow control (second form) of", format!("$JS.FC._.hash.{stream}.probe.1")),
    ];
    calls.into_iter().map(|call| call.for_only(READERS)).collect()
}

/// What writers of a bucket need, perhaps only below a prefix of its keys.
pub(super) fn writing_calls(bucket: &str, below: Option<&str>) -> Vec<ApiCall> {
    let key = below.map_or_else(|| KEY.to_owned(), |prefix| format!("{prefix}.{KEY}"));
    vec![ApiCall::writing(format!("put key {key} of bucket {bucket}"), format!("$KV.{bucket}.{key}")).for_only(WRITERS)]
}

/// What owners of a bucket need.
pub(super) fn owning_calls(bucket: &str) -> Vec<ApiCall> {
    let stream = format!("KV_{bucket}");
    let config = format!(
        r#"{{"name":"{stream}","subjects":["$KV.{bucket}.>"],"max_msgs_per_subject":1,"storage":"file","num_replicas":1,"retention":"limits","discard":"new","allow_rollup_hdrs":true,"deny_delete":true,"allow_direct":true}}"#
    );
    let subject = |verb: &str| format!("$JS.API.STREAM.{verb}.{stream}");
    let calls = vec![
        ApiCall::asking(format!("create bucket {bucket}"), subject("CREATE")).with_body(&config),
        ApiCall::asking(format!("change bucket {bucket}"), subject("UPDATE")).with_body(&config),
        ApiCall::changing(format!("delete bucket {bucket}"), subject("DELETE")),
    ];
    calls.into_iter().map(|call| call.for_only(OWNER)).collect()
}

/// Calls on a bucket's stream that nobody needs who uses it as a bucket.
pub(super) fn administering_calls(bucket: &str) -> Vec<ApiCall> {
    let subject = |verb: &str| format!("$JS.API.STREAM.{verb}.KV_{bucket}");
    let ask =
        |what: &str, verb: &str, body: &str| ApiCall::asking(format!("{what} bucket {bucket}"), subject(verb)).with_body(body);
    vec![
        ApiCall::changing(format!("purge bucket {bucket}"), subject("PURGE")),
        ask("read a message of", "MSG.GET", r#"{"seq":1}"#),
        ask("erase a message of", "MSG.DELETE", r#"{"seq":1}"#),
        ask("back up", "SNAPSHOT", r#"{"deliver_subject":"probe"}"#),
        ask("restore", "RESTORE", r#"{"config":{},"state":{}}"#),
        ApiCall::changing(format!("move the leader of bucket {bucket}"), subject("LEADER.STEPDOWN")),
        ask("remove a server from", "PEER.REMOVE", r#"{"peer":"probe"}"#),
    ]
}

/// Calls on consumers of a bucket's stream that nobody needs who uses it as a bucket.
fn consumer_calls(bucket: &str) -> Vec<ApiCall> {
    let stream = format!("KV_{bucket}");
    let what = |what: &str| format!("{what} bucket {bucket}");
    let subject = |verb: &str| format!("$JS.API.CONSUMER.{verb}");
    let durable = format!(r#"{{"stream_name":"{stream}","config":{{"durable_name":"probe","ack_policy":"explicit"}}}}"#);
    vec![
        ApiCall::asking(what("list the consumers' names of"), subject(&format!("NAMES.{stream}"))),
        ApiCall::asking(what("list the consumers of"), subject(&format!("LIST.{stream}"))),
        ApiCall::asking(what("look at a consumer of"), subject(&format!("INFO.{stream}.probe"))),
        ApiCall::asking(what("make a durable consumer, by the old call, of"), subject(&format!("DURABLE.CREATE.{stream}.probe")))
            .with_body(&durable),
        ApiCall::asking(what("pull from a consumer of"), subject(&format!("MSG.NEXT.{stream}.probe"))),
        ApiCall::asking(what("pause a consumer of"), subject(&format!("PAUSE.{stream}.probe")))
            .with_body(r#"{"pause_until":"2100-01-01T00:00:00Z"}"#),
        ApiCall::changing(what("move the leader of a consumer of"), subject(&format!("LEADER.STEPDOWN.{stream}.probe"))),
        ApiCall::asking(what("acknowledge a message of"), format!("$JS.ACK.{stream}.probe.1.1.1.1.0")),
        ApiCall::asking(what("acknowledge a message (second form) of"), format!("$JS.ACK._.hash.{stream}.probe.1.1.1.1.0")),
    ]
}

/// The server's own subjects, other users' inboxes, and a message of an application.
pub(super) fn server_calls(user: &UserName) -> Vec<ApiCall> {
    let call = |what: &str, subject: &str| ApiCall::asking(what.to_owned(), subject.to_owned());
    vec![
        call("ask who it is", "$SYS.REQ.USER.INFO").for_only(EVERYBODY),
        call("ask all servers for their state", "$SYS.REQ.SERVER.PING"),
        call("ask for the account's connections", "$SYS.REQ.ACCOUNT.PING.CONNZ"),
        ApiCall::changing("move JetStream's leader".to_owned(), "$JS.API.META.LEADER.STEPDOWN".to_owned()),
        call("answer into another user's inbox", &format!("_INBOX_not-{user}.probe")),
        call("answer into a common inbox", "_INBOX.probe"),
        call("publish an application's message", "harmony-probe.message"),
    ]
}
