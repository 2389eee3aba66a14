//! A plan as people read it.

use harmony::address::Address;
use harmony::engine::plan::{Change, Counts, LossNotice, Plan, Step, Subject};
use harmony::engine::silence::Silence;

use super::excerpt::{Excerpts, Sources};
use super::fields;
use super::layout::{Detail, Layout, counted, push, push_first, visible};
use super::silence;
use crate::paint::Hue;

/// The whole plan: what would happen grouped by place and Score, the notes, and a summary line.
pub(crate) fn plan(plan: &Plan, layout: &Layout) -> String {
    let mut page = String::new();
    // What is unknown because a place does not answer is said of all of it at once.
    let is_told = |step: &&Step| layout.detail == Detail::Full || !plan.is_in_the_dark(step);
    steps(&mut page, plan.pending().filter(is_told), layout);
    silence::unknown(&mut page, &plan.silent, &plan.waiting, layout);
    let says_something = plan.is_pending() || layout.detail == Detail::Full;
    if !plan.notes.is_empty() && says_something {
        push(&mut page, &layout.text(Hue::Bold, "Notes:"));
        for note in &plan.notes {
            push(&mut page, &format!("  {}: {}", visible(&note.about), visible(&note.says)));
        }
        page.push('\n');
    }
    push(&mut page, &summary(plan, layout));
    left(&mut page, plan, layout);
    page
}

/// Adds what a limited plan leaves undone.
fn left(page: &mut String, plan: &Plan, layout: &Layout) {
    if plan.left.is_empty() {
        return;
    }
    push(page, &format!("{} left as they are, and not looked at:", counted(plan.left.len(), "thing")));
    push_first(page, "", plan.left.iter().map(Address::to_string), layout);
}

/// What is not as the Scores say; proofs are no part of it, and neither is what is unknown because its place does not answer.
pub(crate) fn drift(steps_that_differ: &[&Step], silent: &[Silence], layout: &Layout) -> String {
    let mut page = String::new();
    steps(&mut page, steps_that_differ.iter().copied(), layout);
    silence::unknown(&mut page, silent, &[], layout);
    let line = match steps_that_differ.len() {
        0 if !silent.is_empty() => "No drift where things could be looked at.".to_owned(),
        0 => "No drift. Everything is as the Scores say.".to_owned(),
        1 => "Drift: 1 thing is not as the Scores say.".to_owned(),
        several => format!("Drift: {several} things are not as the Scores say."),
    };
    let is_well = steps_that_differ.is_empty() && silent.is_empty();
    push(&mut page, &layout.text(if is_well { Hue::Good } else { Hue::Bold }, &line));
    page
}

/// One step, with its reason, its fields and what it loses.
pub(super) fn step(page: &mut String, step: &Step, addresses: usize, layout: &Layout) {
    let (marker, hue) = marker(&step.change);
    let (address, label) = (step.address.as_str(), visible(&step.label));
    let marker = layout.text(hue, &format!("{marker:>3}"));
    let fits = MARGIN + addresses.max(address.chars().count()) + 2 + label.chars().count() <= layout.width;
    if fits {
        push(page, &format!("{marker} {}  {label}", pad(address, addresses)));
    } else {
        push(page, &format!("{marker} {address}"));
        push(page, &format!("      {label}"));
    }
    reason(page, step, layout);
    match &step.change {
        Change::Create => fields::made(page, &step.fields, layout),
        Change::Update | Change::Replace { .. } | Change::Forbidden { .. } => fields::changed(page, &step.fields, layout),
        _ => {}
    }
    if let Some(loss) = &step.loss {
        loss_line(page, step, loss, layout);
    }
}

const MARGIN: usize = 4;

fn steps<'a>(page: &mut String, all: impl Iterator<Item = &'a Step>, layout: &Layout) {
    let mut groups: Vec<(String, Vec<&Step>)> = Vec::new();
    let mut index = std::collections::HashMap::new();
    for step in all {
        let place = step.address.as_str().split('/').next().unwrap_or_default();
        let title = format!("{}, {}", layout.text(Hue::Bold, place), layout.text(Hue::Dim, &visible(&step.origin.to_string())));
        let at = *index.entry(title.clone()).or_insert_with(|| {
            groups.push((title, Vec::new()));
            groups.len() - 1
        });
        groups[at].1.push(step);
    }
    for (title, group) in groups {
        push(page, &title);
        let addresses = group.iter().map(|step| step.address.as_str().chars().count()).max().unwrap_or_default();
        for member in group {
            step(page, member, addresses.min(layout.width / 2), layout);
        }
        page.push('\n');
    }
}

fn pad(text: &str, width: usize) -> String {
    let missing = width.saturating_sub(text.chars().count());
    format!("{text}{}", " ".repeat(missing))
}

fn marker(change: &Change) -> (&'static str, Hue) {
    match change {
        Change::None => ("", Hue::Dim),
        Change::Create => ("+", Hue::Good),
        Change::Update => ("~", Hue::Changed),
        Change::Replace { .. } => ("-/+", Hue::Loud),
        Change::Delete { .. } => ("-", Hue::Bad),
        Change::Forget => (".", Hue::Dim),
        Change::UnknownUntil { .. } | Change::Unreachable { .. } => ("?", Hue::Unsure),
        Change::Forbidden { .. } => ("!", Hue::Loud),
        Change::Prove => ("✓", Hue::Unsure),
        Change::Adopt => ("=", Hue::Changed),
    }
}

fn reason(page: &mut String, step: &Step, layout: &Layout) {
    let mut say = |text: &str| push(page, &format!("      {}", visible(text)));
    match &step.change {
        Change::Replace { because } => say(&format!("is replaced: {because}")),
        Change::Delete { because } => say(&format!("is deleted: {because}")),
        Change::Adopt => say("is taken over as it is, although this program has not made it"),
        Change::Forget => say("is struck from the Ledger, nothing else is done"),
        Change::UnknownUntil { until } if until.is_empty() => say("known when what it lives in can be looked at"),
        Change::UnknownUntil { until } => {
            let until: Vec<&str> = until.iter().map(harmony::address::Address::as_str).collect();
            say(&format!("known once {} is applied", until.join(", ")));
        }
        Change::Unreachable { why } => say(&format!("unknown until its place answers: {why}")),
        Change::Forbidden { because, hint } => {
            push(page, &format!("      {}", layout.text(Hue::Loud, &format!("is forbidden: {}", visible(because)))));
            push(page, &format!("      {} {}", layout.text(Hue::Unsure, "hint:"), visible(hint)));
        }
        Change::None | Change::Create | Change::Update | Change::Prove => {}
    }
}

fn loss_line(page: &mut String, step: &Step, loss: &LossNotice, layout: &Layout) {
    let what = visible(&loss.what);
    let line = if loss.allowed {
        format!("! loses: {what} (allowed)")
    } else {
        format!("! loses: {what}; allow it with `--allow-loss {}`", step.address)
    };
    push(page, &format!("      {}", layout.text(Hue::Loud, &line)));
}

/// Why the plan is refused, and by which flags that could change; for the error stream.
pub(crate) fn refusals(plan: &Plan, sources: &Sources, layout: &Layout) -> String {
    let mut page = String::new();
    let mut excerpts = Excerpts::from(sources);
    let refused: Vec<&Step> = plan.refusals().collect();
    let steps = if refused.len() == 1 { "1 step is".to_owned() } else { format!("{} steps are", refused.len()) };
    push(&mut page, &format!("{} {steps} refused, so nothing is changed", layout.text(Hue::Loud, "error:")));
    for step in refused {
        let why = match (&step.change, &step.loss) {
            (Change::Forbidden { because, .. }, _) => because.clone(),
            (_, Some(loss)) => format!("would lose: {}", loss.what),
            _ => String::new(),
        };
        push(&mut page, &format!("  {}: {}", step.address, visible(&why)));
        let hint = match &step.change {
            Change::Forbidden { hint, .. } => visible(hint),
            _ => format!("allow it with `--allow-loss {}`", step.address),
        };
        push(&mut page, &format!("    {} {hint}", layout.text(Hue::Unsure, "hint:")));
        push(&mut page, &format!("    wanted by {}", visible(&step.origin.to_string())));
        excerpts.show_line(&mut page, &step.origin, layout);
    }
    page
}

fn summary(plan: &Plan, layout: &Layout) -> String {
    if !plan.is_pending() {
        return layout.text(Hue::Good, "No changes. Everything is as the Scores say.");
    }
    let Counts { adopt, create, update, replace, delete, forget, unknown, unreachable, forbidden, prove, unchanged, .. } =
        plan.counts();
    let mut line = format!(
        "Plan: {create} to create, {update} to update, {replace} to replace, {delete} to delete, {prove} to prove, {unchanged} unchanged"
    );
    let others = [
        (adopt, "to take over"),
        (forget, "to forget"),
        (unknown, "known later"),
        (unreachable, "unknown"),
        (forbidden, "forbidden"),
    ];
    for (count, what) in others {
        if count > 0 {
            line.push_str(&format!(", {count} {what}"));
        }
    }
    layout.text(Hue::Bold, &format!("{line}."))
}

/// Whether carrying the step out changes something of the user's: a proof writes only into things of its own.
pub(crate) fn changes_something(step: &Step) -> bool {
    !matches!(step.change, Change::None | Change::Prove | Change::Forget | Change::Unreachable { .. })
        && step.subject == Subject::Resource
}
