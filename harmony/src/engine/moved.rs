//! In what a plan that is made now differs from a saved one. Pure.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::plan::{Change, Plan, Step};
use super::saved::Marked;
use super::witness::{Marks, OUTPUTS};
use crate::address::Address;
use crate::resource::{FieldChange, Shown};

/// Something that is not as it was planned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Moved {
    /// Where the program says it, or said it last.
    pub address: Address,
    /// The kind, and what the world calls it.
    pub label: String,
    /// In what it differs, sentence by sentence.
    pub what: Vec<String>,
}

/// Everything in which the plan that was saved and the one that is made now differ. Where in the program something is said is no part
/// of it.
pub(super) fn moved(planned: (&Plan, &[Marked]), now: (&Plan, &[Marked])) -> Vec<Moved> {
    let (planned, now) = (things(planned), things(now));
    let mut names: Vec<&Name<'_>> = planned.keys().chain(now.keys().filter(|name| !planned.contains_key(*name))).collect();
    names.sort_unstable();
    let nothing = Thing::default();
    let differs = |name: &&Name<'_>| {
        let what = compare(planned.get(*name).unwrap_or(&nothing), now.get(*name).unwrap_or(&nothing));
        let (address, _, label) = **name;
        (!what.is_empty()).then(|| Moved { address: address.clone(), label: label.to_owned(), what })
    };
    names.iter().filter_map(differs).collect()
}

/// By what one thing of two plans is known: address, kind, and what the world calls it.
type Name<'a> = (&'a Address, &'a str, &'a str);

/// What a plan says of a thing.
#[derive(Default)]
struct Thing<'a> {
    step: Option<&'a Step>,
    marked: Option<&'a Marked>,
}

fn things<'a>((plan, marked): (&'a Plan, &'a [Marked])) -> BTreeMap<Name<'a>, Thing<'a>> {
    let mut things: BTreeMap<Name<'_>, Thing<'_>> = BTreeMap::new();
    for step in &plan.steps {
        things.entry((&step.address, &step.kind, &step.label)).or_default().step = Some(step);
    }
    for marked in marked {
        things.entry((&marked.address, &marked.kind, &marked.label)).or_default().marked = Some(marked);
    }
    things
}

fn compare(planned: &Thing<'_>, now: &Thing<'_>) -> Vec<String> {
    let mut what = Vec::new();
    match (planned.step, now.step) {
        (Some(planned), Some(now)) => compare_steps(planned, now, &mut what),
        (Some(_), None) => what.push("the plan speaks of it, and neither the program nor its Ledger does now".to_owned()),
        (None, Some(now)) => what.push(format!("the plan does not speak of it; {}", would(&now.change))),
        (None, None) => {}
    }
    if let (Some(planned), Some(now)) = (planned.marked, now.marked) {
        if planned.wish != now.wish {
            what.push("the program says something else of it than when it was planned".to_owned());
        }
        compare_marks(&planned.seen, &now.seen, &mut what);
    }
    what
}

fn compare_steps(planned: &Step, now: &Step, what: &mut Vec<String>) {
    if planned.change != now.change {
        what.push(format!("it was planned that {}; now {}", would(&planned.change), would(&now.change)));
    }
    if word(&planned.change) == word(&now.change)
        || matches!((&planned.change, &now.change), (Change::None, _) | (_, Change::None))
    {
        compare_fields(&planned.fields, &now.fields, what);
    }
    if planned.loss != now.loss {
        let said = |step: &Step| step.loss.as_ref().map_or_else(|| "nothing".to_owned(), |loss| loss.what.clone());
        what.push(format!("what would be lost: as planned, {}; now, {}", said(planned), said(now)));
    }
}

fn compare_fields(planned: &[FieldChange], now: &[FieldChange], what: &mut Vec<String>) {
    let by_path = |fields: &'_ [FieldChange]| fields.iter().map(|field| (field.path.clone(), field.clone())).collect();
    let (planned, now): (BTreeMap<String, FieldChange>, BTreeMap<String, FieldChange>) = (by_path(planned), by_path(now));
    for (path, before) in &planned {
        match now.get(path) {
            None => what.push(format!(
                "{} was {} and should be {}; it is so now",
                name(path),
                shown(&before.live),
                shown(&before.desired)
            )),
            Some(after) if after.live != before.live => {
                what.push(format!("{} was {} and is {} now", name(path), shown(&before.live), shown(&after.live)));
            }
            Some(after) if after.desired != before.desired => {
                what.push(format!(
                    "{} should have been {} and should be {} now",
                    name(path),
                    shown(&before.desired),
                    shown(&after.desired)
                ));
            }
            Some(_) => {}
        }
    }
    for (path, after) in now.iter().filter(|(path, _)| !planned.contains_key(*path)) {
        what.push(format!("{} was as it should be, {}, and is {} now", name(path), shown(&after.desired), shown(&after.live)));
    }
}

/// What only the marks tell: values that are not shown.
fn compare_marks(planned: &Marks, now: &Marks, what: &mut Vec<String>) {
    match (planned.is_empty(), now.is_empty()) {
        (true, true) => {}
        (true, false) => what.push("it was not seen when it was planned, and is there now".to_owned()),
        (false, true) => what.push("it was there when it was planned, and is not seen now".to_owned()),
        (false, false) => {
            let paths = planned.keys().chain(now.keys().filter(|path| !planned.contains_key(*path)));
            paths.filter(|path| planned.get(*path) != now.get(*path)).for_each(|path| push_unless_named(path, what));
        }
    }
}

fn push_unless_named(path: &str, what: &mut Vec<String>) {
    if path == OUTPUTS {
        what.push("what it offers to others is another value now".to_owned());
        return;
    }
    let named = |sentence: &String| {
        let inside = format!("`{path}/");
        sentence.starts_with(&name(path)) || sentence.starts_with(&inside)
    };
    if !what.iter().any(named) {
        what.push(format!("{} is another value now", name(path)));
    }
}

fn name(path: &str) -> String {
    if path.is_empty() { "the whole of it".to_owned() } else { format!("`{path}`") }
}

/// What a change does, as a sentence.
fn would(change: &Change) -> String {
    match change {
        Change::Replace { because } | Change::Delete { because } | Change::Forbidden { because, .. } => {
            format!("{}: {because}", word(change))
        }
        other => word(other).to_owned(),
    }
}

fn word(change: &Change) -> &'static str {
    match change {
        Change::None => "it would be left as it is",
        Change::Create => "it would be made",
        Change::Update => "it would be changed",
        Change::Replace { .. } => "it would be replaced",
        Change::UnknownUntil { .. } => "it would be known later",
        Change::Unreachable { .. } => "it would be left as it is, because its place does not answer",
        Change::Delete { .. } => "it would be taken away",
        Change::Forget => "it would be struck from the Ledger",
        Change::Forbidden { .. } => "it would be forbidden",
        Change::Prove => "it would be proved",
        Change::Adopt => "it would be taken over as it is",
    }
}

fn shown(side: &Shown) -> String {
    match side {
        Shown::Absent => "absent".to_owned(),
        Shown::Sensitive => "(sensitive)".to_owned(),
        Shown::KnownAfter(_) => "(known after apply)".to_owned(),
        Shown::Value(value) => shortened(&value.to_string()),
    }
}

/// Enough to recognise a value by.
const LONGEST: usize = 60;

fn shortened(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
