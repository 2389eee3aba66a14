//! Whether a lease is still held, by this machine's clocks alone.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use harmony_io::{Permit, time_since_boot};
use tokio::time::Instant;

/// Whether something may still be begun under a lease. Clones are the same lease. Once lost it stays lost: a run that begins again after a
/// gap would go on from what it saw before it.
#[derive(Clone)]
pub(crate) struct Standing {
    usable: Duration,
    gained: Gained,
    state: Arc<Mutex<State>>,
}

struct State {
    /// When the last renewal that came through was sent.
    sent: Sent,
    /// Why the last one did not come through.
    trouble: Option<String>,
    lost: Option<String>,
}

/// How a lease was come by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gained {
    /// Nobody held it.
    Free,
    /// Its holder showed no sign of life for a whole duration, and did not give it back: it may live on.
    TakenOver,
}

/// A moment on both clocks of this machine: one that stands still while it sleeps, and one that does not.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sent {
    awake: Instant,
    since_boot: Duration,
}

impl Sent {
    pub(super) fn now() -> Self {
        Self { awake: Instant::now(), since_boot: time_since_boot() }
    }

    fn elapsed(&self) -> Duration {
        self.awake.elapsed().max(time_since_boot().saturating_sub(self.since_boot))
    }
}

impl Standing {
    pub(super) fn new(usable: Duration, gained: Gained, sent: Sent) -> Self {
        Self { usable, gained, state: Arc::new(Mutex::new(State { sent, trouble: None, lost: None })) }
    }

    pub(crate) fn gained(&self) -> Gained {
        self.gained
    }

    /// Why nothing may be begun any more; `None` if it may.
    pub(crate) fn lost(&self) -> Option<String> {
        let mut state = self.state();
        let elapsed = state.sent.elapsed();
        if state.lost.is_none() && elapsed >= self.usable {
            let why =
                state.trouble.as_ref().map_or_else(|| "this process was stopped, or its machine slept".to_owned(), Clone::clone);
            state.lost = Some(format!("it was not renewed for {:.1} s: {why}", elapsed.as_secs_f64()));
        }
        state.lost.clone()
    }

    /// How much of it is left.
    pub(super) fn remaining(&self) -> Duration {
        self.usable.saturating_sub(self.state().sent.elapsed())
    }

    pub(super) fn renewed(&self, sent: Sent) {
        let mut state = self.state();
        (state.sent, state.trouble) = (sent, None);
    }

    /// Notes that a renewal did not come through; whether that is news.
    pub(super) fn not_renewed(&self, why: String) -> bool {
        self.state().trouble.replace(why).is_none()
    }

    pub(crate) fn lose(&self, why: String) {
        self.state().lost.get_or_insert(why);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The lease that a run needs for its writes is lost.
#[derive(Debug, thiserror::Error)]
#[error("the lease of this run is lost: {0}")]
pub(crate) struct Lost(pub(crate) String);

impl Permit for Standing {
    fn check(&self) -> io::Result<()> {
        self.lost().map_or(Ok(()), |why| Err(io::Error::other(Lost(why))))
    }
}
