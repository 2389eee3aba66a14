//! This machine as a place, with real nats-server processes: started, found again, reloaded, restarted, explained, stopped.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on ends")]

mod certificate;
mod cluster;
mod fixture;
mod jetstream;
mod leaving;
mod life;
mod monitoring;
mod ports;
mod program;
mod record;
mod reload;
mod trouble;
