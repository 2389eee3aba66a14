//! The engine: observes, plans, applies, proves, prunes, destroys. All I/O is behind the providers it calls.
//!
//! Entry point: [`Maestro`](maestro::Maestro). It knows no kind of resource and no place.

mod checkout;
mod decide;
pub mod difference;
mod error;
pub mod events;
pub mod exclusion;
mod execute;
mod filled;
pub mod forget;
mod holder;
pub mod home;
mod items;
pub mod ledger;
pub mod maestro;
mod moved;
mod observe;
pub mod order;
pub mod outcome;
mod perform;
pub mod plan;
mod prepared;
mod procedure;
mod replaced;
mod rights;
pub mod saved;
mod saving;
mod schedule;
pub mod scope;
pub mod silence;
pub mod status;
mod witness;
