//! Clients that read: one that watches all the time, one that first connects after a loss, and one that reads everything back.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_nats::Client;
use async_nats::jetstream;
use async_nats::jetstream::kv::Store;
use futures::{StreamExt, stream};
use tokio::task::JoinHandle;

use crate::wait::wait;
use crate::writer::Acknowledged;

const BUCKET: &str = "HARMONY";
/// A request that is not answered by then is sent again: a bucket that has lost its leader does not answer at all.
const ANSWER: Duration = Duration::from_secs(2);
/// So many reads are in flight.
const AT_ONCE: usize = 64;

/// Remembers the keys of which it is told.
pub(crate) struct Watcher {
    seen: Arc<Mutex<HashSet<String>>>,
    task: JoinHandle<()>,
}

impl Watcher {
    pub(crate) async fn start(client: Client, keys: &str) -> Self {
        let mut watch = open(client).await.watch(keys).await.unwrap();
        let seen = Arc::new(Mutex::new(HashSet::new()));
        let noted = Arc::clone(&seen);
        let task = tokio::spawn(async move {
            // An error is a gap that the client closes by itself: what counts is what arrives.
            while let Some(entry) = watch.next().await {
                noted.lock().unwrap().extend(entry.ok().map(|entry| entry.key));
            }
        });
        Self { seen, task }
    }

    /// Whether it has been told of anything.
    pub(crate) fn has_seen_some(&self) -> bool {
        !self.seen.lock().unwrap().is_empty()
    }

    /// Whether it has been told of all these.
    pub(crate) fn has_seen_all(&self, written: &[Acknowledged]) -> bool {
        let seen = self.seen.lock().unwrap();
        written.iter().all(|write| seen.contains(&write.key))
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Opens the bucket, lists, watches, writes and reads, with nothing but the standard client. How many keys it lists.
pub(crate) async fn use_as_newcomer(client: Client, key: &str) -> usize {
    let store = open(client).await;
    let mut watch = wait("a newcomer's watch", async || store.watch(key).await).await;
    wait("a newcomer's write", async || store.put(key, "new".into()).await).await;
    let seen = tokio::time::timeout(Duration::from_secs(15), watch.next()).await.expect("the watch to tell of the write");
    assert_eq!(seen.unwrap().unwrap().value.as_ref(), b"new");
    let read = wait("a newcomer's read", async || store.get(key).await).await;
    assert_eq!(read.as_deref(), Some(b"new".as_slice()));
    let keys = wait("a newcomer's list of keys", async || {
        let keys = store.keys().await.map_err(|error| error.to_string())?;
        keys.fold(Ok(Vec::new()), async |all: Result<Vec<String>, String>, key| {
            let (mut all, key) = (all?, key.map_err(|error| error.to_string())?);
            all.push(key);
            Ok(all)
        })
        .await
    });
    let keys = keys.await;
    assert!(keys.iter().any(|listed| listed == key), "{key} is not among {} keys", keys.len());
    keys.len()
}

/// Reads everything back, and returns the keys that are missing or have another value.
pub(crate) async fn wrong(client: Client, written: &[Acknowledged]) -> Vec<String> {
    let store = Arc::new(open(client).await);
    let reads = stream::iter(written.to_vec()).map(|write| {
        let store = Arc::clone(&store);
        async move {
            let read = wait("a key to be read back", async || store.get(write.key.as_str()).await).await;
            (read.as_deref() != Some(write.value.as_bytes())).then_some(write.key)
        }
    });
    reads.buffer_unordered(AT_ONCE).filter_map(async |wrong| wrong).collect().await
}

async fn open(client: Client) -> Store {
    let context = jetstream::ContextBuilder::new().timeout(ANSWER).build(client);
    wait("the bucket to open", async || context.get_key_value(BUCKET).await).await
}
