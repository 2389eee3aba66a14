//! The primitives against the real machine: files, locks, processes.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on ends")]

mod files;
mod locks;
mod points;
mod processes;
