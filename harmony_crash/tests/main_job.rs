//! The real supercluster of nine servers, killed at points that a seed chooses; `cargo xtask crash --main-job` seeks all of them.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test that cannot go on ends")]

use harmony_crash::{Command, Matrix, PointName, Seed, Table};

const SEED: u64 = 20_261;

#[test]
fn the_main_job_is_completed_and_taken_away_however_often_it_is_killed() {
    let matrix = Matrix::new(env!("CARGO_BIN_EXE_crash_main_job"), 9, &["laptop/nats/notes.txt"]);
    let mut table = Table::default();
    for (command, enough) in [(Command::Apply, 12), (Command::Destroy, 8)] {
        let changes: Vec<PointName> = matrix.points(command).iter().filter(|point| point.is_met_again()).cloned().collect();
        matrix.chain(command, &Seed(SEED).sample(&changes, enough * 3), enough, |visit| table.add(visit));
    }
    println!("seed {SEED}\n{table}");
    assert!(!table.failed(), "seed {SEED}\n{table}");
    let (_, met) = table.counts();
    assert!(met >= 20, "seed {SEED}, only {met} kills\n{table}");
}
