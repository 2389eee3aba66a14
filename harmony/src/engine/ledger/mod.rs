//! The record of identities (never values) of what a site program has made.
//!
//! It is kept by a [`LedgerStore`]: as a whole, written before the first write of anything it names, and as lines of what has been done
//! since; loading reads both, closing a run folds the second into the first. A converged run writes neither. The store is two files of the state
//! directory, `ledger.json` and `ledger.journal`, unless the [`Site`](crate::topology::Site) has another one.

mod aside;
mod contents;
mod entry;
mod error;
mod fence;
mod file;
mod record;
mod store;
mod writing;

pub(crate) use aside::before_aside;
pub use contents::FORMAT;
pub use entry::{Entry, Key, Name};
pub use error::LedgerError;
pub use fence::Fence;
pub(crate) use file::FileLedgerStore;
pub use record::Ledger;
pub use store::{LedgerState, LedgerStore, StoredLedger};
