//! Errors as people read them: what, why, what to do, and which Score wants it.

use std::error::Error;

use harmony::Origin;
use harmony::engine::outcome::Failed;

use super::layout::{Layout, push, visible};
use super::plan;
use crate::error::CommandError;
use crate::paint::Hue;

/// A command's error.
pub(crate) fn problem(error: &CommandError, layout: &Layout) -> String {
    let mut page = String::new();
    if error.troubles().is_empty() {
        head(&mut page, &error.to_string(), layout);
        causes(&mut page, error, layout);
    }
    for moved in error.moved() {
        push(&mut page, &format!("  {}: {}", moved.address, visible(&moved.label)));
        moved.what.iter().for_each(|what| push(&mut page, &format!("    {}", visible(what))));
    }
    for trouble in error.troubles() {
        page.push_str(&failed(trouble, layout));
    }
    if error.refused().is_empty() {
        if error.troubles().is_empty() {
            hint(&mut page, error.hint().as_deref(), layout);
        }
        return page;
    }
    for step in error.refused() {
        plan::step(&mut page, step, 0, layout);
        push(&mut page, &format!("  wanted by {}", place_in_program(&step.origin)));
    }
    page
}

/// One thing that failed.
pub(crate) fn failed(failed: &Failed, layout: &Layout) -> String {
    let mut page = String::new();
    head(&mut page, &failed.error, layout);
    hint(&mut page, failed.hint.as_deref(), layout);
    push(&mut page, &format!("  on {}: {}", failed.address, visible(&failed.label)));
    push(&mut page, &format!("  wanted by {}", place_in_program(&failed.origin)));
    page
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

fn place_in_program(origin: &Origin) -> String {
    visible(&origin.to_string())
}

fn indented(text: &str) -> String {
    text.lines().map(visible).collect::<Vec<_>>().join("\n    ")
}
