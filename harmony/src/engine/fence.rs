//! What keeps a run that has lost its lease from writing the Ledger: the number of the newest run stands beside it, and is compared before
//! each write, under a lock.

use std::path::{Path, PathBuf};
use std::time::Duration;

use harmony_io::{Io, Lock, LockError, Mode};

use super::holder::Taken;
use super::ledger::LedgerError;
use crate::lease::Standing;

const FENCE: &str = "ledger.fence";
const LOCK: &str = "ledger.lock";

/// The right of a run to write the Ledger.
#[derive(Clone)]
pub(crate) struct Fence {
    pub(super) io: Io,
    pub(super) directory: PathBuf,
    pub(super) number: u64,
    pub(super) standing: Standing,
    /// What the run says of itself.
    pub(super) words: String,
    /// How long another one's write is waited for.
    pub(super) patience: Duration,
}

impl std::fmt::Debug for Fence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fence").field("number", &self.number).finish_non_exhaustive()
    }
}

/// The number of the newest run that was to write the Ledger in `directory`; 0 if none was.
pub(super) fn newest(io: &Io, directory: &Path) -> Result<u64, LedgerError> {
    let path = directory.join(FENCE);
    let Some(bytes) = io.find_file(&path)? else { return Ok(0) };
    serde_json::from_slice(&bytes).map_err(|source| LedgerError::Damaged { path, place: "its number".to_owned(), source })
}

impl Fence {
    /// Lets this run write the Ledger, and no older one any more, as long as what is returned is held.
    ///
    /// # Errors
    /// [`LedgerError::Superseded`] if a newer run has been here, or the lease is lost; [`LedgerError::Busy`] if another run does not end
    /// writing it.
    pub(super) fn enter(&self) -> Result<Lock, LedgerError> {
        let path = self.directory.join(LOCK);
        self.io.ensure_directory(&self.directory, Mode::Private)?;
        let lock = self.io.lock_within(&path, &self.words, self.patience).map_err(|error| match error {
            LockError::Failed(error) => LedgerError::Io(error),
            LockError::Held { holder, .. } => LedgerError::Busy { path, taken: Taken::read(&self.io, &holder) },
            other => LedgerError::Busy { path, taken: Taken::read(&self.io, &other.to_string()) },
        })?;
        let newest = newest(&self.io, &self.directory)?;
        if newest > self.number {
            self.standing.lose(format!("run {newest} has begun, this is run {}", self.number));
        }
        if let Some(why) = self.standing.lost() {
            return Err(LedgerError::Superseded { why });
        }
        if newest < self.number {
            self.io.write_file(&self.directory.join(FENCE), self.number.to_string().as_bytes(), Mode::Private)?;
        }
        Ok(lock)
    }
}
