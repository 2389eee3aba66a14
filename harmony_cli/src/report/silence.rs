//! Places that do not answer, as people read them: what is unknown for that, and what waits for it.

use harmony::address::Address;
use harmony::engine::silence::Silence;

use super::layout::{Layout, push, push_first, visible};
use crate::paint::Hue;

/// Adds to a plan what it can say of them.
pub(super) fn unknown(page: &mut String, silent: &[Silence], waiting: &[Address], layout: &Layout) {
    for Silence { place, why, things, .. } in silent {
        let place = layout.text(Hue::Bad, place.as_str());
        push(page, &format!("{place}: {} unknown until it answers: {}", are(things.len()), visible(why)));
    }
    if !waiting.is_empty() {
        push(page, &format!("{} until then:", left(waiting.len(), "")));
        push_first(page, "", waiting.iter().map(Address::to_string), layout);
    }
    if !silent.is_empty() {
        page.push('\n');
    }
}

/// Why a command could not do all that it was asked to; for the error stream.
pub(crate) fn silences(silent: &[Silence], waiting: &[Address], layout: &Layout) -> String {
    let mut page = String::new();
    for Silence { place, why, hint, things } in silent {
        let error = layout.text(Hue::Loud, "error:");
        push(&mut page, &format!("{error} {place} does not answer: {}", visible(why)));
        push(&mut page, &format!("  {} unknown until it does, and left as they are", are(things.len())));
        if let Some(hint) = hint {
            push(&mut page, &format!("  {} {}", layout.text(Hue::Unsure, "hint:"), visible(hint)));
        }
    }
    if !waiting.is_empty() {
        push(&mut page, &left(waiting.len(), " elsewhere"));
    }
    page
}

fn left(things: usize, place: &str) -> String {
    match things {
        1 => format!("1 thing{place} that needs something of it is left as it is"),
        several => format!("{several} things{place} that need something of it are left as they are"),
    }
}

fn are(things: usize) -> String {
    if things == 1 { "1 thing is".to_owned() } else { format!("{things} things are") }
}
