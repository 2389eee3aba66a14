//! Secrets as a program uses them, on real files.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by it, also in what tests share")]

mod answers;
mod contract;
mod derive;
mod fixtures;
mod golden;
mod keys;
mod remains;
mod sharing;
mod sources;
mod tampering;
