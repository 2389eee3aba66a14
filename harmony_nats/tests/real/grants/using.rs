use std::time::{Duration, Instant};

use async_nats::jetstream::{self, Context, kv};
use futures::{StreamExt, TryStreamExt};
use harmony::modules::nats::permission::permissions;
use harmony::modules::nats::score::KvAccess;

use super::{Connected, PROFILES, on_bucket, with_rights};
use crate::fixture::{System, User, name};

/// A bucket that is large enough for flow control to matter.
const KEYS: usize = 3000;
const VALUE: usize = 8192;

/// How long to wait for what is refused: the client is not told, and waits for an answer.
const REFUSED_WITHIN: Duration = Duration::from_millis(300);

fn context(connected: &Connected) -> Context {
    jetstream::context::ContextBuilder::new().timeout(Duration::from_secs(5)).build(connected.client.clone())
}

async fn fill(system: &System) {
    let context = context(&Connected::new(system, "app").await);
    let config = kv::Config { bucket: "B".to_owned(), history: 2, ..Default::default() };
    context.create_key_value(config).await.unwrap();
    let mut acknowledgements = Vec::new();
    for key in 0..KEYS {
        acknowledgements.push(context.publish(format!("$KV.B.key.{key}"), vec![b'x'; VALUE].into()).await.unwrap());
    }
    for acknowledgement in acknowledgements {
        acknowledgement.await.unwrap();
    }
}

/// How many keys a watch delivers before it is silent.
async fn watched(bucket: &kv::Store) -> usize {
    let mut watch = bucket.watch_with_history(">").await.unwrap();
    let mut count = 0;
    while count < KEYS {
        match tokio::time::timeout(Duration::from_secs(3), watch.next()).await {
            Ok(Some(entry)) => count += entry.is_ok_and(|entry| entry.value.len() == VALUE) as usize,
            _ => break,
        }
    }
    count
}

/// Refused: the server complains, and nothing comes back.
async fn refused<T>(connected: &mut Connected, what: &str, operation: impl Future<Output = T>) {
    let _ = tokio::time::timeout(REFUSED_WITHIN, operation).await;
    let complaints = connected.complaints().await;
    assert!(complaints.iter().any(|words| words.to_lowercase().contains("permissions violation")), "{what}: {complaints:?}");
}

/// Takes every trace of a key away, so that what comes next finds the bucket as it was.
async fn forget(system: &System, key: &str) {
    let root = Connected::new(system, "app").await;
    let filter = format!(r#"{{"filter":"$KV.B.{key}"}}"#);
    root.client.request("$JS.API.STREAM.PURGE.KV_B", filter.into()).await.unwrap();
}

async fn reads(bucket: &kv::Store) -> usize {
    assert_eq!(bucket.get("key.7").await.unwrap().unwrap().len(), VALUE);
    let revision = bucket.entry("key.7").await.unwrap().unwrap().revision;
    assert!(bucket.entry_for_revision("key.7", revision).await.unwrap().is_some());
    assert_eq!(bucket.history("key.7").await.unwrap().try_collect::<Vec<_>>().await.unwrap().len(), 1);
    assert_eq!(bucket.keys().await.unwrap().try_collect::<Vec<_>>().await.unwrap().len(), KEYS);
    assert_eq!(watched(bucket).await, KEYS);
    bucket.status().await.unwrap();
    7
}

async fn writes(bucket: &kv::Store) -> usize {
    let first = bucket.create("new", "one".into()).await.unwrap();
    assert_eq!(bucket.create("new", "two".into()).await.unwrap_err().kind(), kv::CreateErrorKind::AlreadyExists);
    let second = bucket.update("new", "two".into(), first).await.unwrap();
    assert_eq!(bucket.update("new", "three".into(), first).await.unwrap_err().kind(), kv::UpdateErrorKind::WrongLastRevision);
    assert!(bucket.put("new", "three".into()).await.unwrap() > second);
    bucket.delete("new").await.unwrap();
    assert_eq!(bucket.get("new").await.unwrap(), None);
    bucket.purge("new").await.unwrap();
    assert!(bucket.keys().await.unwrap().try_collect::<Vec<_>>().await.unwrap().iter().all(|key| key != "new"));
    6
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_bucket_is_used_through_the_clients_own_operations() {
    let test = "a_large_bucket_is_used_through_the_clients_own_operations";
    let users = PROFILES.map(|(user, access)| with_rights(user, &[on_bucket(access)]));
    let Some(system) = System::solo(test, users.into()) else { return };
    fill(&system).await;
    let begun = Instant::now();
    let mut operations = 0;
    for (user, _) in PROFILES {
        let mut connected = Connected::new(&system, user).await;
        let context = context(&connected);
        if user == "dropper" {
            refused(&mut connected, "opening", context.get_key_value("B")).await;
            context.publish("$KV.B.dropped", "value".into()).await.unwrap().await.unwrap();
            operations += 2;
            forget(&system, "dropped").await;
            continue;
        }
        let bucket = context.get_key_value("B").await.unwrap();
        operations += 1 + reads(&bucket).await;
        if user == "reader" {
            refused(&mut connected, "putting", bucket.put("new", "value".into())).await;
            refused(&mut connected, "deleting", bucket.delete("key.7")).await;
            refused(&mut connected, "purging", bucket.purge("key.7")).await;
            operations += 3;
        } else {
            operations += writes(&bucket).await;
        }
        if user != "owner" {
            let config = || kv::Config { bucket: "B".to_owned(), history: 3, ..Default::default() };
            refused(&mut connected, "changing", context.update_key_value(config())).await;
            refused(&mut connected, "deleting the bucket", context.delete_key_value("B")).await;
            operations += 2;
        }
        assert_eq!(connected.complaints().await, [""; 0], "{user}");
        forget(&system, "new").await;
    }
    let owner = context(&Connected::new(&system, "owner").await);
    owner.update_key_value(kv::Config { bucket: "B".to_owned(), history: 3, ..Default::default() }).await.unwrap();
    owner.delete_key_value("B").await.unwrap();
    owner.create_key_value(kv::Config { bucket: "B".to_owned(), ..Default::default() }).await.unwrap();
    println!("{} operations on {KEYS} keys of {VALUE} bytes in {:.1?}", operations + 3, begun.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_flow_control_a_watch_of_a_large_bucket_would_stand_still() {
    let test = "without_flow_control_a_watch_of_a_large_bucket_would_stand_still";
    let permissions = permissions(&name("deaf"), &[on_bucket(KvAccess::Read)]);
    let subjects: Vec<&str> =
        permissions.publish.iter().map(String::as_str).filter(|subject| !subject.starts_with("$JS.FC.")).collect();
    let Some(system) = System::solo(test, vec![User::new("deaf", "APP").publishing(&subjects)]) else { return };
    fill(&system).await;
    let mut connected = Connected::new(&system, "deaf").await;
    let bucket = context(&connected).get_key_value("B").await.unwrap();
    let count = watched(&bucket).await;
    assert!(connected.complaints().await.iter().any(|words| words.contains("$JS.FC.KV_B.")));
    println!("{count} of {KEYS} keys");
    assert!(count < KEYS, "{count}");
}
