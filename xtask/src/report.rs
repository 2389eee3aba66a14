//! What was run, what was not and why, as a table.

use std::time::Duration;

/// A step or a test that was not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NotRun {
    pub(crate) name: String,
    pub(crate) why: String,
}

/// How a step ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ending {
    Passed,
    Failed,
    NotRun(String),
}

/// One step of the run.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) name: String,
    pub(crate) ending: Ending,
    pub(crate) took: Duration,
}

/// A binary of tests, and how long its tests took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Timed {
    pub(crate) name: String,
    pub(crate) took: Duration,
}

/// So many binaries of tests are told, the slowest first.
const SLOWEST: usize = 10;

/// Everything about one run.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) steps: Vec<Step>,
    pub(crate) tests_not_run: Vec<NotRun>,
    pub(crate) binaries: Vec<Timed>,
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

impl Report {
    /// Everything that was not run and is not among the lines of `allowed`.
    pub(crate) fn not_allowed(&self, allowed: &str) -> Vec<NotRun> {
        let names: Vec<&str> = allowed.lines().map(|line| line.split(" # ").next().unwrap_or_default().trim()).collect();
        let steps = self.steps.iter().filter_map(|step| match &step.ending {
            Ending::NotRun(why) => Some(NotRun { name: step.name.clone(), why: why.clone() }),
            Ending::Passed | Ending::Failed => None,
        });
        steps.chain(self.tests_not_run.iter().cloned()).filter(|missing| !names.contains(&missing.name.as_str())).collect()
    }

    /// Whether no step and no test failed.
    pub(crate) fn is_good(&self) -> bool {
        self.failed == 0 && self.steps.iter().all(|step| step.ending != Ending::Failed)
    }

    /// The table: step or test, how it ended, seconds.
    pub(crate) fn render(&self) -> String {
        let mut rows = vec![["step".to_owned(), "run".to_owned(), "seconds".to_owned()]];
        rows.extend(self.steps.iter().map(|step| {
            let ending = match &step.ending {
                Ending::Passed => "run: passed".to_owned(),
                Ending::Failed => "run: FAILED".to_owned(),
                Ending::NotRun(why) => format!("not run: {why}"),
            };
            [step.name.clone(), ending, format!("{:.1}", step.took.as_secs_f64())]
        }));
        let tests = self.tests_not_run.iter();
        rows.extend(tests.map(|test| [test.name.clone(), format!("not run: {}", test.why), "-".to_owned()]));
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let (first, second) = (width(0), width(1).min(80));
        rows.iter().map(|[name, ending, seconds]| format!("{name:first$} | {ending:second$} | {seconds}\n")).collect()
    }

    /// The binaries whose tests took longest, and what all others took together.
    pub(crate) fn render_slowest(&self) -> String {
        let mut binaries: Vec<&Timed> = self.binaries.iter().collect();
        binaries.sort_by_key(|binary| std::cmp::Reverse(binary.took));
        let others: Duration = binaries.iter().skip(SLOWEST).map(|binary| binary.took).sum();
        let told = binaries.iter().take(SLOWEST).map(|binary| (binary.name.as_str(), binary.took));
        let mut rows: Vec<(&str, Duration)> = told.collect();
        rows.extend((binaries.len() > SLOWEST).then_some(("all others", others)));
        let title = "slowest tests";
        let width = rows.iter().map(|(name, _)| name.chars().count()).chain([title.len()]).max().unwrap_or(0);
        let rows = rows.iter().map(|(name, took)| format!("{name:width$} | {:.1}\n", took.as_secs_f64()));
        [format!("{title:width$} | seconds\n")].into_iter().chain(rows).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        Report {
            steps: vec![
                Step { name: "nats-server".into(), ending: Ending::NotRun("no source".into()), took: Duration::from_millis(90) },
                Step { name: "format".into(), ending: Ending::Passed, took: Duration::from_millis(1234) },
                Step { name: "test".into(), ending: Ending::Failed, took: Duration::from_secs(60) },
            ],
            tests_not_run: vec![NotRun { name: "a::b".into(), why: "needs root".into() }],
            binaries: (1..=12)
                .map(|number| Timed { name: format!("a/tests/t{number}"), took: Duration::from_secs(number) })
                .collect(),
            passed: 3,
            failed: 1,
        }
    }

    #[test]
    fn the_slowest_tests_are_told_and_the_others_summed_up() {
        insta::assert_snapshot!(report().render_slowest(), @r"
        slowest tests | seconds
        a/tests/t12   | 12.0
        a/tests/t11   | 11.0
        a/tests/t10   | 10.0
        a/tests/t9    | 9.0
        a/tests/t8    | 8.0
        a/tests/t7    | 7.0
        a/tests/t6    | 6.0
        a/tests/t5    | 5.0
        a/tests/t4    | 4.0
        a/tests/t3    | 3.0
        all others    | 3.0
        ");
    }

    #[test]
    fn the_table_tells_what_was_run_and_what_not() {
        insta::assert_snapshot!(report().render(), @r"
        step        | run                 | seconds
        nats-server | not run: no source  | 0.1
        format      | run: passed         | 1.2
        test        | run: FAILED         | 60.0
        a::b        | not run: needs root | -
        ");
    }

    #[test]
    fn only_what_is_listed_may_be_left_out() {
        let names = |allowed| -> Vec<String> { report().not_allowed(allowed).into_iter().map(|missing| missing.name).collect() };
        assert_eq!(names("# comment\n"), ["nats-server", "a::b"]);
        assert_eq!(names("a::b # needs root\nnats\n"), ["nats-server"]);
    }

    #[test]
    fn a_failed_step_or_test_is_not_good() {
        let mut report = report();
        assert!(!report.is_good());
        report.failed = 0;
        assert!(!report.is_good(), "a step failed");
        report.steps.pop();
        assert!(report.is_good());
        report.failed = 1;
        assert!(!report.is_good(), "a test failed");
    }
}
