//! Runs on several machines exclude each other by a lease.

mod contract;
mod fencing;
mod machines;
mod renewing;
mod taking;
