//! Plays Scores on this machine with real processes.

pub mod nats_server;
