//! Where a Ledger is kept.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

use super::error::LedgerError;
use super::fence::Fence;
use crate::provider::ProviderError;

/// One program's Ledger, as bytes: the whole as it was last saved, and lines of what has been done since.
///
/// Whatever a run is killed at, what is found afterwards is the whole of before or of after a write, never a part of it, and never lines that were written before the
/// whole that they stand beside. What `known` is, is what the writer has found or written last.
#[async_trait]
pub trait LedgerStore: fmt::Debug + Send + Sync {
    /// What it is and where, for people, as it follows on "the Ledger": `` `/state/ledger.json` ``. No secret.
    fn name(&self) -> String;

    /// The same of its lines.
    fn name_of_lines(&self) -> String {
        self.name()
    }

    /// How long lines may wait for others that are written with them: what they say is observed anyway if the run is killed meanwhile. Default:
    /// not at all.
    fn pace(&self) -> Duration {
        Duration::ZERO
    }

    /// Whether several machines use it on purpose, each from a directory of its own.
    fn is_shared(&self) -> bool;

    /// What is there now. Writes nothing.
    ///
    /// # Errors
    /// [`LedgerError`] if it does not answer, or is damaged.
    async fn find(&self) -> Result<StoredLedger, LedgerError>;

    /// The number of the newest run that is known to have had the right to write it; 0 if none is. Writes nothing.
    ///
    /// # Errors
    /// As [`LedgerStore::find`].
    async fn find_newest(&self) -> Result<u64, LedgerError>;

    /// Sees to it that no run before this one writes it any more.
    ///
    /// # Errors
    /// [`LedgerError::Superseded`] if a newer run has been here.
    async fn claim(&self, fence: &Fence) -> Result<(), LedgerError>;

    /// Puts `whole` in the place of all that is there, lines too; when this returns, it lasts.
    ///
    /// # Errors
    /// [`LedgerError::Superseded`] if a newer run has been here, or another one has written it. It may have been written after any other error.
    async fn save(&self, known: &LedgerState, whole: &[u8], fence: Option<&Fence>) -> Result<LedgerState, LedgerError>;

    /// Adds `lines`, each but the last ended by a line feed.
    ///
    /// # Errors
    /// As [`LedgerStore::save`].
    async fn append(&self, known: &LedgerState, lines: &[u8], fence: Option<&Fence>) -> Result<LedgerState, LedgerError>;

    /// Takes everything away.
    ///
    /// # Errors
    /// As [`LedgerStore::save`].
    async fn remove(&self, known: &LedgerState, fence: Option<&Fence>) -> Result<(), LedgerError>;

    /// Which of the rights that a run needs to write it are missing, in the words of whoever gives them. Default: none is, and what is not
    /// permitted shows when it is written.
    ///
    /// # Errors
    /// [`ProviderError`] if whoever would know does not say.
    async fn missing_rights(&self) -> Result<Vec<String>, ProviderError> {
        Ok(Vec::new())
    }
}

const _: fn(&dyn LedgerStore) = |_| {};

/// A Ledger as its store keeps it.
#[derive(Debug, Clone, Default)]
pub struct StoredLedger {
    /// Which state it is.
    pub state: LedgerState,
    /// The whole as it was last saved; `None` if there is none.
    pub whole: Option<Vec<u8>>,
    /// What was done since. The last line may be half written.
    pub lines: Vec<u8>,
}

/// Which state of a stored Ledger it is. Opaque to all but the store.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LedgerState {
    /// By what the store tells it from others; `None` if nothing is there, or the store need not tell.
    pub version: Option<String>,
    /// Whether there are lines.
    pub has_lines: bool,
}
