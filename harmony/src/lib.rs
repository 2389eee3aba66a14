//! Infrastructure as Rust values.
//!
//! A [`Score`] says what should be true, as plain data. A [`Topology`](topology::Topology) is a place that offers capabilities as
//! traits; the compiler refuses a Score that the place cannot play. An [`Interpret`] lowers the Score, purely, to an
//! [`Arrangement`](arrangement::Arrangement) of resources and proofs. The [`Maestro`] compares that with what is there, shows a plan,
//! carries it out, proves that it works, and takes it away again.
//!
//! Start with a Score of [`modules`], or write your own: `examples/custom_score` is the smallest complete one.

pub mod address;
pub mod arrangement;
mod backoff;

pub mod capability;
pub mod engine;
mod error;
pub mod explain;
mod interpret;
mod inventory;
pub mod lease;
pub mod modules;
mod origin;
mod play;
pub mod procedure;
pub mod proof;
pub mod provider;
pub mod resource;
pub mod run;
pub mod score;
pub mod stage;
pub mod topology;
pub mod value;

pub use engine::maestro::{EngineError, Maestro};
pub use engine::outcome::Outcome;
pub use error::ArrangeError;
pub use interpret::Interpret;
pub use inventory::Inventory;
pub use origin::Origin;
pub use play::Play;
pub use score::{Score, Scores};
pub use stage::Stage;
