//! The engine: observes, plans, applies, proves, prunes, destroys. All I/O is behind the providers it calls.
//!
//! Entry point: [`Maestro`](maestro::Maestro). It knows no kind of resource and no place.

pub mod difference;
pub mod events;
mod execute;
mod items;
pub mod ledger;
pub mod maestro;
mod observe;
pub mod order;
pub mod outcome;
pub mod plan;
mod schedule;
pub mod status;
