//! A client that writes all the time, and remembers what was acknowledged.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_nats::Client;
use async_nats::jetstream::{self, Context};
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

/// So many writes are in flight.
const IN_FLIGHT: usize = 24;
/// Each of those who write begins a write at most this often, so that the test leaves the machine to the servers.
const PACE: Duration = Duration::from_millis(60);
/// A write that is not acknowledged by then is written again.
const ANSWER: Duration = Duration::from_secs(1);

/// A write that the servers have acknowledged.
#[derive(Clone)]
pub(crate) struct Acknowledged {
    pub(crate) key: String,
    pub(crate) value: String,
    pub(crate) sequence: u64,
    pub(crate) when: Instant,
}

/// Writes until it is stopped.
pub(crate) struct Writer {
    shared: Arc<Shared>,
    hands: Vec<JoinHandle<()>>,
}

struct Shared {
    round: usize,
    next: AtomicUsize,
    stopped: AtomicBool,
    acknowledged: Mutex<Vec<Acknowledged>>,
    again: AtomicUsize,
}

impl Writer {
    pub(crate) fn start(client: Client, round: usize) -> Self {
        let shared = Arc::new(Shared {
            round,
            next: AtomicUsize::new(0),
            stopped: AtomicBool::new(false),
            acknowledged: Mutex::default(),
            again: AtomicUsize::new(0),
        });
        let context = jetstream::ContextBuilder::new().timeout(ANSWER).ack_timeout(ANSWER).build(client);
        let hands = (0..IN_FLIGHT).map(|_| tokio::spawn(write(Arc::clone(&shared), context.clone()))).collect();
        Self { shared, hands }
    }

    /// How many writes have been acknowledged.
    pub(crate) fn count(&self) -> usize {
        self.shared.acknowledged.lock().unwrap().len()
    }

    /// How many writes have been acknowledged since then.
    pub(crate) fn count_since(&self, when: Instant) -> usize {
        self.shared.acknowledged.lock().unwrap().iter().filter(|write| write.when > when).count()
    }

    /// Finishes what is in flight. What was acknowledged, in the order of time, and how many writes had to be repeated.
    pub(crate) async fn stop(self) -> (Vec<Acknowledged>, usize) {
        self.shared.stopped.store(true, Ordering::Relaxed);
        for hand in self.hands {
            hand.await.unwrap();
        }
        let mut all = self.shared.acknowledged.lock().unwrap().clone();
        all.sort_by_key(|write| write.when);
        (all, self.shared.again.load(Ordering::Relaxed))
    }
}

/// The longest time between two acknowledgements that follow one another.
pub(crate) fn longest_gap(acknowledged: &[Acknowledged]) -> Duration {
    let gaps = acknowledged.windows(2).map(|pair| pair[1].when - pair[0].when);
    gaps.max().unwrap_or(Duration::MAX)
}

async fn write(shared: Arc<Shared>, context: Context) {
    let mut pace = interval(PACE);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while !shared.stopped.load(Ordering::Relaxed) {
        pace.tick().await;
        let number = shared.next.fetch_add(1, Ordering::Relaxed);
        let (key, value) = (format!("loss-{}.{number}", shared.round), format!("value {number} of loss {}", shared.round));
        // Written until it is acknowledged: the same value under the same key may be written twice.
        let sequence = loop {
            if let Some(sequence) = try_write(&context, &key, &value).await {
                break sequence;
            }
            shared.again.fetch_add(1, Ordering::Relaxed);
            pace.tick().await;
        };
        shared.acknowledged.lock().unwrap().push(Acknowledged { key, value, sequence, when: Instant::now() });
    }
}

async fn try_write(context: &Context, key: &str, value: &str) -> Option<u64> {
    let sent = context.publish(format!("$KV.HARMONY.{key}"), value.to_owned().into()).await.ok()?;
    Some(sent.await.ok()?.sequence)
}
