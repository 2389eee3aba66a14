//! Procedures as people and programs read them.

use harmony::procedure::{Procedure, Underway};
use harmony_types::TimeSpan;

use super::layout::{Layout, push, visible};
use super::line::{Line, Standpoint};
use crate::paint::Hue;

/// What is offered, and where it stands.
pub(crate) fn procedures(offered: &[Procedure], underway: &[Underway], layout: &Layout) -> String {
    let mut page = String::new();
    for procedure in offered {
        push(&mut page, &layout.text(Hue::Bold, &visible(&procedure.title())));
        push(&mut page, &format!("  {}", visible(&procedure.does)));
        if let Some(stands) = underway.iter().find(|underway| procedure.is(underway)) {
            push(&mut page, &format!("  {}", layout.text(Hue::Changed, &standing(procedure, stands))));
        }
    }
    for lost in underway.iter().filter(|underway| !offered.iter().any(|procedure| procedure.is(underway))) {
        push(&mut page, &layout.text(Hue::Bold, &visible(&lost.title())));
        push(&mut page, "  has begun, and no Score offers it any more: it ends with the next `apply`");
    }
    if page.is_empty() {
        push(&mut page, "The Scores of this program offer no procedures.");
    }
    page
}

fn standing(procedure: &Procedure, stands: &Underway) -> String {
    let number = procedure.position(&stands.step).map_or(0, |at| at + 1);
    format!("under way, at step {number} of {} ({}): run it to go on", procedure.steps.len(), visible(&stands.step))
}

/// What a procedure does step by step, and where it stands.
pub(crate) fn procedure(procedure: &Procedure, stands: Option<&Underway>, held_for: Option<TimeSpan>, layout: &Layout) -> String {
    let mut page = String::new();
    push(&mut page, &format!("{}: {}", layout.text(Hue::Bold, &visible(&procedure.title())), visible(&procedure.does)));
    page.push('\n');
    let at = stands.and_then(|stands| procedure.position(&stands.step));
    let held_for = held_for.or(stands.and_then(|stands| stands.held_for));
    for (index, step) in procedure.steps.iter().enumerate() {
        let (mark, hue) = match at {
            Some(at) if index < at => ("✓", Hue::Good),
            Some(at) if index == at => ("→", Hue::Changed),
            _ => (" ", Hue::Dim),
        };
        let head = format!("{} {}. {}", layout.text(hue, mark), index + 1, layout.text(Hue::Bold, &visible(&step.name)));
        push(&mut page, &format!("{head}  {}", visible(&step.changes)));
        if !step.checks.is_empty() {
            push(&mut page, &format!("       proves: {}", visible(&step.checks)));
        }
        if let Some(span) = step.held_for.map(|usual| held_for.unwrap_or(usual)) {
            push(&mut page, &format!("       stays so for {span} at least"));
        }
    }
    page.push('\n');
    page
}

/// Each procedure with where it stands.
pub(crate) fn procedure_lines<'a>(offered: &[Procedure], underway: impl IntoIterator<Item = &'a Underway>) -> String {
    let underway: Vec<&Underway> = underway.into_iter().collect();
    let line = |procedure: &Procedure| {
        let stands = underway.iter().find(|underway| procedure.is(underway));
        let Procedure { name, subject, does, steps, .. } = procedure;
        let underway = stands.map(|stands| Standpoint { step: &stands.step, reached: stands.reached.is_some() });
        Line::Procedure { procedure: name, subject, does, steps, underway }.text()
    };
    offered.iter().map(line).collect()
}
