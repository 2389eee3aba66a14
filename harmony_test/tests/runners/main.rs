//! Real processes that are stopped and killed while they run.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on ends")]

mod leases;
mod locks;
mod runner;
