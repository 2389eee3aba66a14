//! Looking at everything, one dependency level at a time, and classifying what is seen.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;
use serde_json::Value as Json;

use super::difference::differences;
use super::items::{ItemKind, Items, Seen};
use super::ledger::{Entry, Key, Ledger};
use super::order::Order;
use super::plan::{Allowances, Change, LossNotice, Step, classify};
use crate::address::Address;
use crate::provider::ProviderError;
use crate::resource::{Impact, Loss};
use crate::run::Run;
use crate::topology::{AnyKnown, AnyLive, AnyObservation, AnyProvider};
use crate::value;

/// What looking at everything found.
pub(super) struct Observed {
    /// One step for each item.
    pub(super) steps: Vec<Step>,
    /// The outputs of what does not change, by item.
    pub(super) outputs: Vec<Option<Json>>,
    /// Whether neither the item nor anything below it changes.
    pub(super) quiet: Vec<bool>,
    /// What was there.
    pub(super) live: Vec<Option<Box<AnyLive>>>,
    /// What could not be looked at, and why.
    pub(super) troubles: Vec<(usize, ProviderError)>,
}

impl Observed {
    /// Forgets the items from `keep` on.
    pub(super) fn truncate(&mut self, keep: usize) {
        self.steps.truncate(keep);
        self.outputs.truncate(keep);
        self.quiet.truncate(keep);
        self.live.truncate(keep);
        self.troubles.retain(|(index, _)| *index < keep);
    }
}

/// What every classification is given.
pub(super) struct Context<'a> {
    pub(super) run: &'a Run,
    pub(super) entries: Entries<'a>,
    pub(super) allowances: &'a Allowances,
}

/// What the Ledger says of the things to be classified.
pub(super) enum Entries<'a> {
    /// Of all of them.
    All(&'a Ledger),
    /// Of the only one.
    One(Option<&'a Entry>),
}

impl<'a> Context<'a> {
    fn entry(&self, key: &Key) -> Option<&'a Entry> {
        match &self.entries {
            Entries::All(ledger) => ledger.find(key),
            Entries::One(entry) => *entry,
        }
    }

    fn has_passed(&self, proof: &Address, digest: &str) -> bool {
        matches!(&self.entries, Entries::All(ledger) if ledger.has_passed(proof, digest))
    }
}

/// Looks at all `items`.
pub(super) async fn observe(items: &Items, order: &Order, context: &Context<'_>) -> Observed {
    let mut found = Observed {
        steps: items.items.iter().map(|item| item.step(Change::None, Vec::new(), None)).collect(),
        outputs: vec![None; items.len()],
        quiet: vec![false; items.len()],
        live: vec![None; items.len()],
        troubles: Vec::new(),
    };
    let levels = order.level.iter().max().map_or(0, |top| top + 1);
    let mut by_level = vec![Vec::new(); levels];
    for &index in &order.sequence {
        by_level[order.level[index]].push(index);
    }
    for level in by_level {
        for (index, seen) in look(items, &level, &found, context).await {
            match seen {
                Ok(seen) => settle(items, index, seen, &mut found, context).await,
                Err(error) => found.troubles.push((index, error)),
            }
        }
    }
    found
}

type Looked = (usize, Result<Seen, ProviderError>);

/// Looks at one level: one batch per place, kind and access.
async fn look(items: &Items, level: &[usize], found: &Observed, context: &Context<'_>) -> Vec<Looked> {
    let mut looked = Vec::new();
    let mut batches: BTreeMap<(&str, &str, String), (Json, Vec<usize>)> = BTreeMap::new();
    for &index in level {
        let (access, key) = match &items.items[index].what {
            ItemKind::Proof { .. } | ItemKind::Unhosted { .. } => {
                looked.push((index, Ok(Seen::Check)));
                continue;
            }
            ItemKind::Wanted { resource, key, .. } => (&resource.access, key),
            ItemKind::Unwanted { entry, .. } => (&entry.access, &entry.key),
        };
        let resolved = value::resolve(access, &|reference| items.output(&found.outputs, reference));
        if resolved.unknown.is_empty() {
            let batch = (key.place.as_str(), key.kind.as_str(), resolved.json.to_string());
            batches.entry(batch).or_insert_with(|| (resolved.json, Vec::new())).1.push(index);
        } else {
            let until = pending_below(items, index, found);
            looked.push((index, Ok(Seen::UnknownUntil(until))));
        }
    }
    let asked = batches.into_values().map(|(access, batch)| look_at_batch(items, access, batch, context));
    looked.extend(join_all(asked).await.into_iter().flatten());
    looked
}

async fn look_at_batch(items: &Items, access: Json, batch: Vec<usize>, context: &Context<'_>) -> Vec<Looked> {
    let mut known = Vec::with_capacity(batch.len());
    let mut provider = None;
    for &index in &batch {
        let (identity, key, hosted) = match &items.items[index].what {
            ItemKind::Wanted { resource, key, provider } => (resource.identity.clone(), key, Some(provider)),
            ItemKind::Unwanted { entry, provider } => {
                (serde_json::from_str(&entry.key.identity).unwrap_or(Json::Null), &entry.key, provider.as_ref())
            }
            ItemKind::Proof { .. } | ItemKind::Unhosted { .. } => continue,
        };
        provider = provider.or(hosted);
        known.push(AnyKnown { identity, kept: context.entry(key).and_then(|entry| entry.kept.clone()) });
    }
    let Some(provider) = provider else {
        let unhosted = |index: usize| (index, Err(unhosted_error(items.items[index].kind())));
        return batch.into_iter().map(unhosted).collect();
    };
    match provider.observe(context.run, &access, &known).await {
        Ok(observations) => batch.into_iter().zip(observations).map(|(index, seen)| (index, Ok(seen_of(seen)))).collect(),
        Err(ProviderError::Unreachable(failure)) => {
            batch.into_iter().map(|index| (index, Ok(Seen::Unreachable(failure.to_string())))).collect()
        }
        Err(error) => batch.into_iter().map(|index| (index, Err(error.clone()))).collect(),
    }
}

fn unhosted_error(kind: &str) -> ProviderError {
    let failure = crate::provider::Failure::new(format!("no place of the program hosts `{kind}`"), "it has no provider");
    ProviderError::Refused(failure.with_hint("add the place that held it, or `forget` it"))
}

pub(super) fn seen_of(observation: AnyObservation) -> Seen {
    match observation {
        AnyObservation::Absent => Seen::Absent,
        AnyObservation::There(live) => Seen::There(live),
        AnyObservation::Unreachable(why) => Seen::Unreachable(why),
    }
}

/// The nearest things below an item that will change, at most eight.
fn pending_below(items: &Items, index: usize, found: &Observed) -> Vec<Address> {
    let mut pending = BTreeSet::new();
    let mut seen = BTreeSet::new();
    let mut queue = items.items[index].needs.clone();
    while let Some(at) = queue.pop() {
        if !seen.insert(at) {
            continue;
        }
        let change = &found.steps[at].change;
        if change.is_pending() && *change != Change::Prove {
            pending.insert(items.items[at].address.clone());
        } else {
            queue.extend(&items.items[at].needs);
        }
        if pending.len() >= MOST_NAMED {
            break;
        }
    }
    pending.into_iter().collect()
}

const MOST_NAMED: usize = 8;

/// Decides what becomes of an item, now that it has been looked at.
async fn settle(items: &Items, index: usize, seen: Seen, found: &mut Observed, context: &Context<'_>) {
    let item = &items.items[index];
    if let Seen::There(live) = &seen {
        found.live[index] = Some(live.clone());
    }
    let decided = match (&item.what, seen) {
        (ItemKind::Unhosted { kind, .. }, _) => Err(unhosted_error(kind)),
        (ItemKind::Proof { digest, .. }, _) => Ok(settle_proof(items, index, digest, found, context)),
        (ItemKind::Wanted { key, .. }, Seen::Unreachable(why)) if context.entry(key).is_some() => {
            settle_unreachable(items, index, why, found)
        }
        (ItemKind::Wanted { key, .. }, Seen::UnknownUntil(until)) if context.entry(key).is_some() => {
            Ok(item.step(Change::UnknownUntil { until }, Vec::new(), None))
        }
        // What this program has never made and what it would live in is still to come: it will be made.
        (ItemKind::Wanted { .. }, Seen::Unreachable(why)) if pending_below(items, index, found).is_empty() => {
            settle_unreachable(items, index, why, found)
        }
        (ItemKind::Unwanted { entry, .. }, seen) => Ok(settle_unwanted(items, index, entry, &seen, context)),
        (ItemKind::Wanted { resource, provider, .. }, _) => {
            let find = |reference: &value::Reference| items.output(&found.outputs, reference);
            let wish = Wish { access: &resource.access, spec: &resource.spec, resolve: &find };
            decide(items, index, provider.as_ref(), &wish, found.live[index].as_deref(), context).await
        }
    };
    match decided {
        Ok(step) => {
            // What does not change, and what is about to go but still stands, can be referred to.
            let stands = matches!(step.change, Change::None | Change::Delete { .. });
            found.outputs[index] = found.live[index].as_ref().filter(|_| stands).map(|live| live.outputs.clone());
            found.quiet[index] = !step.change.is_pending() && items.items[index].needs.iter().all(|need| found.quiet[*need]);
            found.steps[index] = step;
        }
        Err(error) => found.troubles.push((index, error)),
    }
}

fn settle_proof(items: &Items, index: usize, digest: &str, found: &Observed, context: &Context<'_>) -> Step {
    let item = &items.items[index];
    let stands = context.has_passed(&item.address, digest) && item.needs.iter().all(|need| found.quiet[*need]);
    item.step(if stands { Change::None } else { Change::Prove }, Vec::new(), None)
}

fn settle_unreachable(items: &Items, index: usize, why: String, found: &Observed) -> Result<Step, ProviderError> {
    let item = &items.items[index];
    let until = pending_below(items, index, found);
    if until.is_empty() {
        return Err(ProviderError::unreachable(format!("failed to look at {}", item.label()), why));
    }
    Ok(item.step(Change::UnknownUntil { until }, Vec::new(), None))
}

fn settle_unwanted(items: &Items, index: usize, entry: &Entry, seen: &Seen, context: &Context<'_>) -> Step {
    let item = &items.items[index];
    let is_shared = matches!(&item.what, ItemKind::Unwanted { provider: Some(provider), .. } if provider.facts().shared);
    let (change, loss) = match seen {
        _ if is_shared => (Change::Forget, None),
        Seen::Absent => (Change::Forget, None),
        Seen::There(live) => (Change::Delete { because: "no Score wants it any more".to_owned() }, live.holds.clone()),
        Seen::UnknownUntil(_) | Seen::Unreachable(_) | Seen::Check => {
            let held = match (entry.loss, &entry.held) {
                (Loss::Data, Some(held)) => Some(format!("{held} when last seen; it cannot be looked at now")),
                (Loss::Data, None) => Some("nobody can say what: it cannot be looked at now".to_owned()),
                _ => None,
            };
            (Change::Delete { because: "no Score wants it any more, and it cannot be looked at".to_owned() }, held)
        }
    };
    let loss = loss.filter(|_| entry.loss == Loss::Data).map(|what| notice(what, &item.address, false, context));
    item.step(change, Vec::new(), loss)
}

fn notice(what: String, address: &Address, score_allows: bool, context: &Context<'_>) -> LossNotice {
    LossNotice { what, allowed: score_allows || context.allowances.losses.contains(address.as_str()) }
}

/// What should be, before the references in it are filled in.
pub(super) struct Wish<'a> {
    pub(super) access: &'a Json,
    pub(super) spec: &'a Json,
    pub(super) resolve: &'a (dyn Fn(&crate::value::Reference) -> Option<Json> + Sync),
}

/// Compares what should be with what is there, and says what becomes of it.
pub(super) async fn decide(
    items: &Items,
    index: usize,
    provider: &dyn AnyProvider,
    wish: &Wish<'_>,
    live: Option<&AnyLive>,
    context: &Context<'_>,
) -> Result<Step, ProviderError> {
    let item = &items.items[index];
    let ItemKind::Wanted { key, resource, .. } = &item.what else { return Ok(item.step(Change::None, Vec::new(), None)) };
    let facts = provider.facts();
    let entry = context.entry(key);
    let access = value::resolve(wish.access, &|reference| (wish.resolve)(reference)).json;
    let spec = value::resolve(wish.spec, &|reference| (wish.resolve)(reference)).json;
    let desired = provider.preview(context.run, &access, &spec, live).await?;
    let hidden: BTreeSet<String> = entry
        .map(|entry| entry.sensitive.clone())
        .unwrap_or_default()
        .into_iter()
        .chain(facts.secret_fields.iter().map(|path| (*path).to_owned()))
        .chain(value::sensitive_paths(wish.spec))
        .collect();
    // What is not there differs in every field.
    let nothing = Json::Object(serde_json::Map::new());
    let fields = differences(&desired, Some(live.map_or(&nothing, |live| &live.state)), &hidden);
    let Some(live) = live else {
        let lost = entry.filter(|entry| entry.made && facts.loss != Loss::Nothing).map(|entry| gone(facts.loss, entry));
        let loss = lost.map(|what| notice(what, &item.address, resource.may_be_lost, context));
        return Ok(item.step(Change::Create, fields, loss));
    };
    let may_adopt = facts.adopts || context.allowances.adoptions.contains(item.address.as_str());
    if entry.is_none() && !may_adopt {
        return Ok(item.step(foreign(&item.label(), &item.address), fields, None));
    }
    let change = classify(&fields, facts.impact);
    let loses =
        matches!(change, Change::Replace { .. }) || fields.iter().any(|field| (facts.impact)(field) == Impact::UpdateLosing);
    let what = match facts.loss {
        Loss::Secret if loses => Some("the secret that others rely on".to_owned()),
        _ if loses => live.holds.clone(),
        _ => None,
    };
    let loss = what.map(|what| notice(what, &item.address, resource.may_be_lost, context));
    Ok(item.step(change, fields, loss))
}

fn gone(loss: Loss, entry: &Entry) -> String {
    match (loss, &entry.held) {
        (Loss::Secret, _) => "an earlier run made it and it is gone: what is made anew is another secret".to_owned(),
        (_, Some(held)) => format!("an earlier run made it and it is gone, with what it held when last seen: {held}"),
        (_, None) => "an earlier run made it and it is gone; it held nothing when last seen".to_owned(),
    }
}

fn foreign(label: &str, address: &Address) -> Change {
    Change::Forbidden {
        because: format!("{label} is there already, and this program has not made it"),
        hint: format!("remove it, choose another name, or take it over with `--adopt {address}`"),
    }
}
