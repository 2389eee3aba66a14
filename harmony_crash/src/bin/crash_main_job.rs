//! The supercluster of nine servers.

use std::process::ExitCode;

use harmony::Inventory;
use harmony_crash::{io, listen_address, run_name};
use harmony_local::LocalTopology;

fn main() -> ExitCode {
    let laptop = LocalTopology::new("laptop").with_nats(harmony_nats::client()).with_listen_address(listen_address());
    harmony_cli::run_through(io(), &run_name(), Inventory::empty(), laptop, nats_supercluster_local::scores())
}
