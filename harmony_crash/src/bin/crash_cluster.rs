//! A site with objects of every sort on a cluster.

use std::process::ExitCode;

use harmony::Inventory;
use harmony_crash::{cluster, io, run_name};

fn main() -> ExitCode {
    harmony_cli::run_through(io(), &run_name(), Inventory::empty(), cluster::place(), cluster::every_sort(&cluster::life()))
}
