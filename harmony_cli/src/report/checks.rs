//! What `doctor` found.

use harmony::topology::{Check, Verdict};

use super::layout::{Layout, counted, push, visible};
use super::line::Line;
use crate::paint::Hue;

/// Each check on a line of its own, what to do about it below, and how many there are of which sort.
pub(crate) fn checks(checks: &[Check], layout: &Layout) -> String {
    let mut page = String::new();
    let width = checks.iter().map(|check| check.about.chars().count()).max().unwrap_or_default().min(WIDEST);
    for check in checks {
        let (mark, hue) = mark(check.verdict);
        let missing = " ".repeat(width.saturating_sub(check.about.chars().count()));
        push(&mut page, &format!("{}  {}{missing}  {}", layout.text(hue, mark), visible(&check.about), visible(&check.found)));
        if let Some(hint) = &check.hint {
            push(&mut page, &format!("{:width$}        {} {}", "", layout.text(Hue::Unsure, "hint:"), visible(hint)));
        }
    }
    page.push('\n');
    let of = |verdict| checks.iter().filter(|check| check.verdict == verdict).count();
    let (doubtful, wrong) = (of(Verdict::Doubtful), of(Verdict::Wrong));
    let line = match (doubtful, wrong) {
        (0, 0) => layout.text(Hue::Good, &format!("All is well: {} passed.", counted(checks.len(), "check"))),
        (_, 0) => layout.text(Hue::Bold, &format!("{}: nothing is wrong, {doubtful} doubtful.", counted(checks.len(), "check"))),
        _ => layout.text(Hue::Bold, &format!("{}: {wrong} wrong, {doubtful} doubtful.", counted(checks.len(), "check"))),
    };
    push(&mut page, &line);
    page
}

/// Each check as a line of JSON.
pub(crate) fn check_lines(checks: &[Check]) -> String {
    checks.iter().map(|check| Line::Check(check).text()).collect()
}

const WIDEST: usize = 24;

fn mark(verdict: Verdict) -> (&'static str, Hue) {
    match verdict {
        Verdict::Good => ("✓", Hue::Good),
        Verdict::Doubtful => ("?", Hue::Changed),
        Verdict::Wrong => ("!", Hue::Loud),
    }
}
