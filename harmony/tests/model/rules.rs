//! What has to hold of every run, whatever happens to it.

use std::collections::BTreeSet;

use harmony::engine::maestro::EngineError;
use harmony::engine::plan::{Change, Subject};
use harmony::resource::{Resource, Shown};
use harmony_test::{FakeRoom, FakeSecret, FakeStore};

use crate::program::Key;
use crate::record::{End, Event, Record, is_replaced, is_shared, key_of};
use crate::scenario::Allowing;

/// A rule does not hold: which, and of what.
pub(crate) type Broken = String;

type Rule = fn(&Record) -> Result<(), Broken>;

const RULES: [(&str, Rule); 13] = [
    ("a plan says what is there", plan_is_true),
    ("a run without faults is refused only for a reason", refused_for_a_reason),
    ("what is refused changes nothing", refused_changes_nothing),
    ("what others made is not touched", foreign_is_untouched),
    ("the Ledger covers everything that we made", ours_is_covered),
    ("the Ledger claims nothing that others made", foreign_is_not_claimed),
    ("nothing is done that the plan did not show", writes_were_planned),
    ("nothing that the plan showed is left out", plan_was_carried_out),
    ("nothing is lost without an allowance", losses_were_allowed),
    ("what needs something comes after it", order_was_kept),
    ("what needs something that failed is not begun", failures_hold_up),
    ("of those that take turns only one is changed at a time", turns_were_taken),
    ("no secret is shown or written down", secrets_are_hidden),
];

/// Checks every rule.
pub(crate) fn check(record: &Record) -> Result<(), Broken> {
    RULES.iter().try_for_each(|(name, rule)| rule(record).map_err(|what| format!("{name}: {what}")))
}

fn must_hold(holds: bool, what: impl FnOnce() -> String) -> Result<(), Broken> {
    if holds { Ok(()) } else { Err(what()) }
}

fn refused_for_a_reason(record: &Record) -> Result<(), Broken> {
    if !record.conditions.is_undisturbed() {
        return Ok(());
    }
    match &record.end {
        End::NotBegun(EngineError::Empty { .. }) => {
            must_hold(record.program.things().next().is_none(), || "it wants something".into())
        }
        End::Failed(EngineError::Refused { steps }) if record.conditions.allowing == Allowing::Everything => {
            let by_nature = |change: &Change| matches!(change, Change::Forbidden { because, .. } if because.contains("nature"));
            let other = steps.iter().find(|step| !by_nature(&step.change));
            must_hold(other.is_none(), || format!("everything is allowed, and yet {:?}", other.unwrap()))
        }
        End::Failed(EngineError::Refused { .. }) => Ok(()),
        End::NotBegun(error) | End::Failed(error) => Err(format!("{error:?}")),
        End::Killed => Err("nobody killed it".into()),
        End::Finished(outcome) => {
            // What the plan could not show stops its branch; what is locked away behind a lost secret needs somebody who brings that back.
            let fair =
                ["the plan no longer holds", "by which it is reached, gave no value for it", "this program has not made it"];
            let other = outcome.failures.iter().find(|failed| !fair.iter().any(|words| failed.error.contains(words)));
            must_hold(other.is_none() && !outcome.interrupted, || format!("{outcome:?}"))
        }
    }
}

fn refused_changes_nothing(record: &Record) -> Result<(), Broken> {
    if !matches!(record.end, End::NotBegun(_) | End::Failed(EngineError::Refused { .. })) {
        return Ok(());
    }
    must_hold(record.events.is_empty(), || format!("{:?}", record.events))?;
    must_hold(record.before.entries == record.after.entries, || "the Ledger has changed".into())
}

fn foreign_is_untouched(record: &Record) -> Result<(), Broken> {
    for (did, key) in record.writes() {
        let stood = record.before.foreign.contains_key(key) && !record.took_holder_of(key);
        let is_foreign = stood && !record.may_be_adopted(key);
        must_hold(!(is_foreign || is_shared(key) && did == "delete"), || format!("{did} {}", key.1))?;
    }
    for (key, stored) in &record.before.foreign {
        let is_ours_now = record.may_be_adopted(key) && !is_shared(key);
        let stands = record.after.things.get(key) == Some(stored);
        must_hold(stands || is_ours_now || record.took_holder_of(key), || format!("{} is not as it was", key.1))?;
    }
    Ok(())
}

fn ours_is_covered(record: &Record) -> Result<(), Broken> {
    let uncovered =
        |key: &&Key| !is_shared(key) && !record.after.foreign.contains_key(*key) && !record.after.entries.contains_key(*key);
    let orphan = record.after.things.keys().find(uncovered);
    must_hold(orphan.is_none(), || format!("{} is an orphan after {:?}", orphan.unwrap().1, record.writes().collect::<Vec<_>>()))
}

fn foreign_is_not_claimed(record: &Record) -> Result<(), Broken> {
    // Whether a killed run made what is there, or somebody else did meanwhile, nobody can tell.
    if !matches!(record.end, End::Finished(_)) {
        return Ok(());
    }
    let claimed =
        |key: &&Key| !record.may_be_adopted(key) && !record.took_holder_of(key) && record.after.entries.contains_key(*key);
    let claimed = record.before.foreign.keys().find(claimed);
    must_hold(claimed.is_none(), || claimed.unwrap().1.clone())
}

/// What cannot be looked at is not absent, and what is there is not to be made.
fn plan_is_true(record: &Record) -> Result<(), Broken> {
    let Some(plan) = record.plan.as_ref().filter(|_| record.conditions.meanwhile.is_empty()) else { return Ok(()) };
    for step in &plan.steps {
        let is_there = record.before.things.contains_key(&key_of(step));
        let true_of_it = match &step.change {
            // What we never made and cannot look at before something else has changed will be made, as far as anybody can say.
            Change::Create => !is_there || !record.before.entries.contains_key(&key_of(step)),
            Change::Forget => !is_there || is_shared(&key_of(step)),
            Change::Adopt | Change::Update | Change::Replace { .. } => is_there,
            Change::None => is_there || step.subject == Subject::Proof,
            Change::Delete { .. } | Change::UnknownUntil { .. } | Change::Forbidden { .. } | Change::Prove => true,
            // The only place answers.
            Change::Unreachable { .. } => false,
        };
        let is_missed = step.change == Change::Create && can_be_lost(&key_of(step)) && was_made(record, &key_of(step));
        must_hold(!is_missed || step.loss.is_some(), || format!("{} is gone, and no word about it", step.label))?;
        must_hold(true_of_it, || {
            format!("{:?} of {}, which is {}there", step.change, step.label, if is_there { "" } else { "not " })
        })?;
    }
    Ok(())
}

fn writes_were_planned(record: &Record) -> Result<(), Broken> {
    let disturbed = !record.conditions.is_undisturbed();
    for (did, key) in record.writes() {
        let Some(step) = record.step_of(key) else { return Err(format!("{did} {}, which the plan does not name", key.1)) };
        let fits = match (did, &step.change) {
            ("delete", Change::Delete { .. }) | ("create" | "delete", Change::Replace { .. }) => true,
            ("create", Change::Create | Change::UnknownUntil { .. }) => true,
            ("update", Change::Update | Change::UnknownUntil { .. }) => true,
            ("create", Change::Update | Change::Adopt) | ("update", Change::Create | Change::Replace { .. }) => disturbed,
            _ => false,
        };
        must_hold(fits, || format!("{did} {}, and the plan shows {:?}", key.1, step.change))?;
    }
    Ok(())
}

fn plan_was_carried_out(record: &Record) -> Result<(), Broken> {
    let (Some(plan), Some(outcome)) = (&record.plan, record.success()) else { return Ok(()) };
    must_hold(outcome.not_begun.is_empty(), || format!("nothing failed, and {:?} was not begun", outcome.not_begun))?;
    if !record.conditions.is_undisturbed() {
        return Ok(());
    }
    let mut keys: Vec<&Key> =
        record.writes().filter(|(did, key)| *did != "delete" || record.slot_of(key).is_none()).map(|(_, key)| key).collect();
    keys.sort();
    must_hold(keys.windows(2).all(|pair| pair[0] != pair[1]), || format!("something was done twice: {keys:?}"))?;
    must_hold(outcome.writes == keys.len(), || format!("{} writes are told, and there were {}", outcome.writes, keys.len()))?;
    for step in &plan.steps {
        let key = key_of(step);
        let did = |what: &str| record.writes().any(|(did, written)| did == what && *written == key);
        let is_known = |shown: &Shown| !matches!(shown, Shown::KnownAfter(_));
        let done = match &step.change {
            Change::Create => did("create"),
            Change::Update => did("update") || step.fields.iter().all(|field| !is_known(&field.desired)),
            Change::Replace { .. } => did("delete") && did("create"),
            Change::Delete { .. } => did("delete") || !record.before.things.contains_key(&key) || record.took_holder_of(&key),
            Change::Forbidden { .. } | Change::Unreachable { .. } => false,
            Change::None | Change::Adopt | Change::UnknownUntil { .. } | Change::Forget | Change::Prove => true,
        };
        must_hold(done, || format!("{:?} of {}", step.change, step.label))?;
    }
    Ok(())
}

fn losses_were_allowed(record: &Record) -> Result<(), Broken> {
    for event in &record.events {
        let Event::Wrote { did, key, before, .. } = event else { continue };
        let held = before.as_ref().is_some_and(|before| before.holds.is_some());
        let holds_data = [FakeStore::KIND, FakeRoom::KIND].contains(&key.0.as_str());
        let is_secret = key.0 == FakeSecret::KIND;
        let is_replaced_now = record.slot_of(key).is_some();
        let size = |stored: &harmony_test::Stored| stored.state["size"].as_u64();
        let is_smaller = || record.after.things.get(key).and_then(size) < before.as_ref().and_then(size);
        let loses = match *did {
            "delete" => (holds_data && held) || (is_secret && is_replaced_now),
            "update" => key.0 == FakeStore::KIND && held && is_smaller(),
            // What an earlier run made, and is not there, is lost; unless it is this run that took it away.
            _ => can_be_lost(key) && was_made(record, key) && !record.step_of(key).is_some_and(is_replaced),
        };
        must_hold(!loses || record.may_be_lost(key), || {
            format!("{did} {}, which held {:?}", key.1, before.as_ref().map(|b| &b.holds))
        })?;
        if *did == "delete" && key.0 == FakeStore::KIND {
            rooms_may_be_lost(record, &key.1)?;
        }
    }
    Ok(())
}

fn can_be_lost(key: &Key) -> bool {
    [FakeStore::KIND, FakeRoom::KIND, FakeSecret::KIND].contains(&key.0.as_str())
}

fn was_made(record: &Record, key: &Key) -> bool {
    record.before.entries.get(key).is_some_and(|entry| entry.made)
}

/// What is in a store goes with it.
fn rooms_may_be_lost(record: &Record, store: &str) -> Result<(), Broken> {
    let inside = |key: &&Key| key.1.split_once('.').is_some_and(|(holder, _)| holder == store);
    for key in record.before.entries.keys().filter(inside) {
        let held = record.before.things.get(key).is_some_and(|room| room.holds.is_some());
        must_hold(!held || record.may_be_lost(key), || format!("{} went with {store}", key.1))?;
    }
    Ok(())
}

fn order_was_kept(record: &Record) -> Result<(), Broken> {
    let is_of = |slot: usize, event: &Event| match event {
        Event::Wrote { key, .. } => record.program.key(slot).as_ref() == Some(key),
        Event::Proved(name) => record.program.key(slot).is_none() && record.program.name(slot).as_ref() == Some(name),
    };
    for slot in record.program.all() {
        let Some(first) = record.events.iter().position(|event| is_of(slot, event)) else { continue };
        for need in record.program.below(slot) {
            let last = record.events.iter().rposition(|event| is_of(need, event));
            must_hold(last.is_none_or(|last| last < first), || {
                format!("slot {slot} did not wait for {need}: {:?}", record.events)
            })?;
        }
    }
    if !record.conditions.is_undisturbed() {
        return Ok(());
    }
    let gone = |key: &Key| record.slot_of(key).is_none();
    let went: Vec<&Key> = record.writes().filter(|(did, key)| *did == "delete" && gone(key)).map(|(_, key)| key).collect();
    for (at, key) in went.iter().enumerate() {
        let Some(entry) = record.before.entries.get(*key) else { continue };
        for earlier in &went[..at] {
            let needed = record.before.entries.get(*earlier).is_some_and(|earlier| entry.after.contains(&earlier.address));
            must_hold(!needed, || format!("{} went before {}, which needed it", earlier.1, key.1))?;
        }
    }
    Ok(())
}

fn failures_hold_up(record: &Record) -> Result<(), Broken> {
    let End::Finished(outcome) = &record.end else { return Ok(()) };
    let named = |slot: usize, label: &str| match record.program.name(slot) {
        Some(name) if record.program.key(slot).is_none() => label == format!("{name} holds"),
        Some(name) => label.split_once(' ').is_some_and(|(_, of)| of == name),
        None => false,
    };
    let failed: BTreeSet<usize> =
        record.program.all().filter(|slot| outcome.failures.iter().any(|failed| named(*slot, &failed.label))).collect();
    for slot in record.program.all() {
        let held_up = record.program.below(slot).into_iter().find(|need| failed.contains(need));
        let event = record.events.iter().find(|event| match event {
            Event::Wrote { key, .. } => record.program.key(slot).as_ref() == Some(key),
            Event::Proved(name) => record.program.key(slot).is_none() && record.program.name(slot).as_ref() == Some(name),
        });
        must_hold(held_up.is_none() || event.is_none(), || format!("{event:?}, although slot {held_up:?} failed"))?;
    }
    Ok(())
}

fn turns_were_taken(record: &Record) -> Result<(), Broken> {
    let out_of_turn = record.events.iter().find(|event| matches!(event, Event::Wrote { out_of_turn: true, .. }));
    must_hold(out_of_turn.is_none(), || format!("{out_of_turn:?}"))
}

fn secrets_are_hidden(record: &Record) -> Result<(), Broken> {
    let at = record.shown.find("hush-");
    must_hold(at.is_none(), || {
        let begin = (0..=at.unwrap().saturating_sub(200)).rev().find(|at| record.shown.is_char_boundary(*at)).unwrap_or(0);
        record.shown[begin..].chars().take(400).collect()
    })
}
