//! Plays Scores on this machine with real processes.

mod kind;
mod nats;
pub mod nats_server;
