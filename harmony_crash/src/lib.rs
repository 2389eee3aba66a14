//! Site programs that are killed and disturbed at every point, and what checks that the next run needs nothing from anybody.
//!
//! Entry points: [`Matrix`] for real programs with real processes (`cargo xtask crash` runs all of it, the tests of this crate a seeded
//! part), [`cluster`] for what these programs do on a real API server, [`memory`] for the supercluster of nine servers on things in memory, where a point takes milliseconds.
//!
//! Nothing here is shipped: the programs of users know no variable that would make them fail.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "what a test stands on fails by panicking, like the test"
)]

mod chain;
pub mod cluster;
mod excuse;
mod fault;
mod foreign;
mod matrix;
pub mod memory;
mod mounts;
mod name;
mod scores;
mod seed;
mod table;
mod world;

pub use chain::THE_END;
pub use fault::{At, FaultPlan, Trouble, VARIABLE, What, io};
pub use foreign::ForeignServer;
pub use matrix::{Command, Matrix, Next, Visit};
pub use mounts::{ReadOnly, SmallDisk, alone};
pub use name::{Naming, PointName};
pub use scores::{one_server, run_name};
pub use seed::Seed;
pub use table::Table;
pub use world::{Shape, World, listen_address};
