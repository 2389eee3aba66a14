//! How everything stands, as people read it.

use std::collections::BTreeMap;

use harmony::address::Address;
use harmony::engine::plan::Subject;
use harmony::engine::status::{Standing, State};

use super::layout::{Detail, Layout, push, visible};
use crate::paint::Hue;

/// Place by place: what is as it should be is counted, everything else is named with its reason; and where something is lost, so is what
/// still works of the same sort, and what holds data.
pub(crate) fn status(standings: &[Standing], layout: &Layout) -> String {
    let mut page = String::new();
    let mut places: BTreeMap<&str, Vec<&Standing>> = BTreeMap::new();
    for standing in standings {
        places.entry(standing.address.as_str().split('/').next().unwrap_or_default()).or_default().push(standing);
    }
    for (place, standings) in &places {
        place_line(&mut page, place, standings, layout);
        if let (Some(why), Detail::Short) = (silence(standings), layout.detail) {
            push(&mut page, &format!("  {}  all of it", layout.text(Hue::Bad, "unreachable")));
            push(&mut page, &format!("               {}", visible(why)));
            continue;
        }
        let is_told = |standing: &&&Standing| layout.detail == Detail::Full || is_telling(standing, standings);
        for standing in standings.iter().filter(is_told) {
            line(&mut page, standing, layout);
        }
    }
    if !places.is_empty() {
        page.push('\n');
    }
    push(&mut page, &summary(standings, layout));
    page
}

/// Whether nothing has to be done and nothing is lost.
pub(crate) fn is_well(standings: &[Standing]) -> bool {
    standings.iter().all(is_as_it_should)
}

fn is_as_it_should(standing: &Standing) -> bool {
    standing.state == State::AsItShould
}

/// Whether it is to be named among these.
fn is_telling(standing: &Standing, all: &[&Standing]) -> bool {
    let is_lost = |other: &&&Standing| matches!(other.state, State::Gone | State::Unreachable { .. });
    let sort = |standing: &Standing| standing.label.split(' ').next().map(str::to_owned);
    let mut lost = all.iter().filter(is_lost).peekable();
    !is_as_it_should(standing)
        || (standing.holds.is_some() && lost.peek().is_some())
        || lost.any(|other| sort(other) == sort(standing))
}

/// Why nothing of a place answers, if that has one reason.
fn silence<'a>(standings: &[&'a Standing]) -> Option<&'a str> {
    let why = |standing: &&'a Standing| match &standing.state {
        State::Unreachable { why } => Some(why.as_str()),
        _ => None,
    };
    let first = standings.first().and_then(why)?;
    let is_one = standings.len() > 1 && standings.iter().all(|standing| why(standing) == Some(first));
    is_one.then_some(first)
}

fn place_line(page: &mut String, place: &str, standings: &[&Standing], layout: &Layout) {
    let of = |subject| standings.iter().filter(move |standing| standing.subject == subject);
    let works = |subject| of(subject).filter(|standing| is_as_it_should(standing)).count();
    let (things, proofs) = (of(Subject::Resource).count(), of(Subject::Proof).count());
    let mut line = format!("{} of {things} things as they should be", works(Subject::Resource));
    if proofs > 0 {
        line.push_str(&format!(", {} of {proofs} proofs hold", works(Subject::Proof)));
    }
    let well = standings.iter().all(|standing| is_as_it_should(standing));
    let place = layout.text(if well { Hue::Good } else { Hue::Bad }, place);
    push(page, &format!("{place}: {line}"));
}

fn line(page: &mut String, standing: &Standing, layout: &Layout) {
    let (word, hue, why) = match &standing.state {
        State::AsItShould => ("fine", Hue::Good, String::new()),
        State::Differs { fields, .. } if fields.is_empty() => ("differs", Hue::Changed, String::new()),
        State::Differs { fields, why } => {
            let names: Vec<&str> = fields.iter().map(|field| field.trim_start_matches('/')).collect();
            let why = why.iter().map(|why| format!(": {why}")).collect::<String>();
            ("differs", Hue::Changed, format!("in {}{why}", names.join(", ")))
        }
        State::NotMade => ("not made", Hue::Unsure, String::new()),
        State::Gone => ("gone", Hue::Bad, "an earlier run made it".to_owned()),
        State::Unwanted => ("unwanted", Hue::Changed, "no Score wants it any more".to_owned()),
        State::Unproved => ("unproved", Hue::Unsure, "not proved as things are now; `apply` does it".to_owned()),
        State::Unreachable { why } => ("unreachable", Hue::Bad, why.clone()),
        State::UnknownUntil { until } => ("unknown", Hue::Unsure, waits_for(until)),
        _ => ("unknown", Hue::Unsure, String::new()),
    };
    let holds = standing.holds.as_ref().map(|holds| format!(" (holds {})", visible(holds))).unwrap_or_default();
    let word = layout.text(hue, &format!("{word:>11}"));
    push(page, &format!("  {word}  {}  {}{holds}", standing.address, visible(&standing.label)));
    if !why.is_empty() {
        push(page, &format!("               {}", visible(&why)));
    }
}

fn waits_for(until: &[Address]) -> String {
    if until.is_empty() {
        return "what it lives in cannot be looked at".to_owned();
    }
    let until: Vec<&str> = until.iter().map(Address::as_str).collect();
    format!("not to be told before {} is there", until.join(", "))
}

fn summary(standings: &[Standing], layout: &Layout) -> String {
    if standings.is_empty() {
        return "Nothing is wanted, and nothing was made.".to_owned();
    }
    if is_well(standings) {
        return layout.text(Hue::Good, "All is well.");
    }
    let count = |is: fn(&State) -> bool| standings.iter().filter(|standing| is(&standing.state)).count();
    let parts: Vec<String> = [
        (count(|state| matches!(state, State::AsItShould)), "as they should be"),
        (count(|state| matches!(state, State::Unreachable { .. })), "unreachable"),
        (count(|state| matches!(state, State::Gone)), "gone"),
        (count(|state| matches!(state, State::Differs { .. })), "differ"),
        (count(|state| matches!(state, State::NotMade)), "not made yet"),
        (count(|state| matches!(state, State::Unwanted)), "unwanted"),
        (count(|state| matches!(state, State::Unproved)), "unproved"),
        (count(|state| matches!(state, State::UnknownUntil { .. })), "unknown"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, what)| format!("{count} {what}"))
    .collect();
    layout.text(Hue::Bold, &format!("Status: {}.", parts.join(", ")))
}
