//! The context of a run, which every provider and prover is given.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use harmony_io::Io;

use crate::address::Address;
use crate::engine::events::{Event, Observer};
use crate::lease::{Gained, Standing};
use crate::provider::{Failure, ProviderError};

/// What a provider may know of the run it works in: how long it has, whether it should stop, whom to tell, with which number to fence.
#[derive(Clone)]
pub struct Run {
    shared: Arc<Shared>,
    subject: Option<Address>,
    deadline: Instant,
    is_finishing: bool,
}

struct Shared {
    io: Io,
    observer: Arc<dyn Observer>,
    cancelled: AtomicBool,
    fence: u64,
    lease: Option<Standing>,
    patience: Duration,
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run").field("subject", &self.subject).field("fence", &self.shared.fence).finish_non_exhaustive()
    }
}

/// How long one resource or proof may take unless the run says otherwise: a NATS supercluster's first election was seen to need 9 s on
/// two busy cores, so that this leaves room without hiding a hang.
pub const PATIENCE: Duration = Duration::from_secs(120);

impl Run {
    pub(crate) fn new(io: Io, observer: Arc<dyn Observer>, fence: u64, patience: Duration) -> Self {
        Self::under(io, observer, (fence, None), patience)
    }

    /// The same with the lease of the run, if it has one: without it nothing is changed.
    pub(crate) fn under(
        io: Io,
        observer: Arc<dyn Observer>,
        (fence, lease): (u64, Option<Standing>),
        patience: Duration,
    ) -> Self {
        let io = lease.iter().fold(io, |io, lease| io.with_permit(Arc::new(lease.clone())));
        let shared = Shared { io, observer, cancelled: AtomicBool::new(false), fence, lease, patience };
        Self { shared: Arc::new(shared), subject: None, deadline: Instant::now() + patience, is_finishing: false }
    }

    /// A run of its own, for calling a provider or a prover without a [`Maestro`](crate::Maestro): nobody is told of its progress, its
    /// fencing number is 0, and it has `patience` from now.
    #[must_use]
    pub fn alone(io: Io, patience: Duration) -> Self {
        Self::new(io, Arc::new(crate::engine::events::Silent), 0, patience)
    }

    /// The same run, on behalf of one resource or proof, with its own deadline from now.
    pub(crate) fn on(&self, subject: &Address) -> Self {
        let deadline = Instant::now() + self.shared.patience;
        Self { subject: Some(subject.clone()), deadline, ..self.clone() }
    }

    /// The way to files, processes and the network.
    #[must_use]
    pub fn io(&self) -> &Io {
        &self.shared.io
    }

    /// The run's number, higher than that of every run before it, also after everything was taken away: a place that can should refuse
    /// writes of an older one. With a lease it is the lease's; without one it comes from the lock of this machine, and only runs of this
    /// machine can be compared. What only reads has 0.
    #[must_use]
    pub fn fence(&self) -> u64 {
        self.shared.fence
    }

    /// When this resource or proof has to be done.
    #[must_use]
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// The same, with an earlier deadline: `limit` from now, if that is before the present one.
    #[must_use]
    pub fn within(&self, limit: Duration) -> Self {
        Self { deadline: self.deadline.min(Instant::now() + limit), ..self.clone() }
    }

    /// The same for what would be left half done: its waiting goes on until the deadline even if the user asks to stop.
    #[must_use]
    pub fn finishing(&self) -> Self {
        Self { is_finishing: true, ..self.clone() }
    }

    /// The time left until the deadline.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// Whether the run should stop, because the user asked for it or its lease is lost: what is in flight finishes, waiting ends.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.was_asked_to_stop() || self.lost_lease().is_some()
    }

    pub(crate) fn was_asked_to_stop(&self) -> bool {
        self.shared.cancelled.load(Ordering::Relaxed)
    }

    /// Why the lease of this run is lost; `None` if it is held, or the run needs none.
    pub(crate) fn lost_lease(&self) -> Option<String> {
        self.shared.lease.as_ref().and_then(Standing::lost)
    }

    /// Whether the run before this one may still have something in flight.
    pub(crate) fn took_over(&self) -> bool {
        self.shared.lease.as_ref().is_some_and(|lease| lease.gained() == Gained::TakenOver)
    }

    /// To be called right before anything is changed.
    ///
    /// # Errors
    /// [`ProviderError::Refused`] if the lease of this run is lost.
    pub(crate) fn ensure_may_change(&self) -> Result<(), ProviderError> {
        self.lost_lease().map_or(Ok(()), |why| {
            let failure = Failure::new("nothing is changed any more", format!("the lease of this run is lost: {why}"));
            Err(ProviderError::Refused(failure.with_hint("run it again: it looks at what is there and goes on from that")))
        })
    }

    pub(crate) fn cancel(&self) {
        self.shared.cancelled.store(true, Ordering::Relaxed);
    }

    /// Says what is being done or waited for.
    pub fn progress(&self, what: impl Into<String>) {
        if let Some(address) = &self.subject {
            self.emit(&Event::Progress { address: address.clone(), what: what.into() });
        }
    }

    /// Says something that users should know.
    pub fn remark(&self, says: impl Into<String>) {
        self.emit(&Event::Remark { says: says.into() });
    }

    pub(crate) fn emit(&self, event: &Event) {
        self.shared.observer.on(event);
    }

    /// Asks `look` until it finds something, more slowly each time, at most until the deadline; says so as progress.
    ///
    /// # Errors
    /// What `look` fails with, except [`ProviderError::RetryLater`] and [`ProviderError::Unreachable`], which are asked again;
    /// [`ProviderError::Unreachable`] with the last reason when time is up.
    pub async fn wait_for<T, F, Looking>(&self, what: &str, mut look: F) -> Result<T, ProviderError>
    where
        F: FnMut() -> Looking + Send,
        Looking: Future<Output = Result<Looked<T>, ProviderError>> + Send,
        T: Send,
    {
        let started = Instant::now();
        let mut pause = FIRST_PAUSE;
        let mut said = String::new();
        loop {
            let reason = match look().await {
                Ok(Looked::Found(found)) => return Ok(found),
                Ok(Looked::NotYet(reason)) => reason,
                Err(error @ (ProviderError::RetryLater(_) | ProviderError::Unreachable(_))) => error.to_string(),
                Err(error) => return Err(error),
            };
            if self.remaining().is_zero() || (self.is_cancelled() && !self.is_finishing) {
                let waited = format!("waited {} s for {what}", started.elapsed().as_secs());
                return Err(ProviderError::Unreachable(Failure::new(waited, reason)));
            }
            if started.elapsed() > SILENCE && reason != said {
                self.progress(format!("waiting for {what}: {reason}"));
                said = reason;
            }
            tokio::time::sleep(pause.min(self.remaining())).await;
            pause = (pause * 3 / 2).min(LONGEST_PAUSE);
        }
    }
}

const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);
/// What takes less than this needs no words.
const SILENCE: Duration = Duration::from_millis(800);

/// What one look found.
#[derive(Debug)]
pub enum Looked<T> {
    /// What was waited for.
    Found(T),
    /// Not yet, for this reason.
    NotYet(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many looks it takes to find what is there at the third.
    async fn looks(run: &Run) -> Result<usize, ProviderError> {
        let mut looks = 0;
        let look = || {
            looks += 1;
            let found = if looks == 3 { Looked::Found(looks) } else { Looked::NotYet("not yet".to_owned()) };
            async { Ok(found) }
        };
        run.wait_for("the third look", look).await
    }

    #[tokio::test]
    async fn waiting_ends_when_the_user_asks_to_stop_except_for_what_would_be_left_half_done() {
        let run = Run::alone(Io::real(), Duration::from_secs(10));
        run.cancel();
        assert!(matches!(looks(&run).await, Err(ProviderError::Unreachable(_))));
        assert_eq!(looks(&run.finishing()).await.unwrap(), 3);
    }
}
