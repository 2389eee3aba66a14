//! A real site with one server, disturbed at points that a seed chooses; `cargo xtask crash` visits all of them.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test that cannot go on ends")]

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use harmony::topology::{Fetching, Providers, Site, Survey, Topology};
use harmony::{Inventory, Maestro};
use harmony_crash::{Command, ForeignServer, Matrix, Next, PointName, Seed, Table, Trouble, What, one_server};
use harmony_io::Io;
use harmony_local::{LocalFacts, LocalTopology, Program};
use harmony_secret::{MemoryStore, SecretManager};

const BINARY: &str = env!("CARGO_BIN_EXE_crash_one_server");
const SEED: u64 = 20_261;

/// Visits `count` of the points of `command` that fit; every one has to be as promised.
fn visit(matrix: &Matrix, (command, next): (Command, Next), count: usize, what: What, fits: impl Fn(&PointName) -> bool) {
    let fitting: Vec<PointName> = matrix.points(command).iter().filter(|point| fits(point)).cloned().collect();
    let points = Seed(SEED).sample(&fitting, count);
    let table = Mutex::new(Table::default());
    matrix.visit_at((command, next), &points, what, 2, |visit| table.lock().unwrap().add(visit));
    let table = table.into_inner().unwrap();
    let (visited, met) = table.counts();
    println!("{what:?}, seed {SEED}, {} of {} points\n{table}", points.len(), fitting.len());
    assert!(!table.failed(), "seed {SEED}\n{table}");
    assert!(met * 4 >= visited * 3, "only {met} of {visited} points were reached");
}

fn changes(point: &PointName) -> bool {
    !point.only_looks()
}

#[test]
fn a_killed_run_needs_nothing_from_anybody() {
    let mut foreign = ForeignServer::start();
    let alone = Matrix::new(BINARY, 1, &[]);
    visit(&alone, (Command::Apply, Next::Apply), 10, What::Die, changes);
    visit(&alone, (Command::Apply, Next::Destroy), 5, What::Die, changes);
    // The first secret makes a key, a file and two locks, which nobody looks for where nothing came of them.
    let is_first_secret = |point: &PointName| {
        point.nth == 1 && changes(point) && ["identity", "secrets.json"].iter().any(|file| point.target.contains(file))
    };
    visit(&alone, (Command::Apply, Next::Destroy), 5, What::Die, is_first_secret);
    let beside_others = Matrix::new(BINARY, 1, &["notes.txt", "laptop/nats/nats-1/notes.tmp"]);
    visit(&beside_others, (Command::Destroy, Next::Destroy), 8, What::Die, changes);
    foreign.expect_untouched();
}

#[test]
fn a_fault_ends_in_an_error_that_helps_and_the_next_run_needs_nothing() {
    let matrix = Matrix::new(BINARY, 1, &[]);
    for trouble in
        [Trouble::PermissionDenied, Trouble::StorageFull, Trouble::ConnectionReset, Trouble::TimedOut, Trouble::Interrupted]
    {
        visit(&matrix, (Command::Apply, Next::Apply), 3, What::Fail(trouble), |_| true);
    }
    visit(&matrix, (Command::Destroy, Next::Destroy), 4, What::Fail(Trouble::TimedOut), |_| true);
    visit(&matrix, (Command::Apply, Next::Apply), 2, What::Delay(1500), |_| true);
    visit(&matrix, (Command::Apply, Next::Apply), 3, What::NoMoreWrites(Trouble::StorageFull), changes);
    visit(&matrix, (Command::Apply, Next::Apply), 2, What::NoMoreWrites(Trouble::ReadOnlyFilesystem), changes);
    visit(&matrix, (Command::Destroy, Next::Destroy), 2, What::NoMoreWrites(Trouble::ReadOnlyFilesystem), changes);
}

#[test]
fn ctrl_c_finishes_what_is_in_flight_and_twice_stops_and_both_can_be_gone_on_from() {
    let matrix = Matrix::new(BINARY, 1, &[]);
    visit(&matrix, (Command::Apply, Next::Apply), 5, What::Interrupt(1), changes);
    visit(&matrix, (Command::Apply, Next::Apply), 4, What::Interrupt(2), changes);
    visit(&matrix, (Command::Destroy, Next::Destroy), 3, What::Interrupt(1), changes);
    visit(&matrix, (Command::Destroy, Next::Destroy), 3, What::Interrupt(2), changes);
}

#[test]
fn the_site_with_one_server_holds_every_kind_of_resource_that_a_machine_hosts() {
    let secrets = SecretManager::new(vec![Arc::new(MemoryStore::new())]);
    let site = Site::new("/state".into(), secrets, Io::real()).with_fetching(Fetching::Forbidden);
    let facts = LocalFacts { nats_server: Some(Program::Pinned { version: "2.15.1".parse().unwrap() }) };
    let laptop = LocalTopology::new("laptop").with_nats(harmony_nats::client()).with_facts(&site, facts).unwrap();
    let mut providers = Providers::default();
    laptop.register(&mut providers);
    let hosted: BTreeSet<String> = providers.kinds().map(str::to_owned).collect();
    let arrangement = Maestro::arrange(&Inventory::empty(), &laptop, &one_server()).unwrap();
    let held: BTreeSet<String> = arrangement.nodes.values().filter_map(|node| Some(node.resource()?.kind.clone())).collect();
    assert_eq!(held, hosted);
    assert!(hosted.len() > 12, "{hosted:?}");
}
