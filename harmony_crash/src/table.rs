//! What a matrix found, as a table.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::matrix::Visit;

/// The visits of a matrix by command, primitive and moment.
#[derive(Debug, Default)]
pub struct Table {
    rows: BTreeMap<String, Row>,
    failures: Vec<String>,
}

#[derive(Debug, Default)]
struct Row {
    points: usize,
    met: usize,
    failed: usize,
    took: Duration,
}

impl Table {
    /// Takes in what was seen at one point.
    pub fn add(&mut self, visit: &Visit) {
        let row = self.rows.entry(visit.row.clone()).or_default();
        row.points += 1;
        row.met += usize::from(visit.met.is_some());
        row.failed += usize::from(visit.failure.is_some());
        row.took += visit.took;
        self.failures.extend(visit.failure.as_ref().map(|failure| format!("{}, {}: {failure}", visit.row, visit.at)));
    }

    /// Whether something was not as promised.
    #[must_use]
    pub fn failed(&self) -> bool {
        !self.failures.is_empty()
    }

    /// How many points were looked at, and how many of them were reached.
    #[must_use]
    pub fn counts(&self) -> (usize, usize) {
        self.rows.values().fold((0, 0), |(points, met), row| (points + row.points, met + row.met))
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for failure in &self.failures {
            writeln!(f, "FAILED {failure}\n")?;
        }
        let width = self.rows.keys().map(String::len).max().unwrap_or(0);
        writeln!(f, "{:width$} | points | reached | failed | seconds each", "at")?;
        let mut all = Row::default();
        for (name, row) in &self.rows {
            writeln!(f, "{name:width$} | {row}")?;
            all.points += row.points;
            all.met += row.met;
            all.failed += row.failed;
            all.took += row.took;
        }
        writeln!(f, "{:width$} | {all}", "all")
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let each = self.took.as_secs_f64() / f64::from(u32::try_from(self.points.max(1)).unwrap_or(1));
        write!(f, "{:6} | {:7} | {:6} | {each:.2}", self.points, self.met, self.failed)
    }
}
