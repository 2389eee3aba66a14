//! Plays Scores on this machine with real processes, which outlive the program that starts them.
//!
//! Entry point: [`LocalTopology`]. Looked at, it is a [`LocalPlace`], which hosts files, directories, ports and secrets, and, with a client
//! of NATS, runs nats-server processes. It does not run anything as another user, and does not touch the machine's services.

mod capability;
mod checks;
pub mod kind;
pub mod nats;
pub mod nats_server;
mod place;
mod topology;

pub use harmony::modules::nats::client::{WithNats, WithoutNats};
pub use place::{LocalPlace, Program};
pub use topology::{LocalFacts, LocalTopology, Monitoring};
