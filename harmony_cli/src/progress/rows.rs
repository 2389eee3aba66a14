//! Progress as text.

use std::time::{Duration, Instant};

use harmony::engine::events::Event;

use super::state::State;
use super::voice::Form;
use crate::paint::{Hue, Paint};
use crate::report::{Detail, Layout, seconds, visible};

/// As wide as cargo's verbs.
const VERB: usize = 12;
/// A bottom row that appears for less than this only flickers.
const FLICKER: Duration = Duration::from_millis(250);
/// How many running things a row or a heartbeat names.
const NAMED: usize = 3;

/// The line for an event, if it is worth one. What goes on is shown in the bottom row where there is one.
pub(super) fn line(event: &Event, form: Form, layout: &Layout) -> Option<String> {
    if form == Form::Silent {
        return None;
    }
    Some(match event {
        Event::Finished { done, label, took, .. } => {
            format!("{} {}  {}", verb(layout, Hue::Good, &past(done)), visible(label), layout.text(Hue::Dim, &seconds(*took)))
        }
        Event::Failed { label, .. } => format!("{} {}", verb(layout, Hue::Loud, "Failed"), visible(label)),
        Event::Left { label, .. } => format!("{} {}", verb(layout, Hue::Changed, "Left"), visible(label)),
        Event::Progress { address, what } if form == Form::Lines => {
            format!("{} {address}: {}", verb(layout, Hue::Dim, "..."), visible(what))
        }
        Event::ProcedureStep { number, of, step, changes, .. } => {
            format!("{} {number} of {of}, {}: {}", verb(layout, Hue::Bold, "Step"), visible(step), visible(changes))
        }
        Event::ProcedureHolds { seconds: left, .. } => {
            format!("{} so for {}", verb(layout, Hue::Bold, "Staying"), seconds(Duration::from_secs_f64(left.max(0.0))))
        }
        Event::Remark { says } => format!("{} {}", verb(layout, Hue::Changed, "Note"), visible(says)),
        _ => return None,
    })
}

/// The bottom row: counts, and the longest-running things with what they wait for. Empty if there is nothing to tell yet.
pub(super) fn bottom(state: &State, now: Instant, layout: &Layout) -> String {
    let Some(phase) = &state.phase else { return String::new() };
    if now.saturating_duration_since(phase.since) < FLICKER {
        return String::new();
    }
    let mut row = counts(state);
    for running in state.longest().iter().take(NAMED) {
        let took = seconds(now.saturating_duration_since(running.since));
        row.push_str(&format!(" · {} {} {took}", running.doing, visible(&running.label)));
        if let Some(reason) = &running.reason {
            row.push_str(&format!(" ({})", visible(reason)));
        }
    }
    if state.running.len() > NAMED {
        row.push_str(&format!(" · and {} more", state.running.len() - NAMED));
    }
    // A row that is wrapped could not be taken away again, so it is cut even when everything is wanted.
    let narrow = Layout { detail: Detail::Short, paint: Paint::Plain, ..*layout };
    layout.text(Hue::Unsure, &narrow.fit(&row, 1))
}

/// A line against silence: what is running, for how long, and what it said last.
pub(super) fn heartbeat(state: &State, now: Instant) -> Option<String> {
    let phase = state.phase.as_ref()?;
    let longest = state.longest();
    if longest.is_empty() {
        let took = seconds(now.saturating_duration_since(phase.since));
        return Some(format!("{:>VERB$} {} for {took}", "...", counts(state)));
    }
    let named: Vec<String> = longest
        .iter()
        .take(NAMED)
        .map(|running| {
            let took = seconds(now.saturating_duration_since(running.since));
            let reason = running.reason.as_ref().map(|reason| format!(", {}", visible(reason))).unwrap_or_default();
            format!("still {} {} ({took}{reason})", running.doing, visible(&running.label))
        })
        .collect();
    let more = if longest.len() > NAMED { format!("; and {} more", longest.len() - NAMED) } else { String::new() };
    Some(format!("{:>VERB$} {}{more}", "...", named.join("; ")))
}

fn counts(state: &State) -> String {
    let Some(phase) = &state.phase else { return String::new() };
    let failed = if state.failed > 0 { format!(", {} failed", state.failed) } else { String::new() };
    match phase.name {
        "applying" => format!("applying {}/{}{failed}", state.ended, phase.count),
        // Proofs that are carried out without a change follow the look at everything.
        _ if state.ended > 0 || !state.running.is_empty() => format!("{} done{failed}", state.ended),
        name => format!("{name} {} things", phase.count),
    }
}

fn verb(layout: &Layout, hue: Hue, verb: &str) -> String {
    layout.text(hue, &format!("{verb:>VERB$}"))
}

/// The engine's words for what was done, as a verb of one word.
fn past(done: &str) -> String {
    match done {
        "is as it should be" => "Unchanged".to_owned(),
        "was gone" => "Forgotten".to_owned(),
        other => {
            let mut letters = other.chars();
            letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
        }
    }
}
