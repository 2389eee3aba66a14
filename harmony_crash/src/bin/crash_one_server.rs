//! A site with one server and every kind of resource that this machine hosts.

use std::process::ExitCode;

use harmony::Inventory;
use harmony_crash::{io, one_server, run_name};
use harmony_local::LocalTopology;

fn main() -> ExitCode {
    let laptop = LocalTopology::new("laptop").with_nats(harmony_nats::client());
    harmony_cli::run_through(io(), &run_name(), Inventory::empty(), laptop, one_server())
}
