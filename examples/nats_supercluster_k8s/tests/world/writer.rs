//! A client that writes all the time, and remembers what was acknowledged.

#![allow(dead_code, reason = "every test uses a part of it")]
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test that cannot go on ends")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use async_nats::Client;
use async_nats::jetstream::{self, Context, kv};
use futures::StreamExt;
use tokio::task::JoinHandle;
use tokio::time::sleep;

/// So many write side by side, and each begins a write at most so often: the machine is left to the servers.
const HANDS: usize = 4;
const PACE: Duration = Duration::from_millis(100);
/// A write that is not acknowledged by then is written again.
const ANSWER: Duration = Duration::from_secs(1);
/// So many are read at once.
const READS: usize = 32;

/// Writes until it is stopped.
pub(crate) struct Writer {
    stopped: Arc<AtomicBool>,
    next: Arc<AtomicUsize>,
    hands: Vec<JoinHandle<Vec<(usize, Instant)>>>,
}

/// What was acknowledged.
pub(crate) struct Acknowledged {
    numbers: Vec<usize>,
    /// The longest time between two acknowledgements.
    pub(crate) longest_gap: Duration,
}

impl Writer {
    pub(crate) fn start(client: Client) -> Self {
        let (stopped, next) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let context = jetstream::ContextBuilder::new().timeout(ANSWER).ack_timeout(ANSWER).build(client);
        let hand = |_| tokio::spawn(write(Arc::clone(&stopped), Arc::clone(&next), context.clone()));
        let hands = (0..HANDS).map(hand).collect();
        Self { stopped, next, hands }
    }

    pub(crate) async fn stop(self) -> Acknowledged {
        self.stopped.store(true, Ordering::Relaxed);
        let mut all = Vec::new();
        for hand in self.hands {
            all.extend(hand.await.unwrap());
        }
        all.sort_by_key(|(_, when)| *when);
        let longest_gap = all.windows(2).map(|pair| pair[1].1 - pair[0].1).max().unwrap_or(Duration::MAX);
        Acknowledged { numbers: all.into_iter().map(|(number, _)| number).collect(), longest_gap }
    }
}

async fn write(stopped: Arc<AtomicBool>, next: Arc<AtomicUsize>, context: Context) -> Vec<(usize, Instant)> {
    let mut acknowledged = Vec::new();
    while !stopped.load(Ordering::Relaxed) {
        let number = next.fetch_add(1, Ordering::Relaxed);
        // Written until it is acknowledged: the same value under the same key may be written twice.
        while !try_write(&context, number).await {
            sleep(PACE).await;
        }
        acknowledged.push((number, Instant::now()));
        sleep(PACE).await;
    }
    acknowledged
}

async fn try_write(context: &Context, number: usize) -> bool {
    let Ok(sent) = context.publish(format!("$KV.HARMONY.{}", key(number)), value(number).into()).await else { return false };
    sent.await.is_ok()
}

fn key(number: usize) -> String {
    format!("loss.{number}")
}

fn value(number: usize) -> String {
    format!("value {number}")
}

impl Acknowledged {
    pub(crate) fn count(&self) -> usize {
        self.numbers.len()
    }

    /// Those that this client does not read back as they were written.
    pub(crate) async fn missing(&self, client: Client) -> Vec<usize> {
        let bucket = jetstream::new(client).get_key_value("HARMONY").await.unwrap();
        let read = |number: usize| {
            let bucket: kv::Store = bucket.clone();
            async move { (number, bucket.get(key(number)).await.unwrap()) }
        };
        let mut reads = futures::stream::iter(self.numbers.iter().copied().map(read)).buffer_unordered(READS);
        let mut missing = Vec::new();
        while let Some((number, found)) = reads.next().await {
            if found.is_none_or(|found| found != value(number)) {
                missing.push(number);
            }
        }
        missing
    }
}
