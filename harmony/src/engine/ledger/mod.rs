//! The record of identities (never values) of what a site program has made.
//!
//! It rests in two files: `ledger.json`, whole and synced before the first write of anything it names, and `ledger.journal`, lines of
//! what has been done since; loading reads both, closing a run folds the second into the first. A converged run writes neither.

mod aside;
mod contents;
mod entry;
mod error;
mod record;

pub(crate) use aside::before_aside;
pub use contents::FORMAT;
pub use entry::{Entry, Key};
pub use error::LedgerError;
pub use record::{JOURNAL, Ledger};
