//! Failures on real API servers: each is named with object, container and reason, in time, and ends the run when it has to.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on ends")]

mod disturbed;
mod failure;
mod front;
mod rights;
mod secrets;
mod table;
mod webhook;
