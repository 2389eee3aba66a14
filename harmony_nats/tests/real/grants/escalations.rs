//! What permissions on subjects cannot prevent today. When one of these fails, a server has learnt to prevent it: then say so in the
//! documentation of the permissions and in the notes of plans.

use std::time::Duration;

use async_nats::Subscriber;
use futures::StreamExt;
use harmony::modules::nats::permission::{Right, escalations, permissions};
use harmony::modules::nats::score::KvAccess;
use serde_json::{Value as Json, json};

use super::{Connected, on_bucket, with_rights};
use crate::fixture::{System, name};

/// A subject that none of the users here may publish to.
const FORBIDDEN: &str = "orders.approved";
const PATIENCE: Duration = Duration::from_secs(5);

async fn ask(connected: &Connected, verb: &str, body: Json) -> Json {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let answer = connected.client.request(format!("$JS.API.{verb}"), body.into()).await.unwrap();
    let answer: Json = serde_json::from_slice(&answer.payload).unwrap();
    assert!(answer["error"].is_null(), "{verb}: {answer}");
    answer
}

/// A server with the bucket `B`, the bucket `OTHER` and the stream `S` with its durable consumer `D`, each with a message that says where
/// it is, and a user with that right.
async fn start(test: &str, user: &'static str, right: &Right) -> Option<(System, Connected, Connected)> {
    let system = System::solo(test, vec![with_rights(user, std::slice::from_ref(right))])?;
    let root = Connected::new(&system, "app").await;
    for (stream, subjects, message) in
        [("KV_B", "$KV.B.>", "$KV.B.key"), ("KV_OTHER", "$KV.OTHER.>", "$KV.OTHER.key"), ("S", "s.>", "s.1")]
    {
        let config = json!({ "name": stream, "subjects": [subjects], "allow_direct": true, "storage": "memory" });
        ask(&root, &format!("STREAM.CREATE.{stream}"), config).await;
        root.client.request(message, format!("value of {stream}").into()).await.unwrap();
    }
    let config =
        json!({ "stream_name": "S", "config": { "durable_name": "D", "ack_policy": "explicit", "filter_subject": "s.>" } });
    ask(&root, "CONSUMER.CREATE.S.D.s.>", config).await;
    let connected = Connected::new(&system, user).await;
    Some((system, root, connected))
}

/// The next message there.
async fn heard(subscriber: &mut Subscriber) -> String {
    let message = tokio::time::timeout(PATIENCE, subscriber.next()).await.unwrap().unwrap();
    String::from_utf8(message.payload.to_vec()).unwrap()
}

/// What `plan` says of that right.
fn note(right: &Right) -> String {
    escalations(std::slice::from_ref(right)).join("\n")
}

async fn listens(root: &Connected) -> Subscriber {
    let subscriber = root.client.subscribe(FORBIDDEN).await.unwrap();
    root.client.flush().await.unwrap();
    subscriber
}

/// A user who may not publish to the subject itself lets the server do it.
async fn delivers(test: &str, user: &'static str, right: Right, stream: &str, subject: &str) {
    let Some((_system, root, mut connected)) = start(test, user, &right).await else { return };
    let mut subscriber = listens(&root).await;
    connected.client.publish(FORBIDDEN, "by itself".into()).await.unwrap();
    assert_eq!(connected.complaints().await.len(), 1);
    let config =
        json!({ "stream_name": stream, "config": { "deliver_subject": FORBIDDEN, "ack_policy": "none", "name": "probe" } });
    ask(&connected, subject, config).await;
    assert_eq!(heard(&mut subscriber).await, format!("value of {stream}"));
    assert!(note(&right).contains("can let the server deliver"), "{}", note(&right));
}

#[tokio::test]
async fn a_reader_of_a_bucket_lets_the_server_deliver_anywhere() {
    for (user, access) in [("reader", KvAccess::Read), ("writer", KvAccess::ReadWrite), ("owner", KvAccess::Owner)] {
        delivers(
            "a_reader_of_a_bucket_lets_the_server_deliver_anywhere",
            user,
            on_bucket(access),
            "KV_B",
            "CONSUMER.CREATE.KV_B.probe",
        )
        .await;
    }
}

#[tokio::test]
async fn a_reader_of_a_stream_lets_the_server_deliver_anywhere() {
    let test = "a_reader_of_a_stream_lets_the_server_deliver_anywhere";
    delivers(test, "reader", Right::StreamRead { stream: name("S") }, "S", "CONSUMER.CREATE.S.probe").await;
}

#[tokio::test]
async fn the_user_of_a_durable_consumer_changes_it_and_lets_the_server_deliver_anywhere() {
    let test = "the_user_of_a_durable_consumer_changes_it_and_lets_the_server_deliver_anywhere";
    let right = Right::StreamConsume { stream: name("S"), durable: name("D") };
    let Some((_system, root, connected)) = start(test, "consumer", &right).await else { return };
    let change = |config: Json| json!({ "stream_name": "S", "config": config });
    let other = json!({ "durable_name": "D", "ack_policy": "explicit", "filter_subject": "s.other" });
    ask(&connected, "CONSUMER.CREATE.S.D.s.other", change(other)).await;
    assert_eq!(ask(&root, "CONSUMER.INFO.S.D", Json::Null).await["config"]["filter_subject"], "s.other");
    // It becomes a push consumer once it is made anew.
    ask(&root, "CONSUMER.DELETE.S.D", Json::Null).await;
    let mut subscriber = listens(&root).await;
    let push = json!({ "durable_name": "D", "ack_policy": "explicit", "deliver_subject": FORBIDDEN });
    ask(&connected, "CONSUMER.CREATE.S.D", change(push)).await;
    assert_eq!(heard(&mut subscriber).await, "value of S");
    let note = note(&right);
    assert!(note.contains("can change that consumer") && note.contains("let the server deliver"), "{note}");
}

#[tokio::test]
async fn a_reader_ends_the_watches_of_others() {
    let right = on_bucket(KvAccess::Read);
    let Some((_system, root, connected)) = start("a_reader_ends_the_watches_of_others", "reader", &right).await else { return };
    let config = json!({ "stream_name": "KV_B", "config": { "durable_name": "others", "ack_policy": "explicit" } });
    ask(&root, "CONSUMER.CREATE.KV_B.others", config).await;
    ask(&connected, "CONSUMER.DELETE.KV_B.others", Json::Null).await;
    assert_eq!(ask(&root, "CONSUMER.NAMES.KV_B", Json::Null).await["consumers"], json!([]));
    assert!(note(&right).contains("end the watches of others"), "{}", note(&right));
}

#[tokio::test]
async fn an_owner_makes_its_bucket_a_copy_of_another_and_reads_that_there() {
    let test = "an_owner_makes_its_bucket_a_copy_of_another_and_reads_that_there";
    let right = on_bucket(KvAccess::Owner);
    let Some((_system, root, mut connected)) = start(test, "owner", &right).await else { return };
    let _ = tokio::time::timeout(Duration::from_millis(200), connected.client.request("$JS.API.DIRECT.GET.KV_OTHER", "".into()))
        .await;
    assert_eq!(connected.complaints().await.len(), 1, "it may not read the other one itself");
    let copy = json!({
        "name": "KV_B", "subjects": ["$KV.B.>"], "allow_direct": true, "storage": "memory", "sources": [{ "name": "KV_OTHER" }]
    });
    ask(&connected, "STREAM.UPDATE.KV_B", copy).await;
    let until = std::time::Instant::now() + PATIENCE;
    let mut read = String::new();
    while read != "value of KV_OTHER" && std::time::Instant::now() < until {
        let answer = connected.client.request("$JS.API.DIRECT.GET.KV_B", r#"{"seq":2}"#.into()).await.unwrap();
        read = String::from_utf8(answer.payload.to_vec()).unwrap();
    }
    assert_eq!(read, "value of KV_OTHER");
    assert!(note(&right).contains("make the bucket a copy of any other stream"), "{}", note(&right));
    drop(root);
}

#[tokio::test]
async fn an_owner_lets_its_bucket_publish_anywhere() {
    let right = on_bucket(KvAccess::Owner);
    let Some((_system, root, connected)) = start("an_owner_lets_its_bucket_publish_anywhere", "owner", &right).await else {
        return;
    };
    let mut subscriber = listens(&root).await;
    let republishing = json!({
        "name": "KV_B", "subjects": ["$KV.B.>"], "allow_direct": true, "storage": "memory",
        "republish": { "src": "$KV.B.key", "dest": FORBIDDEN }
    });
    ask(&connected, "STREAM.UPDATE.KV_B", republishing).await;
    connected.client.request("$KV.B.key", "chosen by the owner".into()).await.unwrap();
    assert_eq!(heard(&mut subscriber).await, "chosen by the owner");
    assert!(note(&right).contains("publish what it receives"), "{}", note(&right));
}

#[tokio::test]
async fn no_right_includes_the_whole_api_or_the_inboxes_of_others() {
    let rights = [
        on_bucket(KvAccess::Owner),
        Right::StreamRead { stream: name("S") },
        Right::StreamConsume { stream: name("S"), durable: name("D") },
        Right::Provision,
        Right::Operate,
    ];
    let permissions = permissions(&name("somebody"), &rights);
    for subject in ["$JS.API.STREAM.>", "$JS.API.CONSUMER.>", "$JS.API.>", "$JS.>", "_INBOX.>", ">"] {
        assert!(!permissions.publish.iter().chain(&permissions.subscribe).any(|granted| granted == subject), "{subject}");
    }
}
