//! What `doctor` finds.

use std::os::unix::fs::PermissionsExt;
use std::{fs, process};

use harmony_cli::Exit;
use harmony_io::{Io, Mode};

use crate::place::shelf;
use crate::program::{Program, Said};

/// What is said of one of the things that are looked at.
fn about<'a>(said: &'a Said, what: &str) -> &'a str {
    let line = said.output.lines().find(|line| line.trim_start_matches(['✓', '?', '!', ' ']).starts_with(what));
    assert!(line.is_some(), "nothing about {what}: {}", said.output);
    line.unwrap_or_default()
}

#[tokio::test]
async fn a_program_that_has_never_run_is_well_and_nothing_is_made_by_looking() {
    let program = Program::new();
    let said = program.run("doctor", &[]).await;
    assert_eq!((said.exit, said.messages.as_str()), (Exit::Done, ""), "{}", said.output);
    assert!(about(&said, "state directory").ends_with("is not there yet: the first run makes it"));
    assert!(said.output.ends_with("All is well: 8 checks passed.\n"), "{}", said.output);
    assert_eq!(fs::read_dir(program.state.path()).unwrap().count(), 0);
    let said = program.run("doctor --json", &[]).await;
    assert!(said.events().iter().any(|event| event["event"] == "check" && event["verdict"] == "good"));
}

#[tokio::test]
async fn each_trouble_is_told_with_what_to_do() {
    let mut program = Program::new();
    program.input = "hunter2".to_owned();
    program.run("secrets set token", &[]).await;
    program.run("apply --yes", &[shelf("low", 1)]).await;
    let state = program.state.path().join("site");
    assert_eq!(program.run("doctor", &[]).await.exit, Exit::Done);

    fs::set_permissions(&state, fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(state.join("ledger.journal"), "").unwrap();
    // No process has a number this high: Linux stops at 2^22.
    fs::write(state.join("ledger.json.4194999-1.tmp"), "half").unwrap();
    let doubtful = program.run("doctor", &[]).await;
    assert_eq!(doubtful.exit, Exit::Done, "{}", doubtful.output);
    assert!(about(&doubtful, "state directory").contains("others can look into"), "{}", doubtful.output);
    assert!(about(&doubtful, "journal").starts_with("?  journal"), "{}", doubtful.output);
    assert!(about(&doubtful, "unfinished files").contains("it left 1 file"), "{}", doubtful.output);
    assert!(doubtful.output.ends_with("checks: nothing is wrong, 3 doubtful.\n"), "{}", doubtful.output);

    fs::write(state.join("ledger.json"), r#"{"format": 99}"#).unwrap();
    fs::write(state.join("secrets.json"), "not ours").unwrap();
    let wrong = program.run("doctor", &[]).await;
    assert_eq!(wrong.exit, Exit::Failed);
    assert!(about(&wrong, "Ledger").contains("has format 99, this program reads up to"), "{}", wrong.output);
    assert!(about(&wrong, "secrets").contains("is not a file of encrypted secrets"), "{}", wrong.output);
    assert!(wrong.output.contains("hint: restore it from version control"), "{}", wrong.output);
    assert!(wrong.output.ends_with("checks: 2 wrong, 3 doubtful.\n"), "{}", wrong.output);
    assert_eq!(program.run("doctor --json", &[]).await.summary()["outcome"], "failed");
}

#[tokio::test]
async fn who_holds_the_lock_is_told_and_a_stopped_holder_is_wrong() {
    let program = Program::new();
    let state = program.state.path().join("site");
    let io = Io::real();
    io.ensure_directory(&state, Mode::Private).unwrap();
    let lock = io.lock(&state.join("lock"), "another program").unwrap();
    let said = program.run("doctor", &[]).await;
    assert_eq!(said.exit, Exit::Done);
    assert!(about(&said, "lock").contains("held by another program"), "{}", said.output);
    drop(lock);
    assert!(about(&program.run("doctor", &[]).await, "lock").ends_with("free"));

    let holder = ["--exact", "doctor::a_process_that_holds_a_lock_and_stops"];
    let test = std::env::current_exe().unwrap();
    let mut stopped = process::Command::new(test).args(holder).env(LOCK_TO_HOLD, state.join("lock")).spawn().unwrap();
    let id = harmony_io::ProcessId(stopped.id());
    while !io.find_process(id).unwrap().is_some_and(|started| io.is_stopped(id, started).unwrap()) {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let said = program.run("doctor", &[]).await;
    stopped.kill().unwrap();
    stopped.wait().unwrap();
    assert_eq!(said.exit, Exit::Failed, "{}", said.output);
    assert!(about(&said, "lock").contains("that process is stopped (SIGSTOP)"), "{}", said.output);
    assert!(said.output.contains(&format!("kill -CONT {id}")), "{}", said.output);
}

/// Names the lock for the process that is to hold it.
const LOCK_TO_HOLD: &str = "HARMONY_TEST_LOCK_TO_HOLD";

/// Nothing unless the test above starts it.
#[test]
fn a_process_that_holds_a_lock_and_stops() {
    if let Some(path) = std::env::var_os(LOCK_TO_HOLD) {
        let io = Io::real();
        let (process, started) = io.own_process().unwrap();
        let words = format!(
            r#"{{"program":"site","process":{process},"started":{},"host":"here","user":"me","since":1,"fence":1}}"#,
            started.0
        );
        let _lock = io.lock(path.as_ref(), &words).unwrap();
        process::Command::new("kill").args(["-STOP", &process::id().to_string()]).status().unwrap();
        // The signal may come a moment later than the end of whoever sent it.
        std::thread::sleep(std::time::Duration::from_secs(60));
    }
}

#[tokio::test]
async fn a_state_directory_that_is_none_is_wrong() {
    let program = Program::new();
    fs::write(program.state.path().join("site"), "").unwrap();
    let said = program.run("doctor", &[]).await;
    assert_eq!(said.exit, Exit::Failed);
    assert!(about(&said, "state directory").contains("is not a directory"), "{}", said.output);
}
