//! Errors as people read them: what, why, what to do, and which line of the program says so.

use std::collections::BTreeSet;
use std::error::Error;

use harmony::engine::outcome::Failed;

use super::excerpt::{Excerpts, Sources};
use super::layout::{Layout, push, push_first, visible};
use super::plan;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::paint::Hue;

/// A command's error.
pub(crate) fn problem(error: &CommandError, sources: &Sources, layout: &Layout) -> String {
    if !error.troubles().is_empty() {
        return failures(error.troubles(), sources, layout);
    }
    let mut page = String::new();
    match error.exit() {
        // Whoever has stopped a command knows that it has not failed.
        Exit::Interrupted => push(&mut page, &layout.text(Hue::Changed, &error.to_string())),
        _ => head(&mut page, &error.to_string(), layout),
    }
    causes(&mut page, error, layout);
    for moved in error.moved() {
        push(&mut page, &format!("  {}: {}", moved.address, visible(&moved.label)));
        moved.what.iter().for_each(|what| push(&mut page, &format!("    {}", visible(what))));
    }
    let mut excerpts = Excerpts::from(sources);
    if error.refused().is_empty() {
        for origin in error.origins() {
            excerpts.show(&mut page, origin, layout);
        }
        hint(&mut page, error.hint().as_deref(), layout);
        return page;
    }
    for step in error.refused() {
        plan::step(&mut page, step, 0, layout);
        push(&mut page, &format!("  wanted by {}", visible(&step.origin.to_string())));
        excerpts.show_line(&mut page, &step.origin, layout);
    }
    page
}

/// All that failed; what failed for one reason is said once.
pub(crate) fn failures(failures: &[Failed], sources: &Sources, layout: &Layout) -> String {
    let mut page = String::new();
    let mut excerpts = Excerpts::from(sources);
    for group in by_reason(failures) {
        reason(&mut page, &group, &mut excerpts, layout);
    }
    page
}

/// One reason, and all that failed for it.
fn reason(page: &mut String, group: &[&Failed], excerpts: &mut Excerpts<'_>, layout: &Layout) {
    let Some((first, more)) = group.split_first() else { return };
    let text = match more {
        [] => first.error.clone(),
        more => first.error.replacen(&first.label, &format!("{} things", more.len() + 1), 1),
    };
    head(page, &text, layout);
    hint(page, first.hint.as_deref(), layout);
    let things = group.iter().map(|failed| format!("{}: {}", failed.address, visible(&failed.label)));
    push_first(page, "on ", things, layout);
    let mut seen = BTreeSet::new();
    for origin in group.iter().map(|failed| &failed.origin).filter(|origin| seen.insert(*origin)) {
        push(page, &format!("  wanted by {}", visible(&origin.to_string())));
        excerpts.show_line(page, origin, layout);
    }
}

/// What failed, in the order of the first of each reason. Two have one reason if they say the same but for their names.
fn by_reason(failures: &[Failed]) -> Vec<Vec<&Failed>> {
    let mut groups: Vec<(String, Vec<&Failed>)> = Vec::new();
    let mut at = std::collections::HashMap::new();
    for failed in failures {
        let reason = format!("{}\n{}", failed.error.replacen(&failed.label, "\0", 1), failed.hint.as_deref().unwrap_or_default());
        let index = *at.entry(reason.clone()).or_insert_with(|| {
            groups.push((reason, Vec::new()));
            groups.len() - 1
        });
        groups[index].1.push(failed);
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

fn head(page: &mut String, text: &str, layout: &Layout) {
    push(page, &format!("{} {}", layout.text(Hue::Loud, "error:"), indented(text)));
}

/// The causes, each on a line of its own, unless its words have just been said.
fn causes(page: &mut String, error: &dyn Error, layout: &Layout) {
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let words = inner.to_string();
        if !said.ends_with(&words) {
            push(page, &format!("  {} {}", layout.text(Hue::Dim, "caused by:"), indented(&words)));
        }
        said = words;
        cause = inner.source();
    }
}

fn hint(page: &mut String, hint: Option<&str>, layout: &Layout) {
    if let Some(hint) = hint {
        push(page, &format!("  {} {}", layout.text(Hue::Unsure, "hint:"), indented(hint)));
    }
}

fn indented(text: &str) -> String {
    text.lines().map(visible).collect::<Vec<_>>().join("\n    ")
}
