//! Where Interprets write: it holds the arrangement (data) and the providers met on the way (behaviour).
//!
//! Entry points: [`Stage::add`] for a resource, [`Stage::prove`] for a proof, and for what several Scores speak of together
//! [`Stage::declare`], [`Stage::contribute`] and [`Stage::follow`].

mod check;
mod things;
mod write;

pub use things::{Contribution, Thing};
pub use write::Stage;
