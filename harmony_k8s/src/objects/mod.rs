//! Objects of one cluster: looked at, previewed by the API, applied, waited for and deleted.
//!
//! Entry point: [`Objects`], the provider of every sort of objects. What it sends and what it makes of the answers is said by functions without
//! I/O: [`wish`], [`state`], [`comparison`], [`signature`].

mod comparison;
mod delete;
mod look;
mod preview;
mod provider;
mod signature;
mod state;
mod wish;
mod write;

pub(crate) use provider::Objects;
