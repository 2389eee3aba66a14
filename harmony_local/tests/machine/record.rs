//! The record of a process is only a hint: what it says wrongly is shown, and written anew.

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use harmony::EngineError;
use harmony::modules::nats::score::JetstreamScore;
use serde_json::json;

use crate::fixture::{Machine, account, changes, one};

#[tokio::test(flavor = "multi_thread")]
async fn a_record_of_another_process_is_shown_and_repaired_without_a_restart() {
    let Some((machine, server)) = Machine::with_one_server("record::another").await else { return };
    let scores = one(JetstreamScore::on("nats"), account());
    let (process, before, record) = (server.process().unwrap(), server.state().await, server.record());
    let mut other = Command::new("sleep").arg("600").spawn().unwrap();
    let mut wrong = record.clone();
    wrong["process"] = json!(other.id());
    fs::write(server.file("process.json"), wrong.to_string()).unwrap();
    let plan = machine.plan(machine.topology(), &scores).await;
    assert_eq!(changes(&plan), ["update laptop/nats/nats-1/process /record"]);
    machine.apply(machine.topology(), &scores).await;
    assert_eq!(server.record(), record);
    assert_eq!((server.process(), server.state().await), (Some(process), before));
    assert!(other.try_wait().unwrap().is_none(), "the other process was left alone");
    other.kill().unwrap();
    other.wait().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_or_damaged_record_is_made_again_without_a_restart() {
    let Some((machine, server)) = Machine::with_one_server("record::lost").await else { return };
    let scores = one(JetstreamScore::on("nats"), account());
    let (process, record) = (server.process().unwrap(), server.record());
    for damage in [None, Some("{\"process\": 1, ")] {
        match damage {
            None => fs::remove_file(server.file("process.json")).unwrap(),
            Some(text) => fs::write(server.file("process.json"), text).unwrap(),
        }
        assert!(machine.plan(machine.topology(), &scores).await.is_pending());
        machine.apply(machine.topology(), &scores).await;
        assert_eq!((server.process(), server.record()), (Some(process), record.clone()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_that_could_be_the_server_are_named_and_nothing_is_done() {
    let Some((machine, server)) = Machine::with_one_server("record::two").await else { return };
    let scores = one(JetstreamScore::on("nats"), account());
    let process = server.process().unwrap();
    // Another program with the same arguments, which waits for a full pipe to be read.
    let (unread, mut full) = std::io::pipe().unwrap();
    full.write_all(&[b' '; 64 * 1024]).unwrap();
    let mut other = Command::new("od");
    let mut other = other.arg("-c").arg(server.file("nats.conf")).stdin(Stdio::null()).stdout(full).spawn().unwrap();
    fs::remove_file(server.file("process.json")).unwrap();
    let refused = machine.attempt(machine.topology(), &scores).await;
    other.kill().unwrap();
    other.wait().unwrap();
    drop(unread);
    let Err(EngineError::Observe { troubles }) = refused else { panic!("{refused:?}") };
    let mut both = [process, other.id()];
    both.sort_unstable();
    let told = format!("2 processes run as nats-1: {}, {}", both[0], both[1]);
    assert!(troubles.iter().any(|trouble| trouble.error.contains(&told)), "{told}\n{troubles:#?}");
    assert!(troubles.iter().any(|trouble| trouble.hint.as_deref() == Some("stop all but one of them")), "{troubles:#?}");
    assert_eq!(server.process(), Some(process), "neither was stopped");
    machine.apply(machine.topology(), &scores).await;
    assert_eq!(server.process(), Some(process));
}
