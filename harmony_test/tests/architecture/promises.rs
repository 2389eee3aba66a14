//! What is promised names tests that exist.

use crate::repository::{TextFile, Violation, assert_kept, tracked_files};

/// Each promise with its tests.
const PAGE: &str = "docs/reference/promises.md";
/// The shorter list, in the section of this heading.
const SHORT_LIST: (&str, &str) = ("ARCHITECTURE.md", "## What is promised, and by which test");

#[test]
fn every_test_that_a_promise_names_exists() {
    let violations = promise_violations(&tracked_files());
    assert_kept(&violations, "Name the test that fails without it; if a test was renamed or moved, so must it be here.");
}

fn promise_violations(files: &[TextFile]) -> Vec<Violation> {
    let mut violations = Vec::new();
    for page in files.iter().filter(|file| [PAGE, SHORT_LIST.0].contains(&file.path.as_str())) {
        let mut is_in_list = page.path == PAGE;
        for (index, line) in page.text.lines().enumerate() {
            if page.path == SHORT_LIST.0 && line.starts_with("## ") {
                is_in_list = line == SHORT_LIST.1;
            }
            let is_row = line.starts_with("| ") && line != "| promise | tests |" && line != "| promise | test |";
            if is_in_list && is_row {
                violations.extend(broken(page, index + 1, line, files));
            }
        }
    }
    violations
}

/// What a row names that is not there: a path, or in a file that it names before, a function.
fn broken(page: &TextFile, number: usize, row: &str, files: &[TextFile]) -> Vec<Violation> {
    let (mut violations, mut file, mut tests) = (Vec::new(), None, 0);
    for name in row.rsplit('|').nth(1).unwrap_or_default().split('`').skip(1).step_by(2) {
        if name.contains('/') && !name.contains(' ') {
            file = files.iter().find(|file| file.path == name);
            let is_directory = || files.iter().any(|file| file.path.starts_with(&format!("{}/", name.trim_end_matches('/'))));
            if file.is_none() && !is_directory() {
                violations.push(page.violation(number, format!("there is no `{name}`")));
            }
            tests += usize::from(page.path != PAGE);
        } else if let Some(file) = file.filter(|_| is_function(name)) {
            tests += 1;
            if !file.text.contains(&format!("fn {name}(")) {
                violations.push(page.violation(number, format!("`{}` has no `{name}`", file.path)));
            }
        }
    }
    if tests == 0 && violations.is_empty() {
        violations.push(page.violation(number, "no test is named"));
    }
    violations
}

fn is_function(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

mod finds {
    use super::*;

    #[test]
    fn promises_without_a_test() {
        let rows = "| promise | tests |\n|---|---|\n| kept | `a/tests/b.rs`: `it_holds`, `it_is_gone` |\n| other | `a/tests/c.rs`: `it_holds` |\n| bare | by eye |\n";
        let short =
            "## Rings\n| x | `nowhere/x.rs` |\n## What is promised, and by which test\n| y | `a/tests` |\n| z | `a/nothing` |\n";
        let files = [
            TextFile::new(PAGE, rows),
            TextFile::new(SHORT_LIST.0, short),
            TextFile::new("a/tests/b.rs", "#[test]\nfn it_holds() {}\n"),
        ];
        let found: Vec<String> = promise_violations(&files).iter().map(Violation::to_string).collect();
        assert_eq!(
            found,
            [
                "docs/reference/promises.md:3: `a/tests/b.rs` has no `it_is_gone`",
                "docs/reference/promises.md:4: there is no `a/tests/c.rs`",
                "docs/reference/promises.md:5: no test is named",
                "ARCHITECTURE.md:5: there is no `a/nothing`",
            ]
        );
    }
}
