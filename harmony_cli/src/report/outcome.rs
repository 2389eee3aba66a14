//! What a run did, as people read it.

use harmony::Outcome;
use harmony::engine::outcome::{Ending, Left};

use super::layout::{Detail, Layout, counted, push, push_first, seconds, visible};
use crate::paint::Hue;

/// The result: one line if nothing was to be done; else counts, proofs and what a user can do next.
pub(crate) fn done(outcome: &Outcome, layout: &Layout) -> String {
    let mut page = String::new();
    let took = seconds(outcome.took);
    let counts = &outcome.counts;
    let ended_well = matches!(outcome.ending(), Ending::Converged | Ending::Changed);
    if outcome.ending() == Ending::Converged && outcome.proofs.is_empty() {
        let things = counted(counts.unchanged, "resource");
        let line = format!("Nothing to change: {things}, {} ({took})", holding(counts.holding));
        push(&mut page, &layout.text(Hue::Good, &line));
        if layout.detail == Detail::Short {
            return page;
        }
    } else {
        proofs(&mut page, outcome, layout);
        let word = if ended_well { "Done" } else { "So far" };
        push(&mut page, &layout.text(Hue::Bold, &format!("{word}: {} ({took})", counted_all(outcome))));
    }
    if ended_well && !outcome.next_steps.is_empty() {
        page.push('\n');
        push(&mut page, &layout.text(Hue::Bold, "Next:"));
        for (title, text) in &outcome.next_steps {
            push(&mut page, &format!("  {}", visible(title)));
            for line in text.lines() {
                push(&mut page, &format!("    {}", visible(line)));
            }
        }
    }
    page
}

/// What carrying out every proof showed.
pub(crate) fn verified(outcome: &Outcome, layout: &Layout) -> String {
    let mut page = String::new();
    proofs(&mut page, outcome, layout);
    let (passed, failed) = (outcome.proofs.len(), outcome.failures.len());
    let took = seconds(outcome.took);
    let line = match (passed, failed) {
        _ if !outcome.silent.is_empty() => {
            let line = format!("Not verified: {}, {failed} failed, and not every place answers ({took})", holding(passed));
            layout.text(Hue::Loud, &line)
        }
        (0, 0) => "Nothing to prove: the Scores of this program have no proofs.".to_owned(),
        (_, 0) => layout.text(Hue::Good, &format!("Verified: {} ({took})", holding(passed))),
        _ => layout.text(Hue::Loud, &format!("Not verified: {}, {failed} failed ({took})", holding(passed))),
    };
    push(&mut page, &line);
    page
}

/// Adds the proofs that passed, each with what it rests on.
fn proofs(page: &mut String, outcome: &Outcome, layout: &Layout) {
    for proved in &outcome.proofs {
        push(page, &format!("{} {}", layout.text(Hue::Good, "✓"), visible(&proved.claim)));
        let checks = counted(proved.evidence.checks as usize, "check");
        push(page, &format!("    {} ({checks})", visible(&proved.evidence.how)));
        for measured in &proved.evidence.measured {
            push(page, &format!("    {}", visible(measured)));
        }
    }
    if !outcome.proofs.is_empty() {
        page.push('\n');
    }
}

/// What a run that did not reach its end has left, and how to go on; for the error stream.
pub(crate) fn after_failures(outcome: &Outcome, layout: &Layout) -> String {
    let mut page = String::new();
    if outcome.interrupted {
        let ended = if outcome.left.is_empty() { "has finished" } else { "has finished, or was only waited for" };
        push(&mut page, &layout.text(Hue::Changed, &format!("interrupted: what was in flight {ended}")));
    }
    if let Some(why) = &outcome.lease_lost {
        let line = format!("stopped: the lease of this run is lost: {}", visible(why));
        push(&mut page, &layout.text(Hue::Loud, &line));
    }
    let waited = |left: &Left| format!("{}: {}", left.address, visible(&left.why));
    named(&mut page, "not done yet", outcome.left.iter().map(waited), layout);
    named(&mut page, "not begun", outcome.not_begun.iter().map(ToString::to_string), layout);
    if outcome.interrupted || outcome.ending() == Ending::Failed {
        push(&mut page, "Run it again to go on: it looks at what is there first.");
    }
    page
}

/// Adds how many there are, and what the first ones are; nothing if there are none.
fn named(page: &mut String, what: &str, lines: impl ExactSizeIterator<Item = String>, layout: &Layout) {
    let count = lines.len();
    if count == 0 {
        return;
    }
    let verb = if count == 1 { "was" } else { "were" };
    push(page, &format!("{} {verb} {what}:", counted(count, "thing")));
    push_first(page, "", lines, layout);
}

fn holding(count: usize) -> String {
    if count == 1 { "1 proof holds".to_owned() } else { format!("{count} proofs hold") }
}

fn counted_all(outcome: &Outcome) -> String {
    let counts = &outcome.counts;
    let mut parts: Vec<String> = [
        (counts.create, "created"),
        (counts.update, "updated"),
        (counts.replace, "replaced"),
        (counts.delete, "deleted"),
        (counts.adopt, "taken over"),
        (counts.forget, "forgotten"),
        (outcome.failures.len(), "failed"),
        (outcome.left.len(), "not done yet"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, what)| format!("{count} {what}"))
    .collect();
    if !outcome.proofs.is_empty() {
        parts.push(format!("{} passed", counted(outcome.proofs.len(), "proof")));
    }
    parts.push(format!("{} unchanged", counts.unchanged));
    parts.join(", ")
}
