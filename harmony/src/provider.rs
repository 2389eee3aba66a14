//! The only thing that does I/O on a kind: looks, changes, deletes.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::resource::Resource;
use crate::run::Run;

/// Looks at, previews, applies and deletes things of one kind in one place.
///
/// All values of `at` and, when applying, of the spec are known. Everything may be called again after a kill at any instant: applying
/// what is there already and deleting what is gone succeed.
#[async_trait]
pub trait Provider<R: Resource>: Send + Sync {
    /// Looks at the `wanted` things that live in `at`, in one go, without any side effect; one observation for each, in their order.
    ///
    /// # Errors
    /// [`ProviderError::Unreachable`] if what they live in does not answer, another one if it refuses.
    async fn observe(&self, run: &Run, at: &R::Access, wanted: &[Known<R>]) -> Result<Vec<Observation<R>>, ProviderError>;

    /// What the place would make of the wish (defaults filled in, quantities normalised), without side effect; values known later stay so.
    ///
    /// # Errors
    /// [`ProviderError`] if the place would refuse it.
    async fn preview(&self, _run: &Run, _at: &R::Access, desired: &R, _live: Option<&Live<R>>) -> Result<R, ProviderError> {
        Ok(desired.clone())
    }

    /// Which of the rights that a run needs for these writes it does not have, each in the words of the place (`create configmaps in shop`): asked once, before the run's first write, so
    /// that it does not stop half-way. Default: none is missing, and what is not permitted shows in its step.
    ///
    /// # Errors
    /// [`ProviderError`] if whoever would know does not say; the steps show it then.
    async fn missing_rights(&self, _run: &Run, _at: &R::Access, _intended: &[Intended<R>]) -> Result<Vec<String>, ProviderError> {
        Ok(Vec::new())
    }

    /// Makes it so, from nothing or from `live`, and returns when it is ready to be used.
    ///
    /// # Errors
    /// [`ProviderError`]; a part may have been done, and the next run goes on from what it observes.
    async fn apply(&self, run: &Run, at: &R::Access, desired: &R, live: Option<&Live<R>>) -> Result<R::Outputs, ProviderError>;

    /// Makes it as [`apply`](Self::apply) does, where the place itself refuses that if something of this identity is there: one look and one write that nothing comes
    /// between. `None` if something is there, and nothing was done. A run asks this first for what its plan makes, and looks only where it is refused. Default: the place
    /// knows no such write, and nothing is done.
    ///
    /// # Errors
    /// [`ProviderError`]; a part may have been done.
    async fn make_if_absent(&self, _run: &Run, _at: &R::Access, _desired: &R) -> Result<Option<R::Outputs>, ProviderError> {
        Ok(None)
    }

    /// Takes it away, and returns when it is gone.
    ///
    /// # Errors
    /// [`ProviderError`]; it may still be there.
    async fn delete(&self, run: &Run, at: &R::Access, identity: &R::Identity) -> Result<(), ProviderError>;
}

/// A write that a run is about to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intended<R: Resource> {
    /// What the world calls the thing.
    pub identity: R::Identity,
    /// What is done to it.
    pub write: Write,
}

/// What is done to a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Write {
    /// It is made.
    Make,
    /// It is changed in place.
    Change,
    /// It is deleted and made again.
    Replace,
    /// It is taken away.
    TakeAway,
}

/// What the engine already knows of a thing that is to be observed.
#[derive(Clone)]
pub struct Known<R: Resource> {
    /// What the world calls it.
    pub identity: R::Identity,
    /// Its outputs as the Ledger keeps them, for kinds with [`Resource::KEEPS_OUTPUTS`].
    pub kept: Option<R::Outputs>,
}

/// What an observation found.
#[derive(Clone)]
pub enum Observation<R: Resource> {
    /// It is not there, and whoever would know has said so.
    Absent,
    /// It is there.
    There(Box<Live<R>>),
    /// Whoever would know did not answer; why.
    Unreachable(String),
}

/// A thing as it is.
#[derive(Clone)]
pub struct Live<R: Resource> {
    /// Its state, in the form of a spec.
    pub state: R,
    /// What it offers to others.
    pub outputs: R::Outputs,
    /// What it holds that would be lost with it, in words (`12 messages, last sequence 34`); `None` if nothing.
    pub holds: Option<String>,
}

impl<R: Resource> Observation<R> {
    /// It is there, in this state, with these outputs, and holds nothing.
    #[must_use]
    pub fn there(state: R, outputs: R::Outputs) -> Self {
        Self::There(Box::new(Live { state, outputs, holds: None }))
    }
}

/// Why a provider or a prover could not do it. Each variant is a policy of the engine:
///
/// | variant | when looking for a plan | in a step of a run | given up |
/// |---|---|---|---|
/// | [`Refused`](Self::Refused) | the plan fails, and names it | the step fails; what needs it is not begun, the rest goes on | at once: it would be refused again |
/// | [`NotPermitted`](Self::NotPermitted) | `unknown until` what it lives in has changed, if that is about to; else the plan fails, with advice about the credential | as refused, with that advice | at once: waiting gives no right |
/// | [`Conflict`](Self::Conflict) | the plan fails: looking contradicts nobody | looked at again, then decided again: what the plan did not show is not done | at the deadline |
/// | [`Unreachable`](Self::Unreachable) | `unknown until` what it lives in has changed, if that is about to; else the plan fails | looked at again, until it answers | at the deadline |
/// | [`RetryLater`](Self::RetryLater) | asked again | looked at again for 20 s; whoever says when ([`Failure::with_retry_after`]) is left alone until then | at the deadline, or at once if the time asked for is behind it |
/// | [`Stopped`](Self::Stopped) | | the step is left where it is, which is told apart from a failure | at once |
///
/// Pauses between two tries grow from 10 to 500 ms, less a random quarter each, so that those who wait for one server do not come in step. The
/// deadline is the run's patience, from the beginning of each step ([`PATIENCE`](crate::run::PATIENCE)). Asking to stop ends a pause.
///
/// **Every further try begins with a look**, never with a write (nor with [`Provider::make_if_absent`]): an answer that was lost may have been that of a write that was done. If the look finds the thing as it
/// should be, that is the end of the step.
///
/// A proof is not tried again: it waits by itself for what it has to see ([`Run::wait_for`]), and what it returns is its end.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum ProviderError {
    /// It was refused, and will be again: stop.
    #[error("{0}")]
    Refused(Failure),
    /// Something else changed it meanwhile: look again.
    #[error("{0}")]
    Conflict(Failure),
    /// What it lives in does not answer, or the answer was lost.
    #[error("{0}")]
    Unreachable(Failure),
    /// Not now, but soon: wait and try again.
    #[error("{0}")]
    RetryLater(Failure),
    /// We may not.
    #[error("{0}")]
    NotPermitted(Failure),
    /// The run was stopped while this was waited for: nothing failed, and the next run looks at it again. [`Run::wait_for`] says so.
    #[error("{0}")]
    Stopped(Failure),
}

/// What failed, why, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What failed, on what: `failed to create stream KV_A`.
    pub what: String,
    /// Why, in the words of whoever refused.
    pub why: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// How long whoever refused asks to be left alone; `None` if it does not say.
    pub retry_after: Option<Duration>,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.why.is_empty() { f.write_str(&self.what) } else { write!(f, "{}: {}", self.what, self.why) }
    }
}

impl Failure {
    /// A failure without advice.
    #[must_use]
    pub fn new(what: impl Into<String>, why: impl ToString) -> Self {
        Self { what: what.into(), why: why.to_string(), hint: None, retry_after: None }
    }

    /// The same with advice.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same, of somebody who asks to be left alone this long (`Retry-After`). It counts in [`ProviderError::RetryLater`].
    #[must_use]
    pub fn with_retry_after(mut self, time: Duration) -> Self {
        self.retry_after = Some(time);
        self
    }
}

/// The advice where whoever refused gave none.
const NOT_PERMITTED: &str = "give the credential that the run uses the right to do this, or use one that has it";
/// The same where something else was faster until the deadline.
const CONFLICT: &str = "find out what else goes on changing it, and leave it to one of the two";
/// The same where nobody answers.
const UNREACHABLE: &str = "see that it runs and can be reached from here, then run the command again";

impl ProviderError {
    /// Refused for good: `what` failed, `why`.
    #[must_use]
    pub fn refused(what: impl Into<String>, why: impl ToString) -> Self {
        Self::Refused(Failure::new(what, why))
    }

    /// No answer: `what` failed, `why`.
    #[must_use]
    pub fn unreachable(what: impl Into<String>, why: impl ToString) -> Self {
        Self::Unreachable(Failure::new(what, why))
    }

    /// Not now: `what` failed, `why`.
    #[must_use]
    pub fn retry_later(what: impl Into<String>, why: impl ToString) -> Self {
        Self::RetryLater(Failure::new(what, why))
    }

    /// What failed and why.
    #[must_use]
    pub fn failure(&self) -> &Failure {
        match self {
            Self::Refused(failure)
            | Self::Conflict(failure)
            | Self::Unreachable(failure)
            | Self::RetryLater(failure)
            | Self::NotPermitted(failure)
            | Self::Stopped(failure) => failure,
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        let general = match self {
            Self::NotPermitted(_) => Some(NOT_PERMITTED),
            Self::Conflict(_) => Some(CONFLICT),
            Self::Unreachable(_) => Some(UNREACHABLE),
            Self::Refused(_) | Self::RetryLater(_) | Self::Stopped(_) => None,
        };
        self.failure().hint.as_deref().or(general)
    }

    /// How long to wait before the next try, if whoever asks to try later said so.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RetryLater(failure) => failure.retry_after,
            _ => None,
        }
    }
}

impl From<harmony_io::IoError> for ProviderError {
    fn from(error: harmony_io::IoError) -> Self {
        let mut failure = Failure::new(error.to_string(), &error.source);
        failure.hint = error.hint().map(str::to_owned);
        match error.source.kind() {
            std::io::ErrorKind::PermissionDenied => Self::NotPermitted(failure),
            _ => Self::Refused(failure),
        }
    }
}

impl From<crate::value::Unresolved> for ProviderError {
    fn from(error: crate::value::Unresolved) -> Self {
        Self::refused("failed to read a value of the spec", error)
    }
}

impl From<harmony_secret::SecretError> for ProviderError {
    fn from(error: harmony_secret::SecretError) -> Self {
        let mut failure = Failure::new("failed to use the secret store", crate::explain::chain(&error));
        failure.hint = error.hint().map(|hint| hint.to_string());
        Self::Refused(failure)
    }
}

#[async_trait]
impl<R: Resource, P: Provider<R> + ?Sized> Provider<R> for Arc<P> {
    async fn observe(&self, run: &Run, at: &R::Access, wanted: &[Known<R>]) -> Result<Vec<Observation<R>>, ProviderError> {
        (**self).observe(run, at, wanted).await
    }

    async fn preview(&self, run: &Run, at: &R::Access, desired: &R, live: Option<&Live<R>>) -> Result<R, ProviderError> {
        (**self).preview(run, at, desired, live).await
    }

    async fn missing_rights(&self, run: &Run, at: &R::Access, intended: &[Intended<R>]) -> Result<Vec<String>, ProviderError> {
        (**self).missing_rights(run, at, intended).await
    }

    async fn apply(&self, run: &Run, at: &R::Access, desired: &R, live: Option<&Live<R>>) -> Result<R::Outputs, ProviderError> {
        (**self).apply(run, at, desired, live).await
    }

    async fn make_if_absent(&self, run: &Run, at: &R::Access, desired: &R) -> Result<Option<R::Outputs>, ProviderError> {
        (**self).make_if_absent(run, at, desired).await
    }

    async fn delete(&self, run: &Run, at: &R::Access, identity: &R::Identity) -> Result<(), ProviderError> {
        (**self).delete(run, at, identity).await
    }
}
