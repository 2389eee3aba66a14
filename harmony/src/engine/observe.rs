//! Looking at everything, one dependency level at a time, and saying what becomes of it.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::future::join_all;
use futures::stream;
use serde_json::Value as Json;
use tokio::time::Instant;

use super::decide::{Context, Verdict, decide, decide_unwanted, loss_of_what_was};
use super::filled::fill;
use super::items::{ItemKind, Items, Seen};
use super::ledger::{Entry, Key};
use super::order::Order;
use super::plan::Change;
use super::silence::dimmed;
use crate::address::Address;
use crate::provider::{Failure, ProviderError};
use crate::run::{Looked, Run};
use crate::topology::{AnyKnown, AnyObservation, AnyProvider};
use crate::value;

/// How many pending things are named where something is unknown until they have been applied.
const MOST_NAMED: usize = 8;

/// How long something that says "later" is asked again when it is looked at. A NATS supercluster's election was seen to take 9 s on two busy
/// cores; what is not ready for longer has lost servers, which a plan should name soon.
const LATER: Duration = Duration::from_secs(20);

/// So many things of a level are settled before it is noted what becomes of them: enough that waiting for the slowest does not count, and few
/// enough that they stay at hand.
const AT_HAND: usize = 256;

/// What looking at everything found, by item.
pub(super) struct Observed {
    /// What becomes of each.
    pub(super) verdicts: Vec<Verdict>,
    /// The outputs of what does not change.
    pub(super) outputs: Vec<Option<Arc<Json>>>,
    /// Whether neither the item nor anything below it changes.
    pub(super) quiet: Vec<bool>,
    /// Whether nobody can say how the item stands, because its place does not answer, or one does not that would say what it should be.
    pub(super) is_dim: Vec<bool>,
    /// What was there.
    pub(super) live: Vec<Option<There>>,
    /// What did not answer, and why, also where something pending explains it.
    pub(super) silent: Vec<(usize, String)>,
    /// What could not be looked at, and why.
    pub(super) troubles: Vec<(usize, ProviderError)>,
}

/// What was there, without its state: a step looks again before it changes anything.
#[derive(Clone)]
pub(super) struct There {
    pub(super) outputs: Arc<Json>,
    pub(super) holds: Option<String>,
}

/// Everything that looking needs.
pub(super) struct Observation<'a> {
    pub(super) items: &'a Items,
    pub(super) run: &'a Run,
    pub(super) context: Context<'a>,
}

impl Observed {
    fn nothing(items: &Items) -> Self {
        Self {
            verdicts: vec![Verdict::new(Change::None); items.len()],
            outputs: vec![None; items.len()],
            quiet: vec![false; items.len()],
            is_dim: vec![false; items.len()],
            live: vec![None; items.len()],
            silent: Vec::new(),
            troubles: Vec::new(),
        }
    }

    fn note(&mut self, items: &Items, Settled { index, live, silent, verdict }: Settled) {
        match verdict {
            Ok(verdict) => {
                // What does not change, and what is about to go but still stands, can be referred to.
                let stands = matches!(verdict.change, Change::None | Change::Adopt | Change::Delete { .. });
                self.outputs[index] = live.as_ref().filter(|_| stands).map(|live| live.outputs.clone());
                self.is_dim[index] = self.is_in_the_dark(items, index, &verdict.change);
                self.quiet[index] = !verdict.change.is_pending() && items.items[index].needs.iter().all(|need| self.quiet[*need]);
                self.verdicts[index] = verdict;
            }
            Err(error) => self.troubles.push((index, error)),
        }
        self.live[index] = live;
        self.silent.extend(silent.map(|why| (index, why)));
    }

    fn is_in_the_dark(&self, items: &Items, index: usize, change: &Change) -> bool {
        let is_dim = |address: &Address| items.find_for(index, address).is_some_and(|at| self.is_dim[at]);
        match change {
            Change::Unreachable { .. } => true,
            Change::UnknownUntil { until } => until.iter().any(is_dim),
            _ => false,
        }
    }

    /// Takes the outputs of what is there, whether or not it should change.
    pub(super) fn take_as_it_is(&mut self) {
        for (outputs, live) in self.outputs.iter_mut().zip(&self.live) {
            *outputs = live.as_ref().map(|live| live.outputs.clone());
        }
    }

    /// The nearest things below an item that will change.
    fn pending_below(&self, items: &Items, index: usize) -> Vec<Address> {
        let mut pending = BTreeSet::new();
        let mut seen = BTreeSet::new();
        let mut queue = items.items[index].needs.clone();
        while let Some(at) = queue.pop() {
            if pending.len() >= MOST_NAMED || !seen.insert(at) {
                continue;
            }
            let change = &self.verdicts[at].change;
            if change.is_pending() && *change != Change::Prove {
                pending.insert(items.items[at].address.clone());
            } else {
                queue.extend(&items.items[at].needs);
            }
        }
        pending.into_iter().collect()
    }
}

type LookedAt = (usize, Result<Look, ProviderError>);

/// What looking came to; an answer is read when its turn comes.
enum Look {
    Seen(Seen),
    Answer(AnyObservation),
}

/// What was seen of an item, and what becomes of it.
struct Settled {
    index: usize,
    live: Option<There>,
    /// Why it did not answer.
    silent: Option<String>,
    verdict: Result<Verdict, ProviderError>,
}

impl Observation<'_> {
    /// Looks at all self.items.
    pub(super) async fn carry_out(&self, order: &Order) -> Observed {
        let mut found = Observed::nothing(self.items);
        for level in levels(order) {
            let mut looked = self.look(&level, &found).await.into_iter();
            while looked.len() > 0 {
                let settling = looked.by_ref().take(AT_HAND).map(|(index, looked)| self.settle(index, looked, &found));
                let settled: Vec<Settled> = stream::iter(settling).buffered(self.run.side_by_side()).collect().await;
                settled.into_iter().for_each(|settled| found.note(self.items, settled));
            }
        }
        found
    }

    /// Looks at one level: one batch per place, kind and access.
    async fn look(&self, level: &[usize], found: &Observed) -> Vec<LookedAt> {
        let mut looked = Vec::new();
        let mut batches: BTreeMap<(&str, &str, String), (Json, Vec<usize>)> = BTreeMap::new();
        for &index in level {
            let (access, key) = match &self.items.items[index].what {
                ItemKind::Proof { .. } | ItemKind::Unhosted { .. } => {
                    looked.push((index, Ok(Look::Seen(Seen::Check))));
                    continue;
                }
                ItemKind::Wanted { resource, key, .. } => (&resource.access, key),
                ItemKind::Unwanted { entry, .. } => (&entry.access, &entry.key),
            };
            if self.items.silence(index).is_some() {
                looked.push((index, Ok(Look::Seen(Seen::OutOfReach))));
                continue;
            }
            let resolved = value::resolve(access, &|reference| self.items.output_for(index, found, reference));
            if resolved.unknown.is_empty() {
                let batch = (key.place.as_str(), key.kind.as_str(), resolved.json.to_string());
                batches.entry(batch).or_insert_with(|| (resolved.json.into_owned(), Vec::new())).1.push(index);
            } else {
                looked.push((index, Ok(Look::Seen(Seen::OutOfReach))));
            }
        }
        let asked = batches.into_values().map(|(access, batch)| self.look_at_batch(access, batch));
        looked.extend(join_all(asked).await.into_iter().flatten());
        looked
    }

    async fn look_at_batch(&self, access: Json, batch: Vec<usize>) -> Vec<LookedAt> {
        let kept = |key: &Key, hosted: Option<&Arc<dyn AnyProvider>>| {
            // Of most kinds the Ledger keeps nothing, and need not be asked.
            hosted.filter(|provider| provider.facts().keeps_outputs)?;
            self.context.entry(key)?.kept.as_ref()
        };
        let mut known = Vec::with_capacity(batch.len());
        let mut provider = None;
        for &index in &batch {
            let (identity, key, hosted) = match &self.items.items[index].what {
                ItemKind::Wanted { resource, key, provider } => (Cow::Borrowed(&resource.identity), key, Some(provider)),
                ItemKind::Unwanted { entry, provider } => {
                    (Cow::Owned(entry.key.identity_as_json()), &entry.key, provider.as_ref())
                }
                ItemKind::Proof { .. } | ItemKind::Unhosted { .. } => continue,
            };
            provider = provider.or(hosted);
            known.push(AnyKnown { identity, kept: kept(key, hosted) });
        }
        let Some(provider) = provider else {
            let unhosted = |index: usize| (index, Err(unhosted_error(self.items.items[index].kind())));
            return batch.into_iter().map(unhosted).collect();
        };
        match ask(provider.as_ref(), self.run, &access, &known).await {
            Ok(answers) => batch.into_iter().zip(answers).map(|(index, answer)| (index, Ok(Look::Answer(answer)))).collect(),
            Err(ProviderError::Unreachable(failure)) => {
                batch.into_iter().map(|index| (index, Ok(Look::Seen(Seen::Unreachable(failure.to_string()))))).collect()
            }
            Err(ProviderError::NotPermitted(failure)) => {
                batch.into_iter().map(|index| (index, Ok(Look::Seen(Seen::NotPermitted(failure.clone()))))).collect()
            }
            Err(error) => batch.into_iter().map(|index| (index, Err(error.clone()))).collect(),
        }
    }

    async fn settle(&self, index: usize, looked: Result<Look, ProviderError>, found: &Observed) -> Settled {
        let item = &self.items.items[index];
        let seen = looked.and_then(Look::read);
        if let Some(change) = self.change_in_the_dark(index, &seen, found) {
            return Settled { index, live: None, silent: None, verdict: Ok(Verdict::new(change)) };
        }
        let seen = match seen {
            Ok(seen) => seen,
            Err(error) => return Settled { index, live: None, silent: None, verdict: Err(error) },
        };
        let verdict = match &item.what {
            ItemKind::Unhosted { kind, .. } => Err(unhosted_error(kind)),
            ItemKind::Proof { digest, .. } => {
                let stands = self.context.has_passed(&item.address, digest) && item.needs.iter().all(|need| found.quiet[*need]);
                Ok(Verdict::new(if stands { Change::None } else { Change::Prove }))
            }
            ItemKind::Unwanted { entry, .. } if self.was_never_begun(index, entry, &seen, found) => {
                Ok(Verdict::new(Change::Forget))
            }
            ItemKind::Unwanted { entry, .. } => Ok(decide_unwanted(item, entry, &seen, &self.context)),
            ItemKind::Wanted { key, provider, .. } => match &seen {
                Seen::OutOfReach | Seen::Unreachable(_) | Seen::NotPermitted(_) => self.settle_unseen(index, key, &seen, found),
                _ => self.settle_seen(index, provider.as_ref(), &seen, found).await,
            },
        };
        let (live, silent) = match seen {
            Seen::There(live) => (Some(There { outputs: Arc::new(live.outputs), holds: live.holds }), None),
            Seen::Unreachable(why) => (None, Some(why)),
            Seen::NotPermitted(failure) => (None, Some(failure.to_string())),
            _ => (None, None),
        };
        Settled { index, live, silent, verdict }
    }

    /// What becomes of an item whose place does not answer, or that goes, cannot be looked at, and needs something in such a place.
    fn change_in_the_dark(&self, index: usize, seen: &Result<Seen, ProviderError>, found: &Observed) -> Option<Change> {
        if let Some(failure) = self.items.silence(index) {
            return Some(Change::Unreachable { why: failure.to_string() });
        }
        let item = &self.items.items[index];
        let is_unseen = matches!(seen, Ok(Seen::OutOfReach | Seen::Unreachable(_) | Seen::NotPermitted(_)));
        let goes_unseen = is_unseen && matches!(item.what, ItemKind::Unwanted { .. });
        let dim = item.needs.iter().filter(|need| goes_unseen && found.is_dim[**need]);
        let until: Vec<Address> = dim.map(|need| self.items.items[*need].address.clone()).collect();
        if until.is_empty() { None } else { Some(Change::UnknownUntil { until }) }
    }

    /// Whether a killed run meant to make it and cannot have begun: something that it needs was never made either. It cannot be looked at,
    /// because what it would live in is not there; it holds nothing that anybody would have to be asked about.
    fn was_never_begun(&self, index: usize, entry: &Entry, seen: &Seen, found: &Observed) -> bool {
        let was_never_made = |need: &usize| {
            let entry = self.items.items[*need].key().and_then(|key| self.context.entry(key));
            found.live[*need].is_none() && entry.is_some_and(|entry| !entry.made)
        };
        let is_out_of_sight = matches!(seen, Seen::OutOfReach | Seen::Unreachable(_));
        is_out_of_sight && !entry.made && entry.held.is_none() && self.items.items[index].needs.iter().any(was_never_made)
    }

    async fn settle_seen(
        &self,
        index: usize,
        provider: &dyn AnyProvider,
        seen: &Seen,
        found: &Observed,
    ) -> Result<Verdict, ProviderError> {
        let live = if let Seen::There(live) = seen { Some(live.as_ref()) } else { None };
        let filled = fill(self.items, index, found);
        let desired = provider.preview(self.run, &filled.access, &filled.spec, live).await?;
        let verdict = decide(&self.items.items[index], &desired, live, &self.context);
        Ok(dimmed(verdict, self.items, found))
    }

    /// What cannot be looked at is explained by something pending below it, or it is an error.
    fn settle_unseen(&self, index: usize, key: &Key, seen: &Seen, found: &Observed) -> Result<Verdict, ProviderError> {
        let item = &self.items.items[index];
        let until = found.pending_below(self.items, index);
        match seen {
            Seen::Unreachable(why) if until.is_empty() => {
                return Err(ProviderError::unreachable(format!("failed to look at {}", item.label()), why));
            }
            Seen::NotPermitted(failure) if until.is_empty() => return Err(ProviderError::NotPermitted(failure.clone())),
            _ => {}
        }
        let entry = self.context.entry(key);
        if entry.is_none() {
            // What this program has never made, and what it would live in is still to come: it will be made.
            return Ok(decide(item, &fill(self.items, index, found).spec, None, &self.context));
        }
        let holder_is_lost = self.items.holders(index).any(|holder| found.verdicts[holder].loss.is_some());
        let loss = if holder_is_lost { loss_of_what_was(item, entry, &self.context) } else { None };
        Ok(Verdict::new(Change::UnknownUntil { until }).losing(loss))
    }
}

fn levels(order: &Order) -> Vec<Vec<usize>> {
    let mut levels = vec![Vec::new(); order.level.iter().max().map_or(0, |top| top + 1)];
    for &index in &order.sequence {
        levels[order.level[index]].push(index);
    }
    levels
}

/// Asks again while the answer is "later": as long as it asks for, and not for long if it does not say. What does not answer at all is not
/// waited for.
async fn ask(
    provider: &dyn AnyProvider,
    run: &Run,
    access: &Json,
    known: &[AnyKnown<'_>],
) -> Result<Vec<AnyObservation>, ProviderError> {
    let begun = Instant::now();
    let look = || async {
        match provider.observe(run, access, known).await {
            Err(ProviderError::RetryLater(failure)) if failure.retry_after.is_none() && begun.elapsed() >= LATER => {
                let waited = Failure::new(format!("waited {} s for an answer", begun.elapsed().as_secs()), &failure);
                Ok(Looked::Found(Err(ProviderError::Unreachable(Failure { hint: failure.hint, ..waited }))))
            }
            Err(error @ ProviderError::RetryLater(_)) => Err(error),
            answer => Ok(Looked::Found(answer)),
        }
    };
    run.wait_for("an answer", look).await?
}

fn unhosted_error(kind: &str) -> ProviderError {
    let failure = Failure::new(format!("no place of the program hosts `{kind}`"), "it has no provider");
    ProviderError::Refused(failure.with_hint("add the place that held it, or `forget` it"))
}

impl Look {
    fn read(self) -> Result<Seen, ProviderError> {
        match self {
            Self::Seen(seen) => Ok(seen),
            Self::Answer(answer) => Seen::read(answer),
        }
    }
}

impl Seen {
    pub(super) fn read(observation: AnyObservation) -> Result<Self, ProviderError> {
        Ok(match observation {
            AnyObservation::Absent => Self::Absent,
            AnyObservation::There(live) => Self::There(Box::new(live.read()?)),
            AnyObservation::Unreachable(why) => Self::Unreachable(why),
        })
    }
}
