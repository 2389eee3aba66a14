//! What becomes of a thing that has been looked at. Pure: everything seen is an argument.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json};

use super::difference::differences;
use super::items::{Item, ItemKind, Seen};
use super::ledger::{Entry, Key, Ledger};
use super::plan::{Allowances, Change, LossNotice, classify, is_known};
use crate::address::Address;
use crate::resource::{FieldChange, Impact, Loss};
use crate::topology::AnyLive;
use crate::value;

/// What becomes of a thing.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Verdict {
    pub(super) change: Change,
    /// In which fields it differs.
    pub(super) fields: Vec<FieldChange>,
    /// What would be lost.
    pub(super) loss: Option<LossNotice>,
}

impl Verdict {
    pub(super) fn new(change: Change) -> Self {
        Self { change, fields: Vec::new(), loss: None }
    }

    fn differing(self, fields: Vec<FieldChange>) -> Self {
        Self { fields, ..self }
    }

    pub(super) fn losing(self, loss: Option<LossNotice>) -> Self {
        Self { loss, ..self }
    }
}

/// What every decision is given besides the thing.
pub(super) struct Context<'a> {
    pub(super) entries: Entries<'a>,
    pub(super) allowances: &'a Allowances,
    /// Whether a run that was taken over may still make what it was about to make.
    pub(super) took_over: bool,
}

/// What the Ledger says of the things to be decided.
pub(super) enum Entries<'a> {
    /// Of all of them.
    All(&'a Ledger),
    /// Of the only one.
    One(Option<&'a Entry>),
}

impl<'a> Context<'a> {
    pub(super) fn entry(&self, key: &Key) -> Option<&'a Entry> {
        match &self.entries {
            Entries::All(ledger) => ledger.find(key),
            Entries::One(entry) => *entry,
        }
    }

    pub(super) fn has_passed(&self, proof: &Address, digest: &str) -> bool {
        matches!(&self.entries, Entries::All(ledger) if ledger.has_passed(proof, digest))
    }

    fn notice(&self, what: String, item: &Item) -> LossNotice {
        let score_allows = match &item.what {
            ItemKind::Wanted { resource, .. } => resource.may_be_lost,
            ItemKind::Unwanted { entry, .. } => entry.may_be_lost,
            _ => false,
        };
        LossNotice { what, allowed: score_allows || self.allowances.may_lose(&item.address) }
    }
}

/// Compares what a wanted thing should be (`desired`, as its place would make it) with what is there.
pub(super) fn decide(item: &Item, desired: &Json, live: Option<&AnyLive>, context: &Context<'_>) -> Verdict {
    let ItemKind::Wanted { key, resource, provider } = &item.what else { return Verdict::new(Change::None) };
    let facts = provider.facts();
    let entry = context.entry(key);
    // What is not there differs in every field.
    let nothing = Json::Object(Map::new());
    let state = live.map_or(&nothing, |live| &live.state);
    let hidden = || hidden_fields(entry, facts.secret_fields, &resource.spec);
    let fields = if state == desired { Vec::new() } else { differences(desired, Some(state), &hidden()) };
    let Some(live) = live else {
        return Verdict::new(Change::Create).differing(fields).losing(loss_of_what_was(item, entry, context));
    };
    // Others may have made what is shared; that is what it is for.
    let may_adopt = facts.adopts || facts.shared || context.allowances.may_adopt(&item.address);
    if entry.is_none() && !may_adopt {
        return Verdict::new(foreign(item)).differing(fields);
    }
    let change = match classify(&fields, facts.impact) {
        Change::None if entry.is_none() && !facts.adopts && !facts.shared => Change::Adopt,
        change => change,
    };
    let loses = matches!(change, Change::Replace { .. })
        || fields.iter().any(|field| is_known(field) && (facts.impact)(field) == Impact::UpdateLosing);
    let what = match facts.loss {
        Loss::Secret if loses => Some("the secret that others rely on".to_owned()),
        _ if loses => live.holds.clone(),
        _ => None,
    };
    let loss = what.map(|what| context.notice(what, item));
    Verdict::new(change).differing(fields).losing(loss)
}

/// The fields that ever held a secret, that their kind declares secret, or that hold one now.
fn hidden_fields(entry: Option<&Entry>, declared: &[&str], spec: &Json) -> BTreeSet<String> {
    let recorded = entry.map(|entry| entry.sensitive.clone()).unwrap_or_default();
    let declared = declared.iter().map(|path| (*path).to_owned());
    recorded.into_iter().chain(declared).chain(value::sensitive_paths(spec)).collect()
}

/// What is lost if a thing is not there any more that an earlier run has made.
pub(super) fn loss_of_what_was(item: &Item, entry: Option<&Entry>, context: &Context<'_>) -> Option<LossNotice> {
    let entry = entry.filter(|entry| entry.made)?;
    let what = match (item.loss(), &entry.held) {
        (Loss::Nothing, _) => return None,
        (Loss::Secret, _) => "an earlier run made it and it is gone: what is made anew is another secret".to_owned(),
        (Loss::Data, Some(held)) => format!("an earlier run made it and it is gone, with what it held when last seen: {held}"),
        (Loss::Data, None) if entry.may_be_lost => "an earlier run made it and it is gone".to_owned(),
        (Loss::Data, None) => "an earlier run made it and it is gone; it held nothing when last seen".to_owned(),
    };
    Some(context.notice(what, item))
}

/// What becomes of a thing that only the Ledger knows.
pub(super) fn decide_unwanted(item: &Item, entry: &Entry, seen: &Seen, context: &Context<'_>) -> Verdict {
    if item.stays {
        return Verdict::new(Change::None);
    }
    let is_shared = matches!(&item.what, ItemKind::Unwanted { provider: Some(provider), .. } if provider.facts().shared);
    let hands_over = matches!(&item.what, ItemKind::Unwanted { provider: Some(provider), .. } if provider.facts().hands_over);
    if let (Seen::There(live), true) = (seen, hands_over) {
        let because = live
            .holds
            .as_ref()
            .map_or_else(|| UNWANTED.to_owned(), |holds| format!("{UNWANTED}; it holds {holds}, which others take over first"));
        return Verdict::new(Change::Delete { because });
    }
    let (because, held) = match seen {
        // It may yet appear: the next run looks for it once more.
        Seen::Absent if context.took_over => return Verdict::new(Change::None),
        Seen::Absent => return Verdict::new(Change::Forget),
        _ if is_shared => return Verdict::new(Change::Forget),
        Seen::There(live) => (UNWANTED.to_owned(), live.holds.clone()),
        Seen::OutOfReach | Seen::Check => (format!("{UNWANTED}, and it cannot be looked at"), Some(held_when_last_seen(entry))),
        Seen::Unreachable(why) => (format!("{UNWANTED}, and it cannot be looked at: {why}"), Some(held_when_last_seen(entry))),
        Seen::NotPermitted(failure) => {
            (format!("{UNWANTED}, and it may not be looked at: {failure}"), Some(held_when_last_seen(entry)))
        }
    };
    let loss = held.filter(|_| entry.loss == Loss::Data).map(|what| context.notice(what, item));
    Verdict::new(Change::Delete { because }).losing(loss)
}

const UNWANTED: &str = "no Score wants it any more";

fn held_when_last_seen(entry: &Entry) -> String {
    match &entry.held {
        Some(held) => format!("{held} when last seen; it cannot be looked at now"),
        None => "nobody can say what: it cannot be looked at now".to_owned(),
    }
}

fn foreign(item: &Item) -> Change {
    Change::Forbidden {
        because: format!("{} is there already, and this program has not made it", item.label()),
        hint: format!("remove it, choose another name, or take it over with `--adopt {}`", item.address),
    }
}
