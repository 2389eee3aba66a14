//! How a test says that it could not run here.

use std::fs::OpenOptions;
use std::io::Write;

/// Says that the test called `test` could not run here, and why; the test then returns.
///
/// The sentence goes to standard error and, as one line, to the end of the file that `HARMONY_NOT_RUN_FILE` names: `cargo xtask test` reads it
/// there, for standard error belongs to the test harness. A test that cannot run and is not on the list of those that may is a failure.
#[allow(clippy::print_stderr, reason = "a test reports to whoever runs it")]
pub fn not_run(test: &str, why: &str) {
    let line = format!("harmony-not-run: {test}: {}\n", why.replace('\n', " "));
    eprint!("{line}");
    if let Some(path) = std::env::var_os("HARMONY_NOT_RUN_FILE") {
        let written =
            OpenOptions::new().append(true).create(true).open(path).and_then(|mut file| file.write_all(line.as_bytes()));
        if let Err(error) = written {
            eprintln!("failed to report that `{test}` was not run: {error}");
        }
    }
}
