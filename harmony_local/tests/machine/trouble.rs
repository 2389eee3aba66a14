//! A server that does not become ready is stopped, and explained by what it said.

use std::time::{Duration, Instant};

use harmony::Outcome;
use harmony::modules::nats::score::JetstreamScore;

use crate::fixture::{Machine, account, one, wait_until};

/// What a script says when it is asked for its version, before it does something else.
const VERSION: &str = "#!/bin/sh\nif [ \"$1\" = --version ]; then echo 'nats-server: v2.15.1'; exit; fi\n";

fn failure(outcome: &Outcome) -> (String, String) {
    let [failed] = &outcome.failures[..] else { panic!("{outcome:#?}") };
    assert_eq!(failed.address.as_str(), "laptop/nats/nats-1/process");
    (failed.error.clone(), failed.hint.clone().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_ready_in_time_is_stopped_and_explained() {
    let Some(machine) = Machine::new("trouble::not_ready").await else { return };
    let program = machine.script(&format!("{VERSION}echo 'I am tired'\necho $$ > \"$2.pid\"\nexec sleep 600"));
    let scores = one(JetstreamScore::on("nats"), account());
    let begun = Instant::now();
    let topology = machine.topology().with_nats_server(&program).with_ready_within(Duration::from_secs(1));
    let outcome = machine.attempt(topology, &scores).await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(15), "the limit is the given one, not the default: {:?}", begun.elapsed());
    let (error, _) = failure(&outcome);
    assert!(error.contains("failed to run nats-server nats-1"), "{error}");
    assert!(error.contains("it was stopped, because it was not ready in time: waited 1 s for nats-1 to answer"), "{error}");
    assert!(error.contains("its last words:\n  I am tired"), "{error}");
    let server = machine.server("nats-1");
    let process = std::fs::read_to_string(server.file("nats.conf.pid")).unwrap();
    // It is dead; its remains may stay until somebody has asked for its end.
    let remains = std::path::Path::new("/proc").join(process.trim());
    wait_until("no process is left", || async { !remains.exists() }).await;
    std::fs::remove_file(server.file("nats.conf.pid")).unwrap();

    // The next run, with a program that works, needs nothing done by hand.
    machine.apply(machine.topology(), &scores).await;
    assert!(server.process().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_ends_at_once_is_explained_by_what_it_said_this_time() {
    let Some((machine, server)) = Machine::with_one_server("trouble::ends").await else { return };
    let log = std::fs::read_to_string(server.file("nats-server.log")).unwrap();
    assert!(log.contains("Server is ready"), "{log}");
    server.kill().await;
    let program = machine.script(&format!("{VERSION}echo 'the first line'\necho 'no such file: a.conf' >&2\nexit 1"));
    let scores = one(JetstreamScore::on("nats"), account());
    let begun = Instant::now();
    let outcome = machine.attempt(machine.topology().with_nats_server(program), &scores).await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(15), "nobody waits for what is gone");
    let (error, hint) = failure(&outcome);
    assert!(error.contains("last words:\n  the first line\n  no such file: a.conf"), "{error}");
    assert!(!error.contains("Server is ready"), "an earlier start does not explain this one: {error}");
    assert!(hint.contains("output.log"), "{hint}");
    assert_eq!(server.process(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_whose_store_is_damaged_is_explained_in_its_own_words() {
    let Some((machine, server)) = Machine::with_one_server("trouble::store").await else { return };
    server.kill().await;
    let store = server.file("store/jetstream");
    std::fs::remove_dir_all(&store).unwrap();
    std::fs::write(&store, "not a directory").unwrap();
    let outcome = machine.attempt(machine.topology(), &one(JetstreamScore::on("nats"), account())).await.unwrap();
    let (error, hint) = failure(&outcome);
    assert!(error.contains("[FTL]") && error.contains("not a directory"), "{error}");
    assert!(hint.contains("nats-server.log"), "{hint}");
    assert_eq!(server.process(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_stopped_is_named_with_its_process_and_what_to_do() {
    let Some((machine, server)) = Machine::with_one_server("trouble::stopped").await else { return };
    let process = server.process().unwrap();
    let signal = |signal: &str| {
        let done = std::process::Command::new("kill").args([signal, &process.to_string()]).status().unwrap();
        assert!(done.success());
    };
    signal("-STOP");
    let io = harmony_io::Io::real();
    let (id, started) = (harmony_io::ProcessId(process), io.find_process(harmony_io::ProcessId(process)).unwrap().unwrap());
    wait_until("the process is stopped", || async { io.is_stopped(id, started).unwrap() }).await;
    let place = machine.place(machine.topology()).await;
    let scores = one(JetstreamScore::on("nats"), account());
    let error = machine.maestro().plan(&harmony::Inventory::empty(), &place, &scores).await.unwrap_err();
    let harmony::EngineError::Observe { troubles } = &error else { panic!("{error}") };
    let said: Vec<&str> = troubles.iter().map(|trouble| trouble.error.as_str()).collect();
    let says = format!("process {process} is stopped (SIGSTOP): let it go on with `kill -CONT {process}`");
    assert!(said.iter().any(|said| said.contains("nats-1") && said.contains(&says)), "{said:?}");
    signal("-CONT");
    assert_eq!(crate::fixture::changes(&machine.plan(machine.topology(), &scores).await), Vec::<String>::new());
}
