//! `cargo xtask test`: every check there is, in the order in which a failure is cheapest to find.

use std::fs;
use std::io::{BufRead, BufReader, ErrorKind};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::Context;

use crate::cargo_output::TestCounts;
use crate::nats_server::ensure_nats_server;
use crate::report::{Ending, NotRun, Report, Step};
use crate::testbed::ensure_testbed;

/// The tests are built in a step of their own, so that the next one takes the time of the tests.
const CHECKS: [(&str, &[&str]); 4] = [
    ("format", &["fmt", "--all", "--check"]),
    ("clippy", &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]),
    ("documentation", &["doc", "--workspace", "--no-deps"]),
    ("build of the tests", &["test", "--workspace", "--no-run"]),
];
/// All tests run, also behind the first binary in which one fails.
const TESTS: [&str; 3] = ["test", "--workspace", "--no-fail-fast"];
const ALLOWED: &str = "xtask/allowed-not-run.txt";

/// Runs every check, prints the table, and ends with the line `N passed, N failed`.
///
/// # Errors
/// If cargo cannot be started, or a file of the repository cannot be read.
pub(crate) fn test() -> anyhow::Result<ExitCode> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask has no directory above it")?;
    let mut report = Report::default();
    let server = run_nats_server_step(&mut report)?;
    run_testbed_step(&mut report);
    for (name, arguments) in CHECKS {
        let mut command = cargo(root, arguments);
        command.env("RUSTDOCFLAGS", "-D warnings");
        run_step(&mut report, name, arguments, || Ok(command.status()?.success()))?;
    }
    run_tests(&mut report, root, server.as_deref())?;
    conclude(&report, root)
}

fn run_nats_server_step(report: &mut Report) -> anyhow::Result<Option<PathBuf>> {
    say("nats-server: find it, or install it");
    let started = Instant::now();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("failed to start the runtime")?;
    let (server, ending) = match runtime.block_on(ensure_nats_server()) {
        Ok(path) => (Some(path), Ending::Passed),
        Err(error) => {
            let hint = error.hint();
            let error = anyhow::Error::from(error);
            println!("{error:#}{}", hint.map(|hint| format!("\nhint: {hint}")).unwrap_or_default());
            (None, Ending::NotRun(format!("{error:#}")))
        }
    };
    report.steps.push(Step { name: "nats-server".to_owned(), ending, took: started.elapsed() });
    Ok(server)
}

fn run_testbed_step(report: &mut Report) {
    say("testbed: find what it consists of, or build it");
    let started = Instant::now();
    let ending = match ensure_testbed() {
        Ok(()) => Ending::Passed,
        Err(error) => {
            let hint = error.hint();
            let error = anyhow::Error::from(error);
            println!("{error:#}{}", hint.map(|hint| format!("\nhint: {hint}")).unwrap_or_default());
            Ending::NotRun(format!("{error:#}"))
        }
    };
    report.steps.push(Step { name: "testbed".to_owned(), ending, took: started.elapsed() });
}

fn run_step(
    report: &mut Report,
    name: &str,
    arguments: &[&str],
    run: impl FnOnce() -> anyhow::Result<bool>,
) -> anyhow::Result<()> {
    say(&format!("{name}: cargo {}", arguments.join(" ")));
    let started = Instant::now();
    let passed = run().with_context(|| format!("failed to run the step `{name}`"))?;
    let ending = if passed { Ending::Passed } else { Ending::Failed };
    report.steps.push(Step { name: name.to_owned(), ending, took: started.elapsed() });
    Ok(())
}

fn run_tests(report: &mut Report, root: &Path, server: Option<&Path>) -> anyhow::Result<()> {
    let not_run = root.join("target").join("harmony-not-run.txt");
    remove(&not_run)?;
    let mut command = cargo(root, &TESTS);
    command.env("HARMONY_NOT_RUN_FILE", &not_run);
    if let Some(server) = server {
        command.env("HARMONY_NATS_SERVER", server);
    }
    let mut counts = TestCounts::default();
    run_step(report, "test", &TESTS, || count_tests(command, &mut counts))?;
    report.passed = counts.passed;
    report.failed = counts.failed;
    report.binaries = counts.binaries;
    report.tests_not_run = counts.ignored;
    report.tests_not_run.extend(reported_as_not_run(&not_run)?);
    Ok(())
}

/// Runs the tests, passes their output on as it comes, and reads it. What cargo says goes through the same pipe as what the tests say: which binary runs stands between
/// their results.
fn count_tests(mut command: Command, counts: &mut TestCounts) -> anyhow::Result<bool> {
    let (output, input) = std::io::pipe()?;
    let mut child = command.stdout(input.try_clone()?).stderr(input).spawn()?;
    // It holds the pipe open.
    drop(command);
    for line in BufReader::new(output).split(b'\n') {
        let line = line?;
        let line = String::from_utf8_lossy(&line);
        println!("{line}");
        counts.read_line(&line);
    }
    Ok(child.wait()?.success())
}

/// The lines that `harmony_test::not_run` wrote.
fn reported_as_not_run(path: &Path) -> anyhow::Result<Vec<NotRun>> {
    let text = match fs::read_to_string(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
        text => text.with_context(|| format!("failed to read `{}`", path.display()))?,
    };
    let lines = text.lines().filter_map(|line| line.strip_prefix("harmony-not-run: ")?.split_once(": "));
    Ok(lines.map(|(name, why)| NotRun { name: name.to_owned(), why: why.to_owned() }).collect())
}

fn conclude(report: &Report, root: &Path) -> anyhow::Result<ExitCode> {
    let allowed = fs::read_to_string(root.join(ALLOWED)).with_context(|| format!("failed to read `{ALLOWED}`"))?;
    let not_allowed = report.not_allowed(&allowed);
    println!("\n{}\n{}", report.render(), report.render_slowest());
    for NotRun { name, .. } in &not_allowed {
        println!("`{name}` was not run, and `{ALLOWED}` does not allow that");
    }
    println!("{} passed, {} failed", report.passed, report.failed);
    Ok(if report.is_good() && not_allowed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn cargo(root: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("cargo");
    command.current_dir(root).args(arguments);
    command
}

fn say(step: &str) {
    println!("\n== {step}");
}

fn remove(path: &Path) -> anyhow::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("failed to remove `{}`", path.display()))
        }
        _ => Ok(()),
    }
}
