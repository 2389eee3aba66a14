//! Carrying out one step: looking again, doing what was shown and nothing else, until it is done, refused, or out of time.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use super::decide::{Context, Entries, Verdict, decide};
use super::filled::Filled;
use super::items::{Item, ItemKind, Seen};
use super::ledger::Entry;
use super::plan::{Allowances, Change};
use crate::proof::Evidence;
use crate::provider::{Failure, ProviderError};
use crate::resource::Loss;
use crate::run::{Looked, Run};
use crate::topology::{AnyKnown, AnyLive, AnyProvider};

/// What a step has come to.
pub(super) enum Effect {
    /// The thing is as it should be, with these outputs, holding this.
    Stands { wrote: bool, change: Change, outputs: serde_json::Value, held: Option<String> },
    /// The thing is gone.
    Gone { wrote: bool },
    /// Nobody could look at it, and what it lives in goes.
    GoesUnseen,
    /// The proof passed.
    Proved(Evidence),
}

/// Making or changing one thing.
pub(super) struct Making<'a> {
    pub(super) item: &'a Item,
    pub(super) shown: Verdict,
    pub(super) filled: Filled<'a>,
    pub(super) run: Run,
    pub(super) allowances: &'a Allowances,
    pub(super) entry: Option<Arc<Entry>>,
    /// Whether the Ledger knew it before this run.
    pub(super) known: bool,
}

impl Making<'_> {
    /// Carries it out; whether it ended in an error before its first write.
    pub(super) async fn carry_out(&self) -> (Result<Effect, ProviderError>, bool) {
        let begun = OnceLock::new();
        let result = self.attempts(&begun).await;
        let wrote_nothing = result.is_err() && begun.get().is_none();
        (result, wrote_nothing)
    }

    async fn attempts(&self, begun: &OnceLock<Change>) -> Result<Effect, ProviderError> {
        let ItemKind::Wanted { provider, .. } = &self.item.what else { return Err(not_ready(self.item, "it has no provider")) };
        if let Some(unknown) = &self.filled.unknown {
            return Err(not_ready(self.item, &format!("`{unknown}` gave no value for it")));
        }
        persist(&self.run, || Box::pin(self.attempt(provider.as_ref(), begun))).await
    }

    /// One look and, if it is not as it should be, one try. What a failed try has done is seen by the next one.
    async fn attempt(&self, provider: &dyn AnyProvider, begun: &OnceLock<Change>) -> Result<Looked<Effect>, ProviderError> {
        let ItemKind::Wanted { resource, .. } = &self.item.what else { return Err(not_ready(self.item, "it is not wanted")) };
        let Filled { access, spec, .. } = &self.filled;
        if let Some(made) = self.make_at_once(provider, begun).await? {
            return Ok(Looked::Found(made));
        }
        // What stands there without this program having made it is another's, unless it is the half of an earlier try.
        let entry = self.entry.as_deref().filter(|_| self.known || begun.get().is_some());
        let known = AnyKnown { identity: Cow::Borrowed(&resource.identity), kept: entry.and_then(|entry| entry.kept.as_ref()) };
        let live = match look(provider, &self.run, access, known).await? {
            Seen::Unreachable(why) => return Ok(Looked::NotYet(why)),
            Seen::NotPermitted(failure) => return Err(ProviderError::NotPermitted(failure)),
            Seen::There(live) => Some(live),
            _ => None,
        };
        if live.is_some() && entry.is_none() {
            self.refuse_unshown_adoption(provider)?;
        }
        let desired = provider.preview(&self.run, access, spec, live.as_deref()).await?;
        let context = Context { entries: Entries::One(entry), allowances: self.allowances, took_over: false };
        let now = decide(self.item, &desired, live.as_deref(), &context);
        if let (Change::None | Change::Adopt, Some(live)) = (&now.change, &live) {
            let AnyLive { outputs, holds, .. } = live.as_ref().clone();
            let change = begun.get().unwrap_or(&now.change).clone();
            return Ok(Looked::Found(Effect::Stands { wrote: begun.get().is_some(), change, outputs, held: holds }));
        }
        refuse_what_was_not_shown(self.item, &self.shown, &now)?;
        let change = begun.get_or_init(|| now.change.clone()).clone();
        let is_replaced = matches!(now.change, Change::Replace { .. });
        if is_replaced {
            self.run.progress("deleting what cannot be changed in place");
            self.run.ensure_may_change()?;
            provider.delete(&self.run, access, &resource.identity).await?;
        }
        let before = live.as_deref().filter(|_| !is_replaced);
        self.run.ensure_may_change()?;
        let outputs = provider.apply(&self.run, access, spec, before).await?;
        let held = before.and_then(|live| live.holds.clone());
        Ok(Looked::Found(Effect::Stands { wrote: true, change, outputs, held }))
    }

    /// What the plan makes is made without another look where its place refuses to make what is there: a look is out of date when the write
    /// comes, and that is not. A write that may have been done is never the first of a further try.
    async fn make_at_once(&self, provider: &dyn AnyProvider, begun: &OnceLock<Change>) -> Result<Option<Effect>, ProviderError> {
        if self.shown.change != Change::Create || begun.get().is_some() {
            return Ok(None);
        }
        self.run.ensure_may_change()?;
        let made = provider.make_if_absent(&self.run, &self.filled.access, &self.filled.spec).await;
        if !matches!(made, Ok(None)) {
            begun.get_or_init(|| Change::Create);
        }
        let stands = |outputs| Effect::Stands { wrote: true, change: Change::Create, outputs, held: None };
        made.map(|outputs| outputs.map(stands))
    }

    /// That something may be taken over does not say that it is taken over unseen: the plan showed something to be made.
    fn refuse_unshown_adoption(&self, provider: &dyn AnyProvider) -> Result<(), ProviderError> {
        let facts = provider.facts();
        let is_common = facts.adopts || facts.shared;
        if self.shown.change == Change::Create && !is_common && self.allowances.may_adopt(&self.item.address) {
            return Err(outdated(self.item, "it is there now, and this program has not made it".to_owned()));
        }
        Ok(())
    }
}

/// Taking one thing away.
pub(super) struct Taking<'a> {
    pub(super) item: &'a Item,
    pub(super) shown: Verdict,
    pub(super) filled: Filled<'a>,
    pub(super) run: Run,
    pub(super) allowances: &'a Allowances,
    /// Whether what it lives in goes too, so that nothing is left of it.
    pub(super) goes_with_its_holder: bool,
}

impl Taking<'_> {
    pub(super) async fn carry_out(self) -> Result<Effect, ProviderError> {
        let ItemKind::Unwanted { entry, provider } = &self.item.what else { return Err(not_ready(self.item, "it is wanted")) };
        if self.shown.change == Change::Forget {
            return Ok(Effect::Gone { wrote: false });
        }
        if let Some(unknown) = &self.filled.unknown {
            if self.goes_with_its_holder {
                return Ok(Effect::GoesUnseen);
            }
            if let Some(provider) = provider.as_ref().filter(|provider| provider.facts().stands_alone) {
                return persist(&self.run, || self.delete(provider.as_ref(), entry)).await;
            }
            let why = format!("`{unknown}`, by which it is reached, gave no value for it");
            let failure = Failure::new(format!("failed to prepare {}", self.item.label()), why);
            let hint = format!("bring back what was at `{unknown}`, or remove {} yourself and `forget` it", self.item.label());
            return Err(ProviderError::Refused(failure.with_hint(hint)));
        }
        let Some(provider) = provider else { return Err(not_ready(self.item, "no place of the program hosts its kind")) };
        let begun = OnceLock::new();
        persist(&self.run, || self.attempt(provider.as_ref(), entry, &begun)).await
    }

    async fn attempt(
        &self,
        provider: &dyn AnyProvider,
        entry: &Entry,
        begun: &OnceLock<()>,
    ) -> Result<Looked<Effect>, ProviderError> {
        let known = AnyKnown { identity: Cow::Owned(entry.key.identity_as_json()), kept: entry.kept.as_ref() };
        let gone = Looked::Found(Effect::Gone { wrote: begun.get().is_some() });
        match look(provider, &self.run, &self.filled.access, known).await? {
            Seen::Unreachable(_) | Seen::NotPermitted(_) if self.goes_with_its_holder => Ok(Looked::Found(Effect::GoesUnseen)),
            // That it does not answer does not say that it is not there.
            Seen::Unreachable(_) | Seen::NotPermitted(_) if provider.facts().stands_alone => self.delete(provider, entry).await,
            Seen::Unreachable(why) => Ok(Looked::NotYet(why)),
            Seen::NotPermitted(failure) => Err(ProviderError::NotPermitted(failure)),
            Seen::There(live) => {
                self.refuse_unshown_loss(&live)?;
                begun.get_or_init(|| ());
                self.delete(provider, entry).await
            }
            _ => Ok(gone),
        }
    }

    async fn delete(&self, provider: &dyn AnyProvider, entry: &Entry) -> Result<Looked<Effect>, ProviderError> {
        self.run.ensure_may_change()?;
        provider.delete(&self.run, &self.filled.access, &entry.key.identity_as_json()).await?;
        Ok(Looked::Found(Effect::Gone { wrote: true }))
    }

    fn refuse_unshown_loss(&self, live: &AnyLive) -> Result<(), ProviderError> {
        let was_shown = self.shown.loss.as_ref().is_some_and(|loss| loss.allowed);
        let is_allowed = was_shown || self.allowances.may_lose(&self.item.address);
        match &live.holds {
            Some(held) if self.item.loss() == Loss::Data && !is_allowed => {
                Err(outdated(self.item, format!("it holds {held} now")))
            }
            _ => Ok(()),
        }
    }
}

/// Carries out one proof.
pub(super) async fn prove(item: &Item, filled: Filled<'_>, run: Run) -> Result<Evidence, ProviderError> {
    let ItemKind::Proof { prover, proof, .. } = &item.what else { return Err(not_ready(item, "it is no proof")) };
    if let Some(unknown) = &filled.unknown {
        return Err(not_ready(item, &format!("`{unknown}` gave no value for it")));
    }
    let Some(prover) = prover else { return Err(not_ready(item, &format!("nobody carries out `{}`", proof.kind))) };
    // A proof writes too, though only into things of its own.
    run.ensure_may_change()?;
    prover.prove(&run, &filled.spec).await
}

/// Tries until it is done, refused, or out of time. A conflict is worth another try: that looks again first.
async fn persist<'a, F, Trying>(run: &Run, mut attempt: F) -> Result<Effect, ProviderError>
where
    F: FnMut() -> Trying + Send,
    Trying: Future<Output = Result<Looked<Effect>, ProviderError>> + Send + 'a,
{
    run.wait_for("it to be done", || {
        let trying = attempt();
        async move {
            match trying.await {
                // Looked at again and tried again, as what is told to wait; its advice is its own.
                Err(error @ ProviderError::Conflict(_)) => {
                    let hint = error.hint().map(str::to_owned);
                    Err(ProviderError::RetryLater(Failure { hint, retry_after: None, ..error.failure().clone() }))
                }
                tried => tried,
            }
        }
    })
    .await
}

async fn look(
    provider: &dyn AnyProvider,
    run: &Run,
    access: &serde_json::Value,
    known: AnyKnown<'_>,
) -> Result<Seen, ProviderError> {
    match provider.observe(run, access, &[known]).await {
        Ok(mut seen) => seen.pop().map_or(Ok(Seen::Absent), Seen::read),
        Err(ProviderError::Unreachable(failure)) => Ok(Seen::Unreachable(failure.to_string())),
        Err(ProviderError::NotPermitted(failure)) => Ok(Seen::NotPermitted(failure)),
        Err(error) => Err(error),
    }
}

/// A replacement, a refusal or a loss that the plan did not show stops the branch: nobody has agreed to it.
fn refuse_what_was_not_shown(item: &Item, shown: &Verdict, now: &Verdict) -> Result<(), ProviderError> {
    if let Change::Forbidden { because, hint } = &now.change {
        let failure = Failure::new(format!("{} cannot be changed", item.label()), because);
        return Err(ProviderError::Refused(failure.with_hint(hint.clone())));
    }
    if let (Change::Replace { because }, false) = (&now.change, matches!(shown.change, Change::Replace { .. })) {
        return Err(outdated(item, format!("it would now be replaced: {because}")));
    }
    match &now.loss {
        Some(loss) if !loss.allowed => Err(outdated(item, format!("it would now be lost: {}", loss.what))),
        _ => Ok(()),
    }
}

fn outdated(item: &Item, why: String) -> ProviderError {
    let failure = Failure::new(format!("the plan no longer holds for {}", item.label()), why);
    ProviderError::Refused(failure.with_hint("run `plan` again and look at what it says now"))
}

fn not_ready(item: &Item, why: &str) -> ProviderError {
    ProviderError::refused(format!("failed to prepare {}", item.label()), why)
}
