//! What `cargo test` says, read line by line.

use crate::report::NotRun;

/// Counts of tests, and those that were ignored.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct TestCounts {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) ignored: Vec<NotRun>,
}

impl TestCounts {
    /// Takes in one line of standard output.
    pub(crate) fn read_line(&mut self, line: &str) {
        if let Some(result) = line.strip_prefix("test result: ") {
            self.passed += count_before(result, " passed");
            self.failed += count_before(result, " failed");
        } else if let Some(ignored) = ignored_test(line) {
            self.ignored.push(ignored);
        }
    }
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
        assert_eq!(counts(output), TestCounts { passed: 15, failed: 20, ignored: Vec::new() });
    }

    #[test]
    fn ignored_tests_are_named_with_their_reason() {
        let output = "test a::b ... ok\ntest a::c ... ignored, needs root\ntest src/a.rs - a (line 7) ... ignored\n";
        let ignored: Vec<_> = counts(output).ignored.into_iter().map(|test| format!("{}: {}", test.name, test.why)).collect();
        assert_eq!(ignored, ["a::c: needs root", "src/a.rs - a: ignored without a reason"]);
    }
}
