//! Servers outlive the program, are found again, and are taken away with what is theirs.

use std::fs;

use harmony::EngineError;
use harmony::engine::outcome::Ending;
use harmony::engine::plan::Allowances;
use harmony::modules::nats::score::JetstreamScore;

use crate::fixture::{Machine, account, changes, is_free, one};

#[tokio::test(flavor = "multi_thread")]
async fn a_server_is_found_again_by_a_place_that_knows_nothing_of_the_first_one() {
    let Some((machine, server)) = Machine::with_one_server("life::found_again").await else { return };
    let (process, before) = (server.process().unwrap(), server.state().await);
    let record = server.record();
    assert_eq!(record["process"], process);
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let started = stat.rsplit_once(')').unwrap().1.split_whitespace().nth(19).unwrap().to_owned();
    assert_eq!(record["started"].to_string(), started, "a number alone may be another process's by now");

    let scores = one(JetstreamScore::on("nats"), account());
    let plan = machine.plan(machine.topology(), &scores).await;
    assert!(!plan.is_pending(), "{:?}", changes(&plan));
    assert_eq!(machine.apply(machine.topology(), &scores).await.writes, 0);
    assert_eq!(server.process(), Some(process));
    assert_eq!(server.state().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn destroy_stops_the_server_and_frees_its_ports() {
    let Some((machine, server)) = Machine::with_one_server("life::destroy").await else { return };
    let port = server.port();
    assert!(!is_free(port));
    machine.destroy().await;
    assert_eq!(machine.processes(), [] as [u32; 0]);
    assert!(is_free(port));
    assert!(machine.left().is_empty(), "{:?}", machine.left());
    assert!(!server.directory.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn destroy_leaves_and_names_what_others_put_into_a_directory_of_a_server() {
    let Some((machine, server)) = Machine::with_one_server("life::foreign_file").await else { return };
    let note = server.file("note.txt");
    fs::write(&note, "mine").unwrap();
    machine.said();
    machine.destroy().await;
    assert_eq!(fs::read_to_string(&note).unwrap(), "mine");
    assert_eq!(machine.left(), std::slice::from_ref(&note), "of what was ours nothing is left");
    let remarks: Vec<String> = machine.said().into_iter().filter(|event| event.contains("remark")).collect();
    let named = format!("because something else is in it: `{}`", note.display());
    assert!(remarks.iter().any(|remark| remark.contains(&named)), "{remarks:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn destroy_of_a_server_that_is_down_asks_first_and_leaves_nothing() {
    let Some((machine, server)) = Machine::with_one_server("life::destroy_killed").await else { return };
    server.kill().await;
    let place = machine.place(machine.topology()).await;
    // Whether an account holds something only its server could say.
    let refused = machine.maestro().prepare_destroy(&place).await.unwrap().apply().await;
    let Err(EngineError::Refused { steps }) = refused else { panic!("{refused:?}") };
    let [step] = &steps[..] else { panic!("{steps:#?}") };
    assert_eq!(step.address.as_str(), "laptop/nats/account/APP");
    assert!(server.file("store").exists());

    let losses = [step.address.to_string()].into();
    let maestro = machine.maestro().with_allowances(Allowances { losses, ..Allowances::default() });
    let outcome = maestro.prepare_destroy(&place).await.unwrap().apply().await.unwrap();
    assert_eq!(outcome.ending(), Ending::Changed, "{outcome:#?}");
    assert_eq!(machine.processes(), [] as [u32; 0]);
    assert!(!server.directory.exists());
}
