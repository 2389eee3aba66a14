//! What users do to a site that lives: they limit a run, let go of something, lose the Ledger, and ask what is wrong.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on ends")]

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use harmony_test::SiteProgram;
use serde_json::{Value as Json, json};

const BUCKET: &str = "laptop/nats/bucket/APP/settings";
const CREDENTIALS: &str = "laptop/nats/credentials/APP-app";

/// A site that has been applied once.
fn applied() -> SiteProgram {
    let program = SiteProgram::new(env!("CARGO_BIN_EXE_nats_single_local"));
    program.expect(&["apply", "--yes"], 0);
    program
}

fn file(program: &SiteProgram, name: &str) -> PathBuf {
    program.state().join("laptop/nats/nats-1").join(name)
}

fn server(program: &SiteProgram) -> u32 {
    program.server("nats-1").unwrap()
}

fn port(program: &SiteProgram) -> u16 {
    let config = fs::read_to_string(file(program, "nats.conf")).unwrap();
    config.lines().find_map(|line| line.strip_prefix("port: ")).unwrap().parse().unwrap()
}

fn signal(name: &str, process: u32) {
    assert!(Command::new("kill").args([name, &process.to_string()]).status().unwrap().success());
}

/// What a plan would do to which thing, without proofs.
fn changes(program: &SiteProgram, arguments: &[&str], code: i32) -> Vec<(String, String)> {
    let planned = program.expect(&[arguments, &["--json"]].concat(), code);
    let text = |value: &Json| value.as_str().unwrap().to_owned();
    let events = planned.events().into_iter().filter(|event| event["event"] == "planned_change" && event["action"] != "prove");
    events.map(|event| (text(&event["action"]), text(&event["address"]))).collect()
}

#[test]
fn a_part_of_a_site_is_repaired_and_the_rest_left_as_it_is() {
    let program = applied();
    let (process, ledger) = (server(&program), program.state().join("ledger.json"));
    let credentials = program.state().join("laptop/credentials/nats/APP-app.nk");
    let (seed, recorded) = (fs::read(&credentials).unwrap(), fs::read(&ledger).unwrap());
    fs::remove_file(&credentials).unwrap();
    fs::remove_file(file(&program, "trust.pem")).unwrap();
    let created = |address: &str| ("create".to_owned(), address.to_owned());
    assert_eq!(changes(&program, &["plan", "--target", CREDENTIALS], 0), [created(CREDENTIALS)]);
    let limited = program.expect(&["apply", "--yes", "--target", CREDENTIALS], 0);
    assert!(limited.stdout.contains("left as they are, and not looked at:\n"), "{}", limited.stdout);
    assert_eq!(fs::read(&credentials).unwrap(), seed);
    assert!(!file(&program, "trust.pem").exists(), "nobody asked for it");
    assert_eq!(changes(&program, &["drift"], 3), [created("laptop/nats/nats-1/trust.pem")]);
    let refused = program.expect(&["apply", "--yes", "--target", "laptop/nats/bucket/APP/setings"], 5);
    assert!(refused.stderr.contains(&format!("did you mean `{BUCKET}`?")), "{}", refused.stderr);
    program.expect(&["apply", "--yes"], 0);
    program.expect(&["drift"], 0);
    assert_eq!(server(&program), process);
    let known = |bytes: &[u8]| serde_json::from_slice::<Json>(bytes).unwrap()["entries"].as_array().unwrap().len();
    assert_eq!(known(&fs::read(&ledger).unwrap()), known(&recorded), "what was left is still known");
}

#[test]
fn what_is_forgotten_goes_on_and_is_taken_over_again() {
    let program = applied();
    let process = server(&program);
    let through = program.expect(&["forget", "laptop/nats/nats-1/client-port", "--yes"], 5);
    assert!(through.stderr.contains("is reached through it"), "{}", through.stderr);
    program.expect(&["forget", BUCKET, "--yes"], 0);
    let refused = program.expect(&["apply", "--yes"], 5);
    assert!(refused.stderr.contains(&format!("`--adopt {BUCKET}`")), "it is there, and not ours: {}", refused.stderr);
    let taken = program.expect(&["apply", "--yes", "--json", "--adopt", BUCKET], 0).summary();
    assert_eq!((&taken["create"], &taken["update"], &taken["writes"]), (&json!(0), &json!(0), &json!(0)), "{taken}");
    program.expect(&["drift"], 0);
    assert_eq!(server(&program), process);
    program.expect(&["destroy", "--yes"], 0);
    assert!(program.processes().is_empty() && !program.state().exists());
}

#[test]
fn a_site_without_its_ledger_is_taken_over_as_it_runs() {
    let program = applied();
    let (process, port_before) = (server(&program), port(&program));
    fs::remove_file(program.state().join("ledger.json")).unwrap();
    let planned = program.expect(&["plan"], 5);
    assert!(planned.stderr.contains("`--adopt-all`"), "{}", planned.stderr);
    let destroyed = program.expect(&["destroy", "--yes"], 5);
    assert!(destroyed.stderr.contains("take them over with `apply --adopt-all`"), "{}", destroyed.stderr);
    assert_eq!(server(&program), process, "nothing was touched");
    let taken = program.expect(&["apply", "--yes", "--adopt-all"], 0);
    assert_eq!((server(&program), port(&program)), (process, port_before), "clients notice nothing: {}", taken.output());
    program.expect(&["drift"], 0);
    assert_eq!(program.expect(&["apply", "--yes", "--json"], 0).summary()["writes"], 0);
    program.expect(&["destroy", "--yes"], 0);
    assert!(program.processes().is_empty(), "{:?}", program.processes());
    assert!(!program.state().exists(), "{:?}", program.snapshot().iter().map(|(path, ..)| path).collect::<Vec<_>>());
}

#[test]
fn doctor_names_what_is_wrong_with_a_real_server() {
    let program = SiteProgram::new(env!("CARGO_BIN_EXE_nats_single_local"));
    program.expect(&["doctor"], 0);
    assert!(!program.state().exists(), "looking makes nothing");
    program.expect(&["apply", "--yes"], 0);
    let before = program.snapshot();
    let well = program.expect(&["doctor"], 0);
    for words in ["the server that was started runs", "the port that was chosen is free, or its own server has it"] {
        assert!(well.stdout.contains(words), "{words} in {}", well.stdout);
    }
    let of_the_server = |(path, ..): &(PathBuf, Vec<u8>, std::time::SystemTime)| path.starts_with("laptop/nats/nats-1");
    let ours = |all: Vec<(PathBuf, Vec<u8>, std::time::SystemTime)>| {
        all.into_iter().filter(|one| !of_the_server(one)).collect::<Vec<_>>()
    };
    assert!(ours(before) == ours(program.snapshot()), "looking changes nothing");

    let process = server(&program);
    signal("-STOP", process);
    let stopped = program.expect(&["doctor"], 1);
    assert!(stopped.stdout.contains(&format!("hint: let it go on with `kill -CONT {process}`")), "{}", stopped.stdout);
    signal("-CONT", process);
    signal("-KILL", process);
    let listener = listen(port(&program));
    let dead = program.expect(&["doctor"], 1);
    let address = listener.local_addr().unwrap();
    for words in [
        "it was started and does not run any more".to_owned(),
        "hint: run `apply`, which starts it".to_owned(),
        format!("something else listens on {address}, chosen for client of nats-1"),
    ] {
        assert!(dead.stdout.contains(&words), "{words} in {}", dead.stdout);
    }
    program.expect(&["apply", "--yes"], 0);
    program.expect(&["doctor"], 0);
    assert_ne!(port(&program), address.port(), "whoever listens there was left alone");
}

/// Listens there as soon as the dying server does not any more.
fn listen(port: u16) -> TcpListener {
    let until = Instant::now() + Duration::from_secs(10);
    loop {
        match TcpListener::bind(("127.0.0.1", port)) {
            Ok(listener) => return listener,
            Err(error) => assert!(Instant::now() < until, "{port}: {error}"),
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}
