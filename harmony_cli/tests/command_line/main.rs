//! The command line end to end, on a place that is a map in memory.
#![allow(
    clippy::unwrap_used,
    clippy::result_large_err,
    reason = "the lints' exception for tests does not see the functions that tests share"
)]

mod applying;
mod asking;
mod completions;
mod doctor;
mod failures;
mod looking;
mod mistakes;
mod place;
mod procedures;
mod program;
mod saved;
mod schema;
mod secrets;
