//! The context of a run, which every provider and prover is given.

use std::fmt;
use std::future::Future;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use harmony_io::Io;
use tokio::time::Instant;

use crate::address::Address;
use crate::backoff::Backoff;
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
    /// What the pauses of its waiting are drawn from.
    chance: u64,
    side_by_side: usize,
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run").field("subject", &self.subject).field("fence", &self.shared.fence).finish_non_exhaustive()
    }
}

/// How long one resource or proof may take unless the run says otherwise: a NATS supercluster's first election was seen to need 9 s on
/// two busy cores, so that this leaves room without hiding a hang.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// How many steps go side by side unless the run says otherwise; more would only queue inside the servers.
pub const SIDE_BY_SIDE: NonZeroUsize = NonZeroUsize::new(16).unwrap();

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
        let shared = Shared {
            io,
            observer,
            cancelled: AtomicBool::new(false),
            fence,
            lease,
            patience,
            chance: rand::random(),
            side_by_side: SIDE_BY_SIDE.get(),
        };
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

    /// The same, with so many steps at the same time, and with the pauses that belong to this seed if there is one.
    pub(crate) fn with_pace(mut self, side_by_side: NonZeroUsize, chance: Option<u64>) -> Self {
        if let Some(shared) = Arc::get_mut(&mut self.shared) {
            shared.side_by_side = side_by_side.get();
            shared.chance = chance.unwrap_or(shared.chance);
        }
        self
    }

    /// How many steps go side by side.
    pub(crate) fn side_by_side(&self) -> usize {
        self.shared.side_by_side
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

    /// Asks `look` until it finds something, more slowly each time, at most until the deadline; says so as progress. Whoever asks to be
    /// left alone for a time ([`ProviderError::retry_after`]) is, and is not waited for if that is longer than there is.
    ///
    /// # Errors
    /// What `look` fails with, except [`ProviderError::RetryLater`] and [`ProviderError::Unreachable`], which are asked again;
    /// [`ProviderError::Unreachable`] with the last reason when time is up, [`ProviderError::Stopped`] when the run is stopped first.
    pub async fn wait_for<T, F, Looking>(&self, what: &str, mut look: F) -> Result<T, ProviderError>
    where
        F: FnMut() -> Looking + Send,
        Looking: Future<Output = Result<Looked<T>, ProviderError>> + Send,
        T: Send,
    {
        let started = Instant::now();
        let mut backoff = Backoff::new(self.chance());
        let mut said = String::new();
        loop {
            let (reason, asked, hint) = match look().await {
                Ok(Looked::Found(found)) => return Ok(found),
                Ok(Looked::NotYet(reason)) => (reason, None, None),
                Err(error @ (ProviderError::RetryLater(_) | ProviderError::Unreachable(_))) => {
                    (error.to_string(), error.retry_after(), error.hint().map(str::to_owned))
                }
                Err(error) => return Err(error),
            };
            let remaining = self.remaining();
            if remaining.is_zero() || asked.is_some_and(|asked| asked > remaining) {
                return Err(given_up(what, started.elapsed(), reason, asked, hint));
            }
            if self.is_stopped() {
                let waited = format!("stopped after waiting {} s for {what}", started.elapsed().as_secs());
                return Err(ProviderError::Stopped(Failure::new(waited, reason)));
            }
            if started.elapsed() > SILENCE && reason != said {
                self.progress(format!("waiting for {what}: {reason}"));
                said = reason;
            }
            self.rest(backoff.pause(asked).min(remaining)).await;
        }
    }

    /// Rests this long, or until the user asks to stop.
    async fn rest(&self, pause: Duration) {
        let until = Instant::now() + pause;
        while Instant::now() < until && !self.is_stopped() {
            let left = until.saturating_duration_since(Instant::now());
            tokio::time::sleep(left.min(ATTENTIVE)).await;
        }
    }

    fn is_stopped(&self) -> bool {
        self.is_cancelled() && !self.is_finishing
    }

    /// Another number for each resource and proof, so that they do not wait in step.
    fn chance(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        (self.shared.chance, self.subject.as_ref().map(Address::as_str)).hash(&mut hasher);
        hasher.finish()
    }
}

/// The advice where nothing better is known of what was waited for.
const AGAIN: &str = "run the command again: it looks at what is there and goes on from that";
/// What takes less than this needs no words.
const SILENCE: Duration = Duration::from_millis(800);
/// How soon a rest ends when the user asks to stop.
const ATTENTIVE: Duration = Duration::from_millis(500);

fn given_up(what: &str, waited: Duration, reason: String, asked: Option<Duration>, hint: Option<String>) -> ProviderError {
    let later = |asked: Duration| format!("run it again in {} s: that is how long it asks to be left alone", asked.as_secs());
    let mut failure = Failure::new(format!("waited {} s for {what}", waited.as_secs()), reason);
    failure.hint = hint.or(asked.map(later)).or_else(|| Some(AGAIN.to_owned()));
    ProviderError::Unreachable(failure)
}

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
        let stopped = looks(&run).await.unwrap_err();
        assert!(matches!(stopped, ProviderError::Stopped(_)), "{stopped:?}");
        insta::assert_snapshot!(stopped, @"stopped after waiting 0 s for the third look: not yet");
        assert_eq!(looks(&run.finishing()).await.unwrap(), 3);
    }

    /// Asks for something that is there at the third look and each time before asks to be left alone for `seconds`.
    async fn asked_to_wait(run: &Run, seconds: u64) -> Result<Duration, ProviderError> {
        let begun = Instant::now();
        let mut looks = 0;
        let look = || {
            looks += 1;
            let failure = Failure::new("failed to ask", "too many requests").with_retry_after(Duration::from_secs(seconds));
            let answer = if looks == 3 { Ok(Looked::Found(())) } else { Err(ProviderError::RetryLater(failure)) };
            async { answer }
        };
        run.wait_for("an answer", look).await.map(|()| begun.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_asks_to_be_left_alone_for_a_time_is() {
        let waited = asked_to_wait(&Run::alone(Io::real(), Duration::from_secs(60)), 20).await.unwrap();
        assert!(waited >= Duration::from_secs(40) && waited <= Duration::from_secs(44), "{waited:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_time_that_is_longer_than_there_is_is_not_waited_for() {
        let begun = Instant::now();
        let error = asked_to_wait(&Run::alone(Io::real(), Duration::from_secs(10)), 20).await.unwrap_err();
        assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
        insta::assert_snapshot!(error, @"waited 0 s for an answer: failed to ask: too many requests");
        insta::assert_snapshot!(error.hint().unwrap(), @"run it again in 20 s: that is how long it asks to be left alone");
    }

    #[tokio::test(start_paused = true)]
    async fn a_long_rest_ends_when_the_user_asks_to_stop() {
        let run = Run::alone(Io::real(), Duration::from_secs(60));
        let stopping = async {
            tokio::time::sleep(Duration::from_secs(3)).await;
            run.cancel();
        };
        let begun = Instant::now();
        let (waited, ()) = tokio::join!(asked_to_wait(&run, 50), stopping);
        assert!(waited.is_err() && begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
    }
}
