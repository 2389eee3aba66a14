//! The supercluster on this machine: `cargo run -p nats_supercluster_local -- apply`.

use std::process::ExitCode;

use harmony::Inventory;
use harmony_local::LocalTopology;

fn main() -> ExitCode {
    let laptop = LocalTopology::new("laptop").with_nats(harmony_nats::client());
    harmony_cli::run(Inventory::empty(), laptop, nats_supercluster_local::scores())
}
