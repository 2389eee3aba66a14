//! Carrying out the steps of a plan.

use std::time::{Duration, Instant};

use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use serde_json::Value as Json;

use super::events::Event;
use super::items::{Item, ItemKind, Items, Seen};
use super::ledger::{Entry, Ledger, LedgerError};
use super::observe::{Context, Observed, Wish, decide, seen_of};
use super::outcome::{Outcome, Proved};
use super::plan::{Allowances, Change, Step};
use super::schedule::Schedule;
use crate::proof::Evidence;
use crate::provider::{Failure, ProviderError};
use crate::resource::Loss;
use crate::run::Run;
use crate::topology::{AnyKnown, AnyProvider};
use crate::value;

/// How many steps go side by side; more would only queue inside the servers.
const SIDE_BY_SIDE: usize = 16;

/// How a run goes on after a failure.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AfterFailure {
    /// What does not need the failed thing goes on.
    #[default]
    GoOn,
    /// What is in flight finishes, nothing new begins.
    Stop,
}

/// Everything that carrying out needs.
pub(super) struct Execution<'a> {
    pub(super) items: &'a Items,
    pub(super) run: &'a Run,
    pub(super) allowances: &'a Allowances,
    pub(super) after_failure: AfterFailure,
}

/// What one step did.
struct Done {
    index: usize,
    took: Duration,
    result: Result<Effect, ProviderError>,
}

enum Effect {
    /// The thing is as it should be, with these outputs, holding this.
    Stands { wrote: bool, change: Change, outputs: Json, held: Option<String> },
    /// The thing is gone.
    Gone { wrote: bool },
    /// The proof passed.
    Proved(Evidence),
}

impl Execution<'_> {
    /// Carries out all steps; `found` is updated with the outputs of what was made.
    ///
    /// # Errors
    /// [`LedgerError`] if what is about to be made cannot be written down; nothing more is begun then.
    pub(super) async fn carry_out(
        &self,
        found: &mut Observed,
        ledger: &mut Ledger,
        outcome: &mut Outcome,
    ) -> Result<(), LedgerError> {
        let pending: Vec<bool> = found.steps.iter().map(|step| step.change.is_pending()).collect();
        if pending.contains(&true) {
            self.intend(found, ledger)?;
        }
        let mut schedule = Schedule::new(self.items, &found.steps);
        let mut begun = vec![false; pending.len()];
        let mut flying: FuturesUnordered<BoxFuture<'_, Done>> = FuturesUnordered::new();
        let mut ledger_error = None;
        loop {
            while flying.len() < SIDE_BY_SIDE && !self.stops(outcome) && ledger_error.is_none() {
                let Some(index) = schedule.begin() else { break };
                begun[index] = true;
                flying.push(self.begin(index, found, ledger));
            }
            // What is in flight always finishes: dropping it would leave a write half done.
            let Some(done) = flying.next().await else { break };
            let index = done.index;
            match self.note(done, found, ledger, outcome) {
                Ok(true) => schedule.finish(index, &pending),
                Ok(false) => {}
                Err(error) => ledger_error = Some(error),
            }
        }
        outcome.interrupted = self.run.is_cancelled();
        let left = (0..pending.len()).filter(|index| pending[*index] && !begun[*index]);
        outcome.not_begun = left.map(|index| self.items.items[index].address.clone()).collect();
        ledger_error.map_or(Ok(()), Err)
    }

    fn stops(&self, outcome: &Outcome) -> bool {
        self.run.is_cancelled() || (self.after_failure == AfterFailure::Stop && !outcome.failures.is_empty())
    }

    /// Writes down everything that may be made, before anything is.
    fn intend(&self, found: &Observed, ledger: &mut Ledger) -> Result<(), LedgerError> {
        let mut entries = Vec::new();
        let mut unproved = Vec::new();
        for (index, item) in self.items.items.iter().enumerate() {
            match (&item.what, &found.steps[index].change) {
                (ItemKind::Wanted { .. }, change) if change.is_pending() => entries.extend(entry_of(self.items, index)),
                (ItemKind::Proof { .. }, Change::Prove) => unproved.push(item.address.clone()),
                _ => {}
            }
        }
        ledger.intend(entries, &unproved)
    }

    fn begin<'b>(&'b self, index: usize, found: &Observed, ledger: &Ledger) -> BoxFuture<'b, Done> {
        let item = &self.items.items[index];
        let step = found.steps[index].clone();
        let run = self.run.on(&item.address);
        self.run.emit(&Event::Started { address: item.address.clone(), doing: doing(&step.change), label: item.label() });
        let begun = Instant::now();
        let work: BoxFuture<'b, Result<Effect, ProviderError>> = match &item.what {
            ItemKind::Proof { .. } => Box::pin(prove(item, self.filled(item, found), run)),
            ItemKind::Unwanted { entry, .. } => {
                let holder_goes =
                    item.needs.iter().any(|need| matches!(found.steps[*need].change, Change::Delete { .. } | Change::Forget));
                Box::pin(take_away(item, entry, step, holder_goes, self.filled(item, found), run))
            }
            _ => {
                let entry = match &item.what {
                    ItemKind::Wanted { key, .. } => ledger.find(key).cloned(),
                    _ => None,
                };
                Box::pin(self.make(index, step, entry, self.filled(item, found), run))
            }
        };
        Box::pin(async move { Done { index, result: work.await, took: begun.elapsed() } })
    }

    /// The item's access and spec (or proof) with everything filled in that is known now.
    fn filled(&self, item: &Item, found: &Observed) -> Filled {
        fill(self.items, item, found)
    }

    async fn make(
        &self,
        index: usize,
        step: Step,
        entry: Option<Entry>,
        filled: Filled,
        run: Run,
    ) -> Result<Effect, ProviderError> {
        let item = &self.items.items[index];
        let ItemKind::Wanted { resource, provider, .. } = &item.what else { return Err(not_ready(item, "it has no provider")) };
        if let Some(unknown) = &filled.unknown {
            return Err(not_ready(item, &format!("`{unknown}` gave no value for it")));
        }
        let known = AnyKnown { identity: resource.identity.clone(), kept: entry.as_ref().and_then(|entry| entry.kept.clone()) };
        let live = match look(provider.as_ref(), &run, &filled.access, known).await? {
            Seen::There(live) => Some(live),
            _ => None,
        };
        let wish = Wish { access: &filled.access, spec: &filled.spec, resolve: &|_| None };
        let now =
            decide(self.items, index, provider.as_ref(), &wish, live.as_deref(), &self.context(&run, entry.as_ref())).await?;
        if now.change == Change::None
            && let Some(live) = live
        {
            return Ok(Effect::Stands { wrote: false, change: Change::None, outputs: live.outputs, held: live.holds });
        }
        refuse_what_was_not_shown(item, &step, &now)?;
        if let (Change::Replace { .. }, Some(_)) = (&now.change, &live) {
            run.progress("deleting what cannot be changed in place");
            provider.delete(&run, &filled.access, &resource.identity).await?;
        }
        let before = live.as_deref().filter(|_| !matches!(now.change, Change::Replace { .. }));
        let outputs = persist(&run, || provider.apply(&run, &filled.access, &filled.spec, before)).await?;
        let held = before.and_then(|live| live.holds.clone());
        Ok(Effect::Stands { wrote: true, change: now.change, outputs, held })
    }

    fn context<'b>(&'b self, run: &'b Run, entry: Option<&'b Entry>) -> Context<'b> {
        Context { run, entries: super::observe::Entries::One(entry), allowances: self.allowances }
    }

    /// Writes down what a step did; whether it ended well.
    fn note(&self, done: Done, found: &mut Observed, ledger: &mut Ledger, outcome: &mut Outcome) -> Result<bool, LedgerError> {
        let item = &self.items.items[done.index];
        let effect = match done.result {
            Ok(effect) => effect,
            Err(error) => {
                let failed = item.failure(&error);
                self.run.emit(&failed.event());
                outcome.failures.push(failed);
                return Ok(false);
            }
        };
        let word = match effect {
            Effect::Stands { wrote, change, outputs, held } => {
                outcome.writes += usize::from(wrote);
                count(outcome, &change);
                if let ItemKind::Wanted { key, provider, .. } = &item.what {
                    ledger.made(key, provider.facts().keeps_outputs.then(|| outputs.clone()), held)?;
                }
                found.outputs[done.index] = Some(outputs);
                finished(&change)
            }
            Effect::Gone { wrote } => {
                outcome.writes += usize::from(wrote);
                *(if wrote { &mut outcome.counts.delete } else { &mut outcome.counts.forget }) += 1;
                if let ItemKind::Unwanted { entry, .. } = &item.what {
                    ledger.gone(&entry.key)?;
                }
                if wrote { "deleted" } else { "was gone" }
            }
            Effect::Proved(evidence) => {
                if let ItemKind::Proof { proof, digest, .. } = &item.what {
                    ledger.proved(&item.address, digest)?;
                    let (address, claim) = (item.address.clone(), proof.claim.clone());
                    outcome.proofs.push(Proved { address, claim, evidence });
                }
                outcome.counts.prove += 1;
                "proved"
            }
        };
        self.run.emit(&Event::Finished { address: item.address.clone(), done: word, label: item.label(), took: done.took });
        Ok(true)
    }
}

/// Access and spec with everything filled in; `unknown` names one that is still missing.
struct Filled {
    access: Json,
    spec: Json,
    unknown: Option<String>,
}

/// The item's access and spec (or proof) with everything filled in that is known now.
fn fill(items: &Items, item: &Item, found: &Observed) -> Filled {
    let find = |reference: &value::Reference| items.output(&found.outputs, reference);
    let fill = |json: &Json| value::resolve(json, &find);
    let (access, spec) = match &item.what {
        ItemKind::Wanted { resource, .. } => (fill(&resource.access), fill(&resource.spec)),
        ItemKind::Unwanted { entry, .. } => (fill(&entry.access), fill(&Json::Null)),
        ItemKind::Proof { proof, .. } => (fill(&Json::Null), fill(&proof.proof)),
        ItemKind::Unhosted { .. } => (fill(&Json::Null), fill(&Json::Null)),
    };
    let unknown = access.unknown.iter().chain(&spec.unknown).map(|reference| reference.of.to_string()).next();
    Filled { access: access.json, spec: spec.json, unknown }
}

/// Carries out one proof and notes in `outcome` what came of it.
pub(super) async fn verify_one(items: &Items, index: usize, found: &Observed, run: &Run, outcome: &mut Outcome) {
    let item = &items.items[index];
    let begun = Instant::now();
    run.emit(&Event::Started { address: item.address.clone(), doing: "proving", label: item.label() });
    match (prove(item, fill(items, item, found), run.on(&item.address)).await, &item.what) {
        (Ok(Effect::Proved(evidence)), ItemKind::Proof { proof, .. }) => {
            let (address, claim) = (item.address.clone(), proof.claim.clone());
            run.emit(&Event::Finished { address: address.clone(), done: "proved", label: claim.clone(), took: begun.elapsed() });
            outcome.counts.prove += 1;
            outcome.proofs.push(Proved { address, claim, evidence });
        }
        (Ok(_), _) => {}
        (Err(error), _) => {
            let failed = item.failure(&error);
            run.emit(&failed.event());
            outcome.failures.push(failed);
        }
    }
}

fn not_ready(item: &Item, why: &str) -> ProviderError {
    ProviderError::refused(format!("failed to prepare {}", item.label()), why)
}

async fn look(provider: &dyn AnyProvider, run: &Run, access: &Json, known: AnyKnown) -> Result<Seen, ProviderError> {
    let known = [known];
    let look = || async {
        match provider.observe(run, access, &known).await?.pop().map(seen_of) {
            Some(Seen::Unreachable(why)) => Ok(crate::run::Looked::NotYet(why)),
            Some(seen) => Ok(crate::run::Looked::Found(seen)),
            None => Ok(crate::run::Looked::Found(Seen::Absent)),
        }
    };
    run.wait_for("an answer from what it lives in", look).await
}

/// Tries until it is done, refused, or out of time.
async fn persist<'a>(
    run: &Run,
    apply: impl Fn() -> BoxFuture<'a, Result<Json, ProviderError>> + Send + Sync,
) -> Result<Json, ProviderError> {
    let attempt = || async {
        match apply().await {
            Ok(outputs) => Ok(crate::run::Looked::Found(outputs)),
            Err(error) => Err(error),
        }
    };
    run.wait_for("it to be accepted", attempt).await
}

async fn prove(item: &Item, filled: Filled, run: Run) -> Result<Effect, ProviderError> {
    let ItemKind::Proof { prover, proof, .. } = &item.what else { return Err(not_ready(item, "it is no proof")) };
    if let Some(unknown) = &filled.unknown {
        return Err(not_ready(item, &format!("`{unknown}` gave no value for it")));
    }
    let Some(prover) = prover else { return Err(not_ready(item, &format!("nobody carries out `{}`", proof.kind))) };
    prover.prove(&run, &filled.spec).await.map(Effect::Proved)
}

async fn take_away(
    item: &Item,
    entry: &Entry,
    step: Step,
    holder_goes: bool,
    filled: Filled,
    run: Run,
) -> Result<Effect, ProviderError> {
    let ItemKind::Unwanted { provider, .. } = &item.what else { return Err(not_ready(item, "it is wanted")) };
    if step.change == Change::Forget {
        return Ok(Effect::Gone { wrote: false });
    }
    let goes_with_its_holder = holder_goes && entry.loss != Loss::Secret;
    if filled.unknown.is_some() && goes_with_its_holder {
        return Ok(Effect::Gone { wrote: true });
    }
    let Some(provider) = provider else { return Err(not_ready(item, "no place of the program hosts its kind")) };
    let identity = serde_json::from_str(&entry.key.identity).unwrap_or(Json::Null);
    match provider.delete(&run, &filled.access, &identity).await {
        Err(ProviderError::Unreachable(_)) if goes_with_its_holder => Ok(Effect::Gone { wrote: true }),
        deleted => deleted.map(|()| Effect::Gone { wrote: true }),
    }
}

/// A replacement, a refusal or a loss that the plan did not show stops the branch: nobody has agreed to it.
fn refuse_what_was_not_shown(item: &Item, shown: &Step, now: &Step) -> Result<(), ProviderError> {
    let unshown = match (&now.change, &shown.change) {
        (Change::Forbidden { because, hint }, _) => {
            let failure = Failure::new(format!("{} cannot be changed", item.label()), because);
            return Err(ProviderError::Refused(failure.with_hint(hint.clone())));
        }
        (Change::Replace { because }, planned) if !matches!(planned, Change::Replace { .. }) => {
            Some(format!("it would now be replaced: {because}"))
        }
        _ => None,
    };
    let lost = now.loss.as_ref().filter(|loss| !loss.allowed).map(|loss| format!("it would now be lost: {}", loss.what));
    let Some(why) = unshown.or(lost) else { return Ok(()) };
    let failure = Failure::new(format!("the plan no longer holds for {}", item.label()), why);
    Err(ProviderError::Refused(failure.with_hint("run `plan` again and look at what it says now")))
}

fn entry_of(items: &Items, index: usize) -> Option<Entry> {
    let item = &items.items[index];
    let ItemKind::Wanted { key, resource, provider } = &item.what else { return None };
    let fixed = provider.facts().secret_fields.iter().map(|path| (*path).to_owned());
    Some(Entry {
        key: key.clone(),
        label: resource.label.clone(),
        address: item.address.clone(),
        access: resource.access.clone(),
        after: items.resources_below(index),
        loss: resource.loss,
        sensitive: value::sensitive_paths(&resource.spec).into_iter().chain(fixed).collect(),
        origin: item.origin.clone(),
        made: false,
        kept: None,
        held: None,
    })
}

fn count(outcome: &mut Outcome, change: &Change) {
    let counts = &mut outcome.counts;
    *match change {
        Change::Create => &mut counts.create,
        Change::Replace { .. } => &mut counts.replace,
        Change::None => &mut counts.unchanged,
        _ => &mut counts.update,
    } += 1;
}

fn doing(change: &Change) -> &'static str {
    match change {
        Change::Create => "creating",
        Change::Update => "updating",
        Change::Replace { .. } => "replacing",
        Change::Delete { .. } => "deleting",
        Change::Forget => "striking out",
        Change::Prove => "proving",
        Change::None | Change::UnknownUntil { .. } | Change::Forbidden { .. } => "looking again",
    }
}

fn finished(change: &Change) -> &'static str {
    match change {
        Change::Create => "created",
        Change::Replace { .. } => "replaced",
        Change::None => "is as it should be",
        _ => "updated",
    }
}
