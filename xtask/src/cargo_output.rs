//! What `cargo test` says, read line by line.

use std::time::Duration;

use crate::report::{NotRun, Timed};

/// Counts of tests, those that were ignored, and how long each binary of tests took.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct TestCounts {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) ignored: Vec<NotRun>,
    pub(crate) binaries: Vec<Timed>,
    /// The crate whose tests run, and which of them.
    running: (String, String),
}

impl TestCounts {
    /// Takes in one line of what cargo and the tests print, in the order in which they print it.
    pub(crate) fn read_line(&mut self, line: &str) {
        if let Some(result) = line.strip_prefix("test result: ") {
            self.passed += count_before(result, " passed");
            self.failed += count_before(result, " failed");
            let name = self.running.1.clone();
            self.binaries.extend(seconds_after(result, "finished in ").map(|took| Timed { name, took }));
        } else if let Some(ignored) = ignored_test(line) {
            self.ignored.push(ignored);
        } else if let Some(running) = line.trim_start().strip_prefix("Running ") {
            self.begin(running);
        } else if let Some(name) = line.trim_start().strip_prefix("Doc-tests ") {
            self.running.1 = format!("{name}, documentation");
        }
    }

    /// `unittests src/lib.rs (target/debug/deps/harmony-…)`, behind which come `tests/engine/main.rs (target/debug/deps/engine-…)` and the
    /// like of the same crate.
    fn begin(&mut self, running: &str) {
        let Some((source, file)) = running.split_once(" (") else { return };
        let file = file.rsplit('/').next().unwrap_or_default();
        let stem = file.rsplit_once('-').map_or(file, |(stem, _)| stem);
        match source.strip_prefix("unittests ") {
            Some("src/lib.rs" | "src/main.rs") => self.running = (stem.to_owned(), format!("{stem}, units")),
            Some(_) => self.running.1 = format!("{}, units of {stem}", self.running.0),
            None => self.running.1 = format!("{}/tests/{stem}", self.running.0),
        }
    }
}

/// The time behind `words`, as in `finished in 0.07s`.
fn seconds_after(result: &str, words: &str) -> Option<Duration> {
    let (seconds, _) = result.split_once(words)?.1.split_once('s')?;
    Duration::try_from_secs_f64(seconds.parse().ok()?).ok()
}

/// The number in front of `word`, as in `ok. 12 passed; 0 failed; …`.
fn count_before(result: &str, word: &str) -> u64 {
    let before = result.split(word).next().unwrap_or_default();
    let digits = before.rsplit(|character: char| !character.is_ascii_digit()).next().unwrap_or_default();
    digits.parse().unwrap_or(0)
}

/// `test NAME ... ignored` or `test NAME ... ignored, WHY`.
fn ignored_test(line: &str) -> Option<NotRun> {
    let (name, result) = line.strip_prefix("test ")?.rsplit_once(" ... ")?;
    let why = result.strip_prefix("ignored")?.trim_start_matches(", ");
    let why = if why.is_empty() { "ignored without a reason" } else { why };
    // The line of a documentation test changes with every edit above it.
    let name = name.split(" (line ").next().unwrap_or(name);
    Some(NotRun { name: name.to_owned(), why: why.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(output: &str) -> TestCounts {
        let mut counts = TestCounts::default();
        output.lines().for_each(|line| counts.read_line(line));
        counts
    }

    #[test]
    fn results_of_all_binaries_are_summed() {
        let output = "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.07s\n\
                      test result: FAILED. 3 passed; 20 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.07s\n";
        let TestCounts { passed, failed, ignored, .. } = counts(output);
        assert_eq!((passed, failed, ignored), (15, 20, Vec::new()));
    }

    #[test]
    fn each_binary_is_named_with_its_crate_and_its_time() {
        let result = "test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.25s";
        let output = [
            "     Running unittests src/lib.rs (target/debug/deps/harmony_crash-0a1b)",
            "     Running unittests src/bin/crash_matrix.rs (target/debug/deps/crash_matrix-0a1b)",
            "     Running tests/main_job.rs (target/debug/deps/main_job-0a1b)",
            "     Running unittests src/main.rs (/elsewhere/deps/xtask-0a1b)",
            "   Doc-tests harmony",
        ];
        let binaries = counts(&output.map(|line| format!("{line}\n{result}\n")).concat()).binaries;
        assert!(binaries.iter().all(|binary| binary.took == Duration::from_millis(250)), "{binaries:?}");
        let names: Vec<_> = binaries.into_iter().map(|binary| binary.name).collect();
        assert_eq!(
            names,
            [
                "harmony_crash, units",
                "harmony_crash, units of crash_matrix",
                "harmony_crash/tests/main_job",
                "xtask, units",
                "harmony, documentation"
            ]
        );
    }

    #[test]
    fn ignored_tests_are_named_with_their_reason() {
        let output = "test a::b ... ok\ntest a::c ... ignored, needs root\ntest src/a.rs - a (line 7) ... ignored\n";
        let ignored: Vec<_> = counts(output).ignored.into_iter().map(|test| format!("{}: {}", test.name, test.why)).collect();
        assert_eq!(ignored, ["a::c: needs root", "src/a.rs - a: ignored without a reason"]);
    }
}
