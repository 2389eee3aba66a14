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
    retries: Vec<String>,
}

/// Of so many visits one may be tried again, because the machine was the reason that it failed; of fewer, one all the same.
const VISITS_FOR_A_RETRY: usize = 100;

#[derive(Debug, Default)]
struct Row {
    points: usize,
    met: usize,
    failed: usize,
    retried: usize,
    took: Duration,
}

impl Table {
    /// Takes in what was seen at one point.
    pub fn add(&mut self, visit: &Visit) {
        let row = self.rows.entry(visit.row.clone()).or_default();
        row.points += 1;
        row.met += usize::from(visit.met.is_some());
        row.failed += usize::from(visit.failure.is_some());
        row.retried += usize::from(visit.retried.is_some());
        row.took += visit.took;
        self.retries.extend(visit.retried.as_ref().map(|why| format!("{}, {}: {why}", visit.row, visit.at)));
        self.failures.extend(visit.failure.as_ref().map(|failure| format!("{}, {}: {failure}", visit.row, visit.at)));
    }

    /// Whether something was not as promised, or so much was tried again that it says nothing any more.
    #[must_use]
    pub fn failed(&self) -> bool {
        !self.failures.is_empty() || self.retries.len() > (self.counts().0 / VISITS_FOR_A_RETRY).max(1)
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
        for retry in &self.retries {
            writeln!(f, "RETRIED {retry}\n")?;
        }
        let width = self.rows.keys().map(String::len).max().unwrap_or(0);
        writeln!(f, "{:width$} | points | reached | failed | retried | seconds each", "at")?;
        let mut all = Row::default();
        for (name, row) in &self.rows {
            writeln!(f, "{name:width$} | {row}")?;
            all.points += row.points;
            all.met += row.met;
            all.failed += row.failed;
            all.retried += row.retried;
            all.took += row.took;
        }
        writeln!(f, "{:width$} | {all}", "all")
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let each = self.took.as_secs_f64() / f64::from(u32::try_from(self.points.max(1)).unwrap_or(1));
        write!(f, "{:6} | {:7} | {:6} | {:7} | {each:.2}", self.points, self.met, self.failed, self.retried)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visit(retried: bool) -> Visit {
        let retried = retried.then(|| "somebody else has taken port 15000".to_owned());
        let (row, at) = ("apply then Apply, before Rename".to_owned(), "before Rename of ~/a (number 1)".to_owned());
        Visit { row, met: Some(at.clone()), at, failure: None, retried, took: Duration::from_millis(500) }
    }

    fn table(visits: usize, retries: usize) -> Table {
        let mut table = Table::default();
        (0..visits).for_each(|number| table.add(&visit(number < retries)));
        table
    }

    #[test]
    fn more_than_one_retry_in_a_hundred_visits_is_a_failure() {
        assert!(!table(10, 1).failed() && table(10, 2).failed());
        assert!(!table(300, 3).failed() && table(300, 4).failed());
    }

    #[test]
    fn every_retry_is_told() {
        insta::assert_snapshot!(table(2, 1), @r"
        RETRIED apply then Apply, before Rename, before Rename of ~/a (number 1): somebody else has taken port 15000

        at                              | points | reached | failed | retried | seconds each
        apply then Apply, before Rename |      2 |       2 |      0 |       1 | 0.50
        all                             |      2 |       2 |      0 |       1 | 0.50
        ");
    }
}
