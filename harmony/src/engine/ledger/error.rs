//! Why the Ledger cannot be used.

use std::path::PathBuf;

use harmony_io::IoError;

use super::contents::FORMAT;
use crate::engine::holder::Taken;
use crate::provider::ProviderError;

/// Why the Ledger cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// It was written by a newer program.
    #[error("the Ledger {ledger} has format {found}, this program reads up to {FORMAT}")]
    Newer {
        /// Where it is: `` `/state/ledger.json` ``.
        ledger: String,
        /// Its format.
        found: u32,
    },
    /// It is not what a program wrote.
    #[error("the Ledger {ledger} is damaged in {place}")]
    Damaged {
        /// Where it is.
        ledger: String,
        /// Where in it.
        place: String,
        /// The words of the reader.
        source: serde_json::Error,
    },
    /// This run has lost its lease, so that a newer one may be writing it: nothing was written.
    #[error("this run may not write the Ledger any more: {why}")]
    Superseded {
        /// Why the lease is lost.
        why: String,
    },
    /// Another run does not end writing it.
    #[error("the Ledger is being written, under `{path}`, by {taken}")]
    Busy {
        /// The lock under which it is written.
        path: PathBuf,
        /// By whom.
        taken: Taken,
    },
    /// Where it is kept, it could not be read or written.
    #[error(transparent)]
    Store(#[from] ProviderError),
    /// Its file could not be used.
    #[error(transparent)]
    Io(#[from] IoError),
}

impl LedgerError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Newer { .. } => Some("build the site program with the newer version of Harmony that wrote it".to_owned()),
            Self::Damaged { ledger, .. } => {
                Some(format!("restore {ledger} from a backup; without it nothing that was made would be found again"))
            }
            Self::Superseded { .. } => Some("run it again: it looks at what is there and goes on from that".to_owned()),
            Self::Busy { taken, .. } => Some(taken.hint()),
            Self::Store(error) => error.hint().map(str::to_owned),
            Self::Io(error) => error.hint().map(str::to_owned),
        }
    }
}
