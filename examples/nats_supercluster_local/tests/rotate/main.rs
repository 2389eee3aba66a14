//! A user's credential is rotated under clients that go on working, while the program that does it is killed at every step.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "the lints' exception for tests does not see the functions that tests share"
)]

mod clients;
mod killed;
#[path = "../world/outside.rs"]
mod outside;

use std::time::{Duration, Instant};

use async_nats::Client;
use clients::{Machine, Reader, Stubborn, Writer};
use harmony_test::SiteProgram;
use killed::{Ended, POINTS, Point, run_until};
use outside::{SERVERS, ask_all, connect};
use serde_json::{Value as Json, json};

/// No client that reads its credential again may be refused for longer.
const LONGEST_GAP: Duration = Duration::from_secs(10);
/// How many kills there are at least; one may come too late, so that the run has passed the next point already.
const AT_LEAST: usize = 9;
const SITES: [&str; 3] = ["east", "north", "west"];
const ROTATE: [&str; 6] = ["run", "rotate", "HARMONY/agent", "--overlap", "2s", "--yes"];
const OLD: &str = "nats/nats/account/harmony/user/agent/nkey";

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_rotation_is_killed_at_every_step_and_nobody_who_reads_again_is_refused_for_long() {
    let program = SiteProgram::new(env!("CARGO_BIN_EXE_nats_supercluster_local"));
    expect(&program, &["apply", "--yes"], 0);
    let old = secret(&program, OLD);
    let operator = connect(&program, SERVERS[0], "SYS", "harmony-operator").await;
    let stubborn = Stubborn::start(&program, &old).await;
    let writers = start(async |site| Writer::start(&program, site).await).await;
    let readers = start(async |site| Reader::start(&program, site).await).await;
    assert_eq!(connected(&operator, &old).await, SERVERS.len() + writers.len() + readers.len());

    let machine = Machine::watch();
    let began = Instant::now();
    let killed = rotate(&program, &old, &stubborn).await;
    let took = began.elapsed();
    for step in ["accept-both", "hand-out", "withdraw", "clear"] {
        assert!(killed.iter().any(|at| at.starts_with(step)), "never killed at {step}: {killed:#?}");
    }
    assert!(killed.len() >= AT_LEAST, "{killed:#?}");

    assert_ne!(secret(&program, OLD), old);
    assert_eq!(clients::seed(&program), secret(&program, OLD), "the file and the secret store hold the same");
    let kept = expect(&program, &["secrets", "list"], 0).stdout;
    assert!(!kept.contains("agent/nkey-"), "{kept}");
    stubborn.is_closed_everywhere().await;
    assert!(!stubborn.refused().is_zero(), "who goes on with the old one is refused, and told so");
    clients::is_refused_everywhere(&program, &old).await;
    assert_eq!(connected(&operator, &old).await, 0, "the servers say that nobody is connected with the old one");
    assert_eq!(expect(&program, &["apply", "--yes", "--json"], 0).summary()["writes"], 0);
    expect(&program, &["verify"], 0);

    let (mut gaps, mut refused) = (Vec::new(), Vec::new());
    for (site, (writer, reader)) in SITES.into_iter().zip(writers.into_iter().zip(readers)) {
        let (written, read) = (writer.stop().await, reader.stop().await);
        println!("{site}: {written}; {read}");
        assert!(written.count > 200 && read.count > 200, "{site}: too little happened to be a test: {written}; {read}");
        assert!(written.connects > 1 && read.connects > 1, "{site}: a client went on with the old credential");
        gaps.extend([written.longest, read.longest]);
        refused.extend([written.refused, read.refused]);
        assert_eq!(written.lost(&program, site).await, 0, "acknowledged writes of {site} are missing");
    }
    let (longest, refused) = (gaps.into_iter().max().unwrap(), refused.into_iter().max().unwrap());
    let stood_still = machine.longest();
    println!("rotated in {took:.1?} with {} kills: {killed:#?}", killed.len());
    println!("longest time without service {longest:.2?}, refused {refused:.2?}; the machine stood still for {stood_still:.2?}");
    assert!(refused <= LONGEST_GAP, "a client that reads its credential again was refused for {refused:?}");
    assert!(longest <= LONGEST_GAP + stood_still, "a client had no service for {longest:?}");
}

async fn start<C>(begin: impl AsyncFn(&'static str) -> C) -> Vec<C> {
    let mut started = Vec::new();
    for site in SITES {
        started.push(begin(site).await);
    }
    started
}

/// Runs it again and again until it ends, killed each time where the next of the points is passed. Where it was killed.
async fn rotate(program: &SiteProgram, old: &str, stubborn: &Stubborn) -> Vec<String> {
    let mut killed = Vec::new();
    let mut next = 0;
    loop {
        match tokio::task::block_in_place(|| run_until(program.command(&[&ROTATE[..], &["--json"]].concat()), &POINTS[next..])) {
            Ended::Itself { code, said } => {
                assert_eq!(code, 0, "{said}");
                return killed;
            }
            Ended::Killed { at } => {
                let point = &POINTS[next + at];
                killed.push(point.to_string());
                next += at + 1;
                in_between(program, old, stubborn, point).await;
            }
        }
    }
}

/// What holds wherever it was killed.
async fn in_between(program: &SiteProgram, old: &str, stubborn: &Stubborn, point: &Point) {
    let stands = underway(program);
    let step = stands["step"].as_str().unwrap_or_default();
    if matches!(step, "accept-both" | "hand-out") {
        assert!(stubborn.is_connected_everywhere(), "the old credential was refused before everybody had the new one");
        clients::is_taken_everywhere(program, old).await;
    }
    if point.then_apply {
        expect(program, &["apply", "--yes"], 0);
        let plan = expect(program, &["plan", "--exit-code"], 0);
        assert!(plan.output().contains("`rotate nats/HARMONY/agent` is under way"), "{}", plan.output());
        assert_eq!(underway(program)["step"], step, "an apply changes nothing of where it stands");
    }
}

/// Where the rotation stands; null if it is not under way.
fn underway(program: &SiteProgram) -> Json {
    let listed = expect(program, &["run", "--json"], 0).events();
    let rotation = listed.iter().find(|event| event["subject"] == "nats/HARMONY/agent").unwrap();
    rotation["underway"].clone()
}

/// How many connections the servers know that were made with this seed.
async fn connected(operator: &Client, seed: &str) -> usize {
    let user = nkeys::KeyPair::from_seed(seed).unwrap().public_key();
    let answers = ask_all(operator, "CONNZ", &json!({ "auth": true, "user": user }), SERVERS.len()).await;
    answers.values().map(|answer| usize::try_from(answer["num_connections"].as_u64().unwrap()).unwrap()).sum()
}

fn secret(program: &SiteProgram, name: &str) -> String {
    expect(program, &["secrets", "get", name, "--reveal"], 0).stdout.trim().to_owned()
}

/// Runs the program to its end, without keeping clients from working meanwhile.
fn expect(program: &SiteProgram, arguments: &[&str], code: i32) -> harmony_test::Finished {
    tokio::task::block_in_place(|| program.expect(arguments, code))
}
