//! The tasks of this repository: `cargo xtask test` runs everything that has to pass.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a task talks to whoever runs it")]

mod cargo_output;
mod nats_server;
mod report;
mod test_run;

use std::env;
use std::process::ExitCode;

fn main() -> anyhow::Result<ExitCode> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if arguments != ["test"] {
        eprintln!("usage: cargo xtask test");
        return Ok(ExitCode::from(2));
    }
    test_run::test()
}
