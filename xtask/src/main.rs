//! The tasks of this repository: `cargo xtask test` runs everything that has to pass, `cargo xtask crash` the long matrices of kills.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a task talks to whoever runs it")]

mod cargo_output;
mod crash;
mod debian;
mod model;
mod mutants;
mod nats_server;
mod report;
mod test_run;
mod testbed;

use std::env;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;

const USAGE: &str = "usage: cargo xtask test                              everything that has to pass
       cargo xtask crash [--main-job|--memory|--k8s] … kills and faults at every point
       cargo xtask model [--scenarios N] [--seed S]    the model of the engine, 10000 scenarios
       cargo xtask mutants [NAME]...                   errors that the model has to notice
       cargo xtask testbed up|down|status|build …      real Kubernetes clusters to try things on";

fn main() -> anyhow::Result<ExitCode> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask has no directory above it")?;
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["test"] => test_run::test(),
        ["crash", ..] => crash::crash(&arguments[1..]),
        ["model", ..] => model::model(root, &arguments[1..]),
        ["testbed", ..] => testbed::testbed(root, &arguments[1..]),
        ["mutants", ..] => mutants::mutants(root, &arguments[1..]),
        _ => {
            eprintln!("{USAGE}");
            Ok(ExitCode::from(2))
        }
    }
}
