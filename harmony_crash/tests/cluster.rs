//! Objects of every sort on a real API server, killed at points that a seed chooses; `cargo xtask crash --k8s` visits all of them.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test that cannot go on ends")]

use std::sync::Mutex;

use harmony_crash::cluster::Others;
use harmony_crash::{Command, Matrix, Next, PointName, Seed, Table, What};
use harmony_testbed::{ControlPlane, available};

const SEED: u64 = 20_261;
/// So many worlds of each sort side by side. Each waits for the cluster most of the time: for the controller that collects garbage to notice, every
/// 30 s, that there is a new kind.
const SIDE_BY_SIDE: usize = 8;

#[test]
fn a_killed_run_on_a_cluster_needs_nothing_from_anybody() {
    let name = "a_killed_run_on_a_cluster_needs_nothing_from_anybody";
    let Some(plane) = available(name, ControlPlane::start()) else { return };
    let others = Others::on(plane);
    let matrix = Matrix::on_cluster(env!("CARGO_BIN_EXE_crash_cluster"), &others);
    let table = Mutex::new(Table::default());
    let visit = |command: Command, next: Next, count: usize| {
        let changes = matrix.points(command).iter().filter(|point| !point.only_looks()).cloned();
        let (requests, files): (Vec<PointName>, Vec<_>) = changes.partition(|point| point.operation == "Request");
        let points = [Seed(SEED).sample(&requests, count / 2), Seed(SEED).sample(&files, count - count / 2)].concat();
        matrix.visit_at((command, next), &points, What::Die, SIDE_BY_SIDE, |visit| table.lock().unwrap().add(visit));
    };
    std::thread::scope(|scope| {
        scope.spawn(|| visit(Command::Apply, Next::Apply, 8));
        scope.spawn(|| visit(Command::Apply, Next::Destroy, 8));
        scope.spawn(|| visit(Command::Destroy, Next::Destroy, 8));
    });
    let table = table.into_inner().unwrap();
    println!("seed {SEED}\n{table}");
    assert!(!table.failed(), "seed {SEED}\n{table}");
    let (_, met) = table.counts();
    assert!(met >= 20, "seed {SEED}, only {met} kills\n{table}");
    others.expect_untouched();
}
