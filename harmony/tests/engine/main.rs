//! What the engine promises, on a place in memory.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on ends")]

mod adoption;
mod apply;
mod arrange;
mod at_once;
mod failure;
mod forgetting;
mod home;
mod lease;
mod ledger;
mod loss;
mod nested;
mod plan;
mod preview;
mod procedures;
mod programs;
mod proofs;
mod prune;
mod recovery;
mod refactoring;
mod replaced;
mod saved;
mod secrets;
mod silence;
mod stores;
mod targets;
mod turns;
mod values;
