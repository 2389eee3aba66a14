//! How a site program uses a lease.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use super::store::LeaseStore;

/// For how long a lease is held without being renewed, unless [`Lease::with_duration`] says otherwise: long enough that a busy machine
/// renews in time (it tries every 5 s), and the longest that others wait for a run that died.
pub const DURATION: Duration = Duration::from_secs(30);

/// How many times a holder tries to renew while one duration passes.
const RENEWALS: u32 = 6;
/// The part of a duration (1/5) that a holder leaves unused: two clocks may not go equally fast, and what was begun takes a while to begin.
const MARGIN: u32 = 5;

/// A lease by which the runs of a site program exclude each other on all machines that share its store.
#[derive(Clone)]
pub struct Lease {
    store: Arc<dyn LeaseStore>,
    duration: Duration,
    host: Option<String>,
    held: Arc<watch::Sender<usize>>,
}

/// Counts as long as it lives.
pub(super) struct Counted(Arc<watch::Sender<usize>>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.send_modify(|held| *held -= 1);
    }
}

/// The longest that giving a lease back may take; it runs out by itself otherwise.
pub(super) const GIVING_BACK: Duration = Duration::from_secs(5);

impl Lease {
    /// A lease in `store`, held for [`DURATION`] at a time.
    #[must_use]
    pub fn new(store: Arc<dyn LeaseStore>) -> Self {
        Self { store, duration: DURATION, host: None, held: Arc::new(watch::Sender::new(0)) }
    }

    /// The same with another duration. Whoever finds the holder dead or stopped waits that long.
    #[must_use]
    pub fn with_duration(self, duration: Duration) -> Self {
        Self { duration, ..self }
    }

    /// The same on behalf of a machine of this name, where that is not what the machine calls itself. Runs on machines of different names
    /// have different locks of the operating system.
    #[must_use]
    pub fn on_host(self, host: impl Into<String>) -> Self {
        Self { host: Some(host.into()), ..self }
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn LeaseStore> {
        &self.store
    }

    /// For how long it is held without being renewed.
    #[must_use]
    pub fn duration(&self) -> Duration {
        self.duration
    }

    /// Waits, 5 s at most, until what this program took of this lease is given back: for the end of a program, which does not wait for what
    /// goes on in the background. What is not given back runs out by itself.
    pub async fn settle(&self) {
        let _ = timeout(GIVING_BACK, self.held.subscribe().wait_for(|held| *held == 0)).await;
    }

    pub(super) fn count(&self) -> Counted {
        self.held.send_modify(|held| *held += 1);
        Counted(Arc::clone(&self.held))
    }

    pub(crate) fn host(&self) -> Option<&str> {
        self.host.as_deref()
    }

    /// The pause between two renewals, and between two looks of who waits.
    pub(super) fn interval(&self) -> Duration {
        self.duration / RENEWALS
    }

    /// For how long after a renewal was sent something may still be begun.
    pub(super) fn usable(&self) -> Duration {
        self.duration - self.duration / MARGIN
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let store = self.store.name();
        f.debug_struct("Lease").field("store", &store).field("duration", &self.duration).finish_non_exhaustive()
    }
}
