//! What was measured, and the goals.

use std::collections::BTreeMap;
use std::fmt::Write;

/// A first apply reaches at least this part of the rate of a loop that only sends.
const OF_THE_LOOP: f64 = 0.8;
/// From so many objects on: with fewer, what a program does once counts most.
const MANY: usize = 1000;
/// A first apply is so many times as fast as kubectl's, by objects.
const OF_KUBECTL: [(usize, f64); 2] = [(1000, 2.5), (5000, 2.0)];
const MOST_EXPONENT: f64 = 1.1;

/// What one process did.
pub(crate) struct Measured {
    /// From its start to its end.
    pub(crate) seconds: f64,
    /// Without what a process needs to start.
    pub(crate) inner: f64,
    pub(crate) peak_mb: f64,
    /// By verb.
    pub(crate) requests: BTreeMap<String, usize>,
}

/// By size and row.
#[derive(Default)]
pub(crate) struct Table(BTreeMap<(usize, String), Vec<Measured>>);

impl Table {
    pub(crate) fn add(&mut self, size: usize, row: &str, measured: Measured) {
        self.0.entry((size, row.to_owned())).or_default().push(measured);
    }

    fn median(&self, size: usize, row: &str, of: impl Fn(&Measured) -> f64) -> Option<f64> {
        let mut values: Vec<f64> = self.0.get(&(size, row.to_owned()))?.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied()
    }

    fn seconds(&self, size: usize, row: &str) -> Option<f64> {
        self.median(size, row, |measured| measured.seconds)
    }

    /// The rows of one size, with the ratios to a first apply.
    pub(crate) fn of_size(&self, size: usize) -> String {
        let mut text = format!("{size:>5} objects  | seconds | spread      | of first apply | MB peak | requests\n");
        let apply = self.seconds(size, "first apply").unwrap_or(f64::NAN);
        for ((_, row), measured) in self.0.iter().filter(|((of, _), _)| *of == size) {
            let seconds = self.seconds(size, row).unwrap_or(f64::NAN);
            let least = measured.iter().map(|one| one.seconds).fold(f64::MAX, f64::min);
            let most = measured.iter().map(|one| one.seconds).fold(0.0, f64::max);
            let memory = self.median(size, row, |measured| measured.peak_mb).unwrap_or(f64::NAN);
            let requests =
                measured.last().map(|one| one.requests.iter().map(|(verb, count)| format!("{count} {verb}")).collect::<Vec<_>>());
            let requests = requests.unwrap_or_default().join(", ");
            let ratio = seconds / apply;
            let _ = writeln!(
                text,
                "{row:<14} | {seconds:>7.3} | {least:>5.2}-{most:<5.2} | {ratio:>14.2} | {memory:>7.1} | {requests}"
            );
        }
        text
    }

    /// The goals that were not reached, with the numbers.
    pub(crate) fn missed(&self) -> Vec<String> {
        let mut missed = Vec::new();
        let mut hold = |what: String, is: Option<f64>, good: fn(f64, f64) -> bool, goal: f64| {
            missed.extend(is.filter(|is| !good(*is, goal)).map(|is| format!("{what} is {is:.2}, and should be {goal}")));
        };
        let sizes: Vec<usize> = self.0.keys().map(|(size, _)| *size).collect();
        for size in sizes.into_iter().filter(|size| *size >= MANY).collect::<std::collections::BTreeSet<_>>() {
            hold(format!("the rate of the loop at {size}"), self.ratio(size, "raw loop"), |is, goal| is >= goal, OF_THE_LOOP);
        }
        for (size, goal) in OF_KUBECTL {
            hold(format!("the rate of kubectl at {size}"), self.ratio(size, "kubectl apply"), |is, goal| is >= goal, goal);
        }
        for row in ["first plan", "no-op plan", "no-op apply"] {
            hold(format!("the exponent of {row}"), self.exponent(row), |is, goal| is <= goal, MOST_EXPONENT);
        }
        missed
    }

    /// The time of a row to that of a first apply: how many times as fast that is.
    fn ratio(&self, size: usize, row: &str) -> Option<f64> {
        Some(self.seconds(size, row)? / self.seconds(size, "first apply")?)
    }

    fn exponent(&self, row: &str) -> Option<f64> {
        let inner = |size| self.median(size, row, |measured| measured.inner);
        Some((inner(5000)? / inner(1000)?).ln() / 5_f64.ln())
    }
}
