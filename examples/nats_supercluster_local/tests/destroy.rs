//! `destroy` takes away what was made and nothing else, and refuses while something would be lost.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on ends")]

#[path = "world/outside.rs"]
mod outside;

use std::fs;
use std::net::TcpListener;

use async_nats::jetstream;
use harmony_test::{Finished, SiteProgram};
use outside::{SERVERS, called, connect, file};
use serde_json::{Value as Json, json};

const BUCKET: &str = "laptop/nats/bucket/HARMONY/HARMONY";
const ACCOUNT: &str = "laptop/nats/account/HARMONY";

/// Nine servers at a time are enough for a small machine.
#[tokio::test(flavor = "multi_thread")]
async fn destroy_takes_away_what_was_made_and_nothing_else() {
    nothing_is_left_but_what_others_made().await;
    nothing_at_all_is_left_where_nothing_is_in_the_way();
}

async fn nothing_is_left_but_what_others_made() {
    let program = SiteProgram::new(env!("CARGO_BIN_EXE_nats_supercluster_local"));
    program.expect(&["apply", "--yes"], 0);
    let ports = ports(&program);
    assert_eq!(ports.len(), 3 * SERVERS.len());
    assert!(!ports.iter().any(|port| is_free(*port)), "{ports:?}");
    let agent = connect(&program, "nats-north-1", "HARMONY", "agent").await;
    let bucket = jetstream::new(agent).get_key_value("HARMONY").await.unwrap();
    for key in ["one", "two", "three"] {
        bucket.put(key, "value".into()).await.unwrap();
    }

    // Messages block.
    let refused = refused(&program, &[]);
    assert!(refused.output().contains("3 messages"), "{}", refused.output());
    assert!(refused.output().contains(&format!("--allow-loss {BUCKET}")), "{}", refused.output());
    assert!(!refused.output().contains(&format!("--allow-loss {ACCOUNT}")), "{}", refused.output());

    // A stream that somebody else made in the account blocks too, whatever is said of the bucket.
    let provisioner = connect(&program, "nats-north-1", "HARMONY", "harmony-provisioner").await;
    called(&provisioner, "STREAM.CREATE.BY_HAND", &json!({ "name": "BY_HAND", "subjects": ["by.hand"] })).await;
    let refused = self::refused(&program, &[BUCKET]);
    assert!(refused.output().contains("stream BY_HAND (0 messages)"), "{}", refused.output());
    assert!(refused.output().contains(&format!("--allow-loss {ACCOUNT}")), "{}", refused.output());
    assert_eq!(streams(&called(&provisioner, "STREAM.NAMES", &Json::Null).await), ["BY_HAND", "KV_HARMONY", "KV_HARMONY_PROOF"]);

    // A file that somebody else put beside a server's stays, and the directories that it is in.
    let foreign = file(&program, "nats-east-1", "notes.txt");
    fs::write(&foreign, "mine").unwrap();
    let done = program.expect(&["destroy", "--yes", "--allow-loss", BUCKET, "--allow-loss", ACCOUNT], 0);
    assert!(done.output().contains("notes.txt"), "what stays is named: {}", done.output());
    assert_eq!(fs::read_to_string(&foreign).unwrap(), "mine");
    let left: Vec<_> = program.snapshot().into_iter().map(|(path, ..)| path).collect();
    assert_eq!(left, [foreign.strip_prefix(program.state()).unwrap()]);
    nothing_runs(&program, &ports);
    let secrets = program.expect(&["secrets", "list"], 0).stdout;
    assert_eq!(secrets.trim(), "", "no secret is kept");
}

fn nothing_at_all_is_left_where_nothing_is_in_the_way() {
    let program = SiteProgram::new(env!("CARGO_BIN_EXE_nats_supercluster_local"));
    program.expect(&["apply", "--yes"], 0);
    let ports = ports(&program);
    let done = program.expect(&["destroy", "--yes", "--json"], 0).summary();
    assert_eq!(done["outcome"], "changed", "{done}");
    assert!(!program.state().exists(), "{:?}", program.snapshot().iter().map(|(path, ..)| path).collect::<Vec<_>>());
    nothing_runs(&program, &ports);
    let again = program.expect(&["destroy", "--yes", "--json"], 0).summary();
    assert_eq!((&again["outcome"], &again["writes"]), (&json!("converged"), &json!(0)), "{again}");
    assert!(!program.state().exists(), "nothing to do leaves nothing");
}

/// `destroy` with these losses allowed, which is refused before anything is changed.
fn refused(program: &SiteProgram, losses: &[&str]) -> Finished {
    let allowed = losses.iter().flat_map(|address| ["--allow-loss", address]);
    let arguments: Vec<&str> = ["destroy", "--yes"].into_iter().chain(allowed).collect();
    let running = program.processes();
    let refused = program.expect(&arguments, 5);
    assert_eq!(running, program.processes());
    program.expect(&["drift"], 0);
    refused
}

/// Every port that a server listens on, as the configurations say.
fn ports(program: &SiteProgram) -> Vec<u16> {
    let configs = SERVERS.iter().map(|server| fs::read_to_string(file(program, server, "nats.conf")).unwrap());
    let of = |config: String| {
        let lines = config.lines().filter_map(|line| line.trim().strip_prefix("port: ")?.parse().ok());
        lines.collect::<Vec<u16>>()
    };
    configs.flat_map(of).collect()
}

fn is_free(port: u16) -> bool {
    TcpListener::bind(("127.0.0.1", port)).is_ok()
}

fn nothing_runs(program: &SiteProgram, ports: &[u16]) {
    assert_eq!(program.processes(), []);
    let taken: Vec<_> = ports.iter().filter(|port| !is_free(**port)).collect();
    assert!(taken.is_empty(), "still taken: {taken:?}");
}

fn streams(names: &Json) -> Vec<&str> {
    let mut names: Vec<&str> = names["streams"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    names.sort_unstable();
    names
}
