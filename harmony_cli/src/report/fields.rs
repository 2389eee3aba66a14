//! The fields in which a thing differs.

use std::fmt::Write as _;

use harmony::resource::{FieldChange, Shown};
use serde_json::Value as Json;
use similar::{ChangeTag, TextDiff};

use super::layout::{Detail, Layout, counted, push, visible};
use crate::paint::Hue;

const INDENT: &str = "      ";

/// Adds the fields of something that is made.
pub(super) fn made(page: &mut String, fields: &[FieldChange], layout: &Layout) {
    for field in fields.iter().filter(|field| field.desired != Shown::Absent) {
        let name = name(field);
        match text_of(&field.desired) {
            Some(text) if layout.detail == Detail::Full => {
                push(page, &format!("{INDENT}{name}:"));
                for line in text.lines() {
                    push(page, &layout.text(Hue::Good, &format!("{INDENT}+ {}", visible(line))));
                }
            }
            Some(text) => push(page, &format!("{INDENT}{name}: ({})", counted(text.lines().count(), "line"))),
            None => {
                let shown = layout.fit(&shown(&field.desired, layout), INDENT.len() + name.chars().count() + 2);
                push(page, &format!("{INDENT}{name}: {}", dim_placeholder(&shown, layout)));
            }
        }
    }
}

/// Adds the fields of something that is changed.
pub(super) fn changed(page: &mut String, fields: &[FieldChange], layout: &Layout) {
    for field in fields {
        let name = name(field);
        let (live, desired) = (shown(&field.live, layout), shown(&field.desired, layout));
        let columns = INDENT.len() + name.chars().count() + 6 + live.chars().count() + desired.chars().count();
        match both_texts(field, columns > layout.width) {
            Some((live, desired)) => {
                push(page, &format!("{INDENT}{name}:"));
                lines(page, &live, &desired, layout);
            }
            None => {
                let half = |text: &str| layout.fit(text, layout.width.saturating_sub(half_of(layout, name.chars().count())));
                let (live, desired) = if columns > layout.width { (half(&live), half(&desired)) } else { (live, desired) };
                let (live, desired) = (dim_placeholder(&live, layout), dim_placeholder(&desired, layout));
                push(page, &format!("{INDENT}{name}: {live} {} {desired}", layout.text(Hue::Changed, "->")));
            }
        }
    }
}

fn half_of(layout: &Layout, name: usize) -> usize {
    layout.width.saturating_sub(INDENT.len() + name + 6) / 2
}

/// The field's pointer as people write paths; a field of the whole thing has no name of its own.
fn name(field: &FieldChange) -> String {
    match field.path.strip_prefix('/') {
        None | Some("") => "(all of it)".to_owned(),
        Some(path) => visible(&path.replace("~1", "/").replace("~0", "~")),
    }
}

fn shown(side: &Shown, layout: &Layout) -> String {
    match side {
        Shown::Absent => "(none)".to_owned(),
        Shown::Sensitive => "(sensitive)".to_owned(),
        Shown::KnownAfter(addresses) if layout.detail == Detail::Full => {
            let addresses: Vec<&str> = addresses.iter().map(harmony::address::Address::as_str).collect();
            format!("(known after apply: {})", addresses.join(", "))
        }
        Shown::KnownAfter(_) => "(known after apply)".to_owned(),
        Shown::Value(value) => visible(&value.to_string()),
    }
}

fn dim_placeholder(shown: &str, layout: &Layout) -> String {
    if shown.starts_with('(') { layout.text(Hue::Dim, shown) } else { shown.to_owned() }
}

/// A text of several lines.
fn text_of(side: &Shown) -> Option<&str> {
    match side {
        Shown::Value(Json::String(text)) if text.trim_end_matches('\n').contains('\n') => Some(text),
        _ => None,
    }
}

/// Both sides as texts of lines, where comparing lines says more: texts of several lines, and structures too long for one line.
fn both_texts(field: &FieldChange, is_too_long: bool) -> Option<(String, String)> {
    let (Shown::Value(live), Shown::Value(desired)) = (&field.live, &field.desired) else { return None };
    match (live, desired) {
        (Json::String(from), Json::String(to)) if text_of(&field.live).or(text_of(&field.desired)).is_some() => {
            Some((from.clone(), to.clone()))
        }
        (Json::Array(_), Json::Array(_)) | (Json::Object(_), Json::Object(_)) if is_too_long => {
            Some((serde_json::to_string_pretty(live).ok()?, serde_json::to_string_pretty(desired).ok()?))
        }
        _ => None,
    }
}

/// Adds the lines that differ, each with three around it.
fn lines(page: &mut String, live: &str, desired: &str, layout: &Layout) {
    let diff = TextDiff::from_lines(live, desired);
    let mut unified = diff.unified_diff();
    for hunk in unified.context_radius(CONTEXT).iter_hunks() {
        let mut header = String::new();
        // Writing into a string cannot fail.
        let _ = write!(header, "{}", hunk.header());
        push(page, &layout.text(Hue::Unsure, &format!("{INDENT}{}", header.trim_end())));
        for change in hunk.iter_changes() {
            let line = visible(change.value().trim_end_matches(['\n', '\r']));
            let line = format!("{INDENT}{}{line}", change.tag());
            let line = line.trim_end();
            push(
                page,
                &match change.tag() {
                    ChangeTag::Insert => layout.text(Hue::Good, line),
                    ChangeTag::Delete => layout.text(Hue::Bad, line),
                    ChangeTag::Equal => line.to_owned(),
                },
            );
        }
    }
}

const CONTEXT: usize = 3;
