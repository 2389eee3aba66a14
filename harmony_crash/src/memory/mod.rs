//! The supercluster of nine servers on things in memory: the same Scores, arranged as on this machine, the same engine with a real Ledger and
//! a real lock, and for every kind a provider whose every look and write is a point of the fault layer.
//!
//! Entry points: [`MemorySite`], and [`MemoryFaults`] for each fault at each of its points. It knows nothing of what the things are; what only real servers do is for the real matrix.

mod client;
mod disturbed;
mod faults;
mod instants;
mod kinds;
mod place;
mod provider;
mod site;
mod things;

pub use disturbed::{Disturbance, Disturbed};
pub use faults::{MemoryFaults, expect_good_or_helpful};
pub use instants::{Instants, World};
pub use site::{Ended, MemorySite};
pub use things::Things;
