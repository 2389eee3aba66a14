//! Objects of a real API server: previewed, applied, contested, damaged, deleted.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on ends")]

mod at_once;
mod contested;
mod cycle;
mod definitions;
mod fixture;
mod ground;
mod lasting;
mod namespaces;
mod tunnels;
mod volumes;
mod ways;
