//! The lease and the Ledger of a site program, kept in a real API server.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on ends")]

mod commands;
mod fixture;
mod kept;
mod killed;
mod leases;
mod machines;
mod refused;
mod rights;
