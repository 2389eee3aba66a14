//! What the client makes of real servers, which each test starts for itself.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "the lints' exception for tests does not see the functions that tests share"
)]

mod accounts;
mod buckets;
mod connecting;
mod fixture;
#[cfg(test)]
mod grants;
mod proofs;
mod servers;
mod streams;
mod ways;
