//! How wide, how colourful and how detailed a text is.

use std::time::Duration;

use crate::paint::{Hue, Paint};

/// How much is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Detail {
    Short,
    Full,
}

/// How wide, how colourful and how detailed a text is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Layout {
    pub(crate) paint: Paint,
    /// In columns.
    pub(crate) width: usize,
    pub(crate) detail: Detail,
}

impl Layout {
    pub(crate) fn text(&self, hue: Hue, text: &str) -> String {
        self.paint.text(hue, text)
    }

    /// The text cut to what is left of the width behind `used` columns; whole when everything is wanted.
    pub(crate) fn fit(&self, text: &str, used: usize) -> String {
        let room = self.width.saturating_sub(used).max(NARROWEST);
        if self.detail == Detail::Full || text.chars().count() <= room {
            return text.to_owned();
        }
        text.chars().take(room - 1).chain(['…']).collect()
    }
}

/// Less room than this says nothing any more, so a line rather gets too long.
const NARROWEST: usize = 16;

/// The text on one line, without characters that would move the cursor.
pub(crate) fn visible(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\t' { ' ' } else { c }).collect()
}

/// A duration for people: `0.4 s`, `2 min 5 s`.
pub(crate) fn seconds(took: Duration) -> String {
    let whole = took.as_secs();
    if whole < 100 { format!("{:.1} s", took.as_secs_f64()) } else { format!("{} min {} s", whole / 60, whole % 60) }
}

/// `1 thing`, `2 things`.
pub(crate) fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// Pushes a line without spaces at its end.
pub(super) fn push(page: &mut String, line: &str) {
    page.push_str(line.trim_end());
    page.push('\n');
}

/// How many things of one sort are named, unless everything is to be told.
const MOST_NAMED: usize = 10;

/// Pushes the first of `lines`, each behind `word`, and how many more there are.
pub(super) fn push_first(page: &mut String, word: &str, lines: impl ExactSizeIterator<Item = String>, layout: &Layout) {
    let count = lines.len();
    let shown = if layout.detail == Detail::Full { count } else { MOST_NAMED };
    lines.take(shown).for_each(|line| push(page, &format!("  {word}{line}")));
    if count > shown {
        push(page, &format!("  and {word}{} more", count - shown));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_like_sentences() {
        assert_eq!(seconds(Duration::from_millis(44)), "0.0 s");
        assert_eq!(seconds(Duration::from_millis(12_340)), "12.3 s");
        assert_eq!(seconds(Duration::from_secs(125)), "2 min 5 s");
    }

    #[test]
    fn a_text_from_elsewhere_cannot_move_the_cursor() {
        assert_eq!(visible("a\u{1b}[2Kb\r\nc"), "a [2Kb  c");
    }
}
