//! Carrying out the steps of a plan.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};

use super::decide::Verdict;
use super::events::Event;
use super::filled::fill;
use super::items::{ItemKind, Items};
use super::ledger::{Entry, Ledger, LedgerError};
use super::observe::Observed;
use super::outcome::{Outcome, Proved};
use super::perform::{Effect, Making, Taking, prove};
use super::plan::{Allowances, Change};
use super::replaced::Pairs;
use super::schedule::Schedule;
use super::scope::Prune;
use super::silence::at_rest;
use crate::address::Address;
use crate::provider::ProviderError;
use crate::resource::Loss;
use crate::run::Run;
use crate::value;

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
    pub(super) prune: &'a Prune,
    /// What goes where something is made in its place.
    pub(super) pairs: &'a Pairs,
}

/// What one step did.
struct Done {
    index: usize,
    took: Duration,
    result: Result<Effect, ProviderError>,
    /// Whether it ended before its first write.
    wrote_nothing: bool,
}

impl Execution<'_> {
    /// Carries out all steps; `found` is updated with the outputs of what was made.
    ///
    /// # Errors
    /// [`LedgerError`] if what is about to be made, or was made, cannot be written down; nothing more is begun then.
    pub(super) async fn carry_out(
        &self,
        found: &mut Observed,
        ledger: &mut Ledger,
        outcome: &mut Outcome,
    ) -> Result<(), LedgerError> {
        let known: Vec<bool> =
            self.items.items.iter().map(|item| item.key().is_some_and(|key| ledger.find(key).is_some())).collect();
        let mut schedule = Schedule::new(self.items, found);
        let held_up = schedule.held_up();
        let mut written_down = self.intend(found, ledger, &held_up).await;
        let mut begun = vec![false; self.items.len()];
        let mut touched = vec![false; self.items.len()];
        let mut inside = self.going_unseen(found);
        let mut flying: FuturesUnordered<BoxFuture<'_, Done>> = FuturesUnordered::new();
        loop {
            while flying.len() < self.run.side_by_side() && !self.stops(outcome) && written_down.is_ok() {
                let Some(index) = schedule.begin() else { break };
                begun[index] = true;
                flying.push(self.begin(index, found, ledger, known[index]));
            }
            // What is in flight always finishes: dropping it would leave a write half done.
            let Some(first) = flying.next().await else { break };
            let others = std::iter::from_fn(|| flying.next().now_or_never().flatten());
            let mut ended_well = Vec::new();
            for done in std::iter::once(first).chain(others) {
                let index = done.index;
                touched[index] = !done.wrote_nothing;
                match self.note(done, &mut inside, found, ledger, outcome) {
                    Ok(true) => ended_well.push(index),
                    Ok(false) => {}
                    Err(error) => written_down = Err(error),
                }
            }
            match ledger.write_notes().await {
                Ok(()) => ended_well.into_iter().for_each(|index| schedule.finish(index)),
                Err(error) => written_down = Err(error),
            }
        }
        let is_left = |index: &usize| found.verdicts[*index].change.is_pending() && !begun[*index] && !held_up[*index];
        let left = (0..begun.len()).filter(is_left);
        outcome.not_begun = left.map(|index| self.items.items[index].address.clone()).collect();
        outcome.interrupted = self.run.was_asked_to_stop() && !(outcome.not_begun.is_empty() && outcome.left.is_empty());
        written_down?;
        let meant_only = |index: &usize| found.verdicts[*index].change.is_pending() && !touched[*index] && !known[*index];
        if self.run.lost_lease().is_some() || self.run.took_over() {
            return Ok(());
        }
        self.strike_out((0..begun.len()).filter(meant_only), ledger).await
    }

    /// What this run meant to make and did not touch is not ours: somebody else may make it before the next run.
    async fn strike_out(&self, untouched: impl Iterator<Item = usize>, ledger: &mut Ledger) -> Result<(), LedgerError> {
        for index in untouched {
            if let ItemKind::Wanted { key, .. } = &self.items.items[index].what {
                ledger.gone(key)?;
            }
        }
        ledger.write_notes().await
    }

    /// By holder, what goes and could not be looked at in something that goes too.
    fn going_unseen(&self, found: &Observed) -> BTreeMap<usize, Vec<usize>> {
        let is_unseen =
            |index: &usize| found.live[*index].is_none() && matches!(found.verdicts[*index].change, Change::Delete { .. });
        let mut inside: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for index in (0..self.items.len()).filter(is_unseen) {
            self.put_inside(index, &mut inside);
        }
        inside
    }

    fn put_inside(&self, index: usize, inside: &mut BTreeMap<usize, Vec<usize>>) {
        let goes = |holder: &usize| matches!(self.items.items[*holder].what, ItemKind::Unwanted { .. });
        for holder in self.items.holders(index).filter(goes) {
            let inside = inside.entry(holder).or_default();
            if !inside.contains(&index) {
                inside.push(index);
            }
        }
    }

    /// What nobody could look at is there as long as its holder is, and the holder's entry is the way to it: it is struck out just before
    /// that one, however early its own step came.
    fn note_gone(&self, index: usize, inside: &BTreeMap<usize, Vec<usize>>, ledger: &mut Ledger) -> Result<(), LedgerError> {
        let key = |index: usize| self.items.items[index].key();
        let is_inside = |holder: usize| inside.get(&holder).is_some_and(|inside| inside.contains(&index));
        let mut holders = self.items.holders(index).filter(|holder| is_inside(*holder));
        if holders.any(|holder| key(holder).is_some_and(|key| ledger.find(key).is_some())) {
            return Ok(());
        }
        let with_it = inside.get(&index).into_iter().flatten().copied();
        with_it.chain([index]).filter_map(key).try_for_each(|key| ledger.gone(key))
    }

    fn stops(&self, outcome: &Outcome) -> bool {
        self.run.is_cancelled() || (self.after_failure == AfterFailure::Stop && !outcome.failures.is_empty())
    }

    /// Writes down everything that may be made, before anything is; and what is new about what stands.
    async fn intend(&self, found: &Observed, ledger: &mut Ledger, held_up: &[bool]) -> Result<(), LedgerError> {
        let entry = |index: usize| match held_up[index] {
            true => kept_entry_of(self.items, index, found, ledger),
            false => entry_of(self.items, index, found, ledger),
        };
        let wanted = || (0..self.items.len()).filter_map(entry);
        let differs = wanted().any(|entry| ledger.find(&entry.key).is_none_or(|before| !before.says_the_same_as(&entry)));
        let is_quiet = |address: &Address| self.items.find(address).map(|index| found.quiet[index]);
        let at_rest = if held_up.contains(&true) { at_rest(self.items, found, held_up) } else { Vec::new() };
        let stands = |proof: &Address| match self.items.find(proof) {
            // A proof that cannot be carried out now counts as long as nothing changes under it.
            Some(index) => found.verdicts[index].change == Change::None || at_rest.get(index) == Some(&true),
            None => self.prune.leaves_standing(proof, &is_quiet),
        };
        let changes = (0..self.items.len()).any(|index| found.verdicts[index].change.is_pending() && !held_up[index]);
        let outlived = matches!(self.prune, Prune::Everything) && ledger.has_passed_other_than(stands);
        if !(changes || outlived || differs) {
            return Ok(());
        }
        // Those that have not changed too: what stays behind at an address is moved aside, and they do not go with it.
        let entries: Vec<Entry> = wanted().collect();
        ledger.intend(entries, stands).await
    }

    fn begin<'b>(&'b self, index: usize, found: &Observed, ledger: &Ledger, known: bool) -> BoxFuture<'b, Done> {
        let item = &self.items.items[index];
        let shown = found.verdicts[index].clone();
        let filled = fill(self.items, index, found);
        let run = self.run.on(&item.address);
        self.run.emit(&Event::Started { address: item.address.clone(), doing: doing(&shown.change), label: item.label() });
        let begun = Instant::now();
        let work: BoxFuture<'b, (Result<Effect, ProviderError>, bool)> = match &item.what {
            ItemKind::Proof { .. } => Box::pin(async { (prove(item, filled, run).await.map(Effect::Proved), true) }),
            ItemKind::Unwanted { .. } => {
                let goes = |holder: usize| matches!(found.verdicts[holder].change, Change::Delete { .. } | Change::Forget);
                let goes_with_its_holder = item.loss() != Loss::Secret && self.items.holders(index).any(goes);
                let hands_over =
                    matches!(&item.what, ItemKind::Unwanted { provider: Some(provider), .. } if provider.facts().hands_over);
                let taking = Taking { item, shown, filled, run, allowances: self.allowances, goes_with_its_holder };
                match hands_over && self.items.holders(index).all(goes) {
                    true => Box::pin(async { (Ok(Effect::Gone { wrote: false }), false) }),
                    false => Box::pin(async { (taking.carry_out().await, false) }),
                }
            }
            ItemKind::Wanted { .. } | ItemKind::Unhosted { .. } => {
                let entry = item.key().and_then(|key| ledger.find_shared(key)).cloned();
                // Boxed by itself: a future that owns it has room for it twice.
                let making = Box::new(Making { item, shown, filled, run, allowances: self.allowances, entry, known });
                Box::pin(async move { making.carry_out().await })
            }
        };
        Box::pin(async move {
            let (result, wrote_nothing) = work.await;
            Done { index, result, took: begun.elapsed(), wrote_nothing }
        })
    }

    /// Notes what a step did; whether it ended well.
    fn note(
        &self,
        done: Done,
        inside: &mut BTreeMap<usize, Vec<usize>>,
        found: &mut Observed,
        ledger: &mut Ledger,
        outcome: &mut Outcome,
    ) -> Result<bool, LedgerError> {
        let item = &self.items.items[done.index];
        let effect = match done.result {
            Ok(effect) => effect,
            Err(ProviderError::Stopped(failure)) => {
                let left = item.left(&failure);
                self.run.emit(&left.event());
                outcome.left.push(left);
                return Ok(false);
            }
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
                // What is made in the place of something that goes is one replacement.
                let replaces = change == Change::Create && self.pairs.is_made(done.index);
                let change = if replaces { Change::Replace { because: String::new() } } else { change };
                count(outcome, &change);
                if let ItemKind::Wanted { key, provider, .. } = &item.what {
                    ledger.made(key, provider.facts().keeps_outputs.then(|| outputs.clone()), held)?;
                }
                found.outputs[done.index] = Some(Arc::new(outputs));
                finished(&change)
            }
            Effect::Gone { .. } | Effect::GoesUnseen => {
                let wrote = matches!(effect, Effect::Gone { wrote: true });
                if matches!(effect, Effect::GoesUnseen) {
                    self.put_inside(done.index, inside);
                }
                outcome.writes += usize::from(wrote);
                // The half of a replacement is counted with the other one.
                match (wrote, self.pairs.is_going(done.index)) {
                    (_, true) => {}
                    (true, false) => outcome.counts.delete += 1,
                    (false, false) => outcome.counts.forget += 1,
                }
                // Where a run was taken over, what it had in flight may make the thing once more: the next run looks for it too.
                if !self.run.took_over() {
                    self.note_gone(done.index, inside, ledger)?;
                }
                if wrote { "deleted" } else { "struck out" }
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

/// What the Ledger should say of a wanted thing before anything is done.
fn entry_of(items: &Items, index: usize, found: &Observed, ledger: &Ledger) -> Option<Entry> {
    let item = &items.items[index];
    let ItemKind::Wanted { key, resource, provider } = &item.what else { return None };
    let before = ledger.find(key);
    let facts = provider.facts();
    let Verdict { change, loss, .. } = &found.verdicts[index];
    let live = found.live[index].as_ref().filter(|_| matches!(change, Change::None | Change::Adopt));
    let mut sensitive = before.map(|before| before.sensitive.clone()).unwrap_or_default();
    let declared = facts.secret_fields.iter().map(|path| (*path).to_owned());
    for path in value::sensitive_paths(&resource.spec).into_iter().chain(declared) {
        if !sensitive.contains(&path) {
            sensitive.push(path);
        }
    }
    // A loss that was shown and accepted is not asked about again, even if this run is killed between deleting and making.
    let is_given_up = loss.is_some() || matches!(change, Change::Replace { .. });
    let kept = live.filter(|_| facts.keeps_outputs).map(|live| live.outputs.as_ref().clone());
    let mut entry = Entry {
        key: key.clone(),
        label: resource.label.clone(),
        address: item.address.clone(),
        access: resource.access.clone(),
        after: items.resources_below(index),
        loss: resource.loss,
        may_be_lost: resource.may_be_lost,
        sensitive,
        origin: item.origin.clone(),
        made: live.is_some() || (!is_given_up && before.is_some_and(|before| before.made)),
        kept: kept.or_else(|| before.and_then(|before| before.kept.clone())),
        held: None,
    };
    let held = live.map_or_else(|| before.and_then(|before| before.held.clone()), |live| live.holds.clone());
    entry.held = entry.remembered(held);
    Some(entry)
}

/// The same of a thing that is left as it is: what is not known to be made is not meant to be either, and nothing is given up.
fn kept_entry_of(items: &Items, index: usize, found: &Observed, ledger: &Ledger) -> Option<Entry> {
    let before = ledger.find(items.items[index].key()?)?;
    entry_of(items, index, found, ledger).map(|entry| Entry { made: before.made, ..entry })
}

fn count(outcome: &mut Outcome, change: &Change) {
    let counts = &mut outcome.counts;
    *match change {
        Change::Create => &mut counts.create,
        Change::Adopt => &mut counts.adopt,
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
        Change::Adopt => "taking over",
        Change::None | Change::UnknownUntil { .. } | Change::Unreachable { .. } | Change::Forbidden { .. } => "looking again",
    }
}

fn finished(change: &Change) -> &'static str {
    match change {
        Change::Create => "created",
        Change::Replace { .. } => "replaced",
        Change::None => "is as it should be",
        Change::Adopt => "taken over",
        _ => "updated",
    }
}
