//! A Ledger in two files of the state directory.

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use harmony_io::{Io, Lock, LockError, Mode};

use super::error::LedgerError;
use super::fence::Fence;
use super::store::{LedgerState, LedgerStore, StoredLedger};
use crate::engine::holder::Taken;

pub(super) const FILE: &str = "ledger.json";
const JOURNAL: &str = "ledger.journal";
const FENCE: &str = "ledger.fence";
const LOCK: &str = "ledger.lock";

/// `ledger.json`, whole and synced, and `ledger.journal`. Where a lease fences it, the number of the newest run stands beside them, and is
/// compared before each write, under a lock.
#[derive(Debug, Clone)]
pub(crate) struct FileLedgerStore {
    io: Io,
    directory: PathBuf,
}

impl FileLedgerStore {
    pub(crate) fn new(io: &Io, directory: &Path) -> Self {
        Self { io: io.clone(), directory: directory.to_owned() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    pub(super) fn read(&self) -> Result<StoredLedger, LedgerError> {
        let (whole, lines) = (self.io.find_file(&self.path(FILE))?, self.io.find_file(&self.path(JOURNAL))?);
        let state = LedgerState { version: None, has_lines: lines.is_some() };
        Ok(StoredLedger { state, whole, lines: lines.unwrap_or_default() })
    }

    fn newest(&self) -> Result<u64, LedgerError> {
        let path = self.path(FENCE);
        let Some(bytes) = self.io.find_file(&path)? else { return Ok(0) };
        serde_json::from_slice(&bytes).map_err(|source| LedgerError::Damaged {
            ledger: format!("`{}`", path.display()),
            place: "its number".to_owned(),
            source,
        })
    }

    /// Lets this run write, and no older one any more, as long as what is returned is held.
    fn enter(&self, fence: Option<&Fence>) -> Result<Option<Lock>, LedgerError> {
        let Some(fence) = fence else { return Ok(None) };
        let path = self.path(LOCK);
        self.io.ensure_directory(&self.directory, Mode::Private)?;
        let lock = self.io.lock_within(&path, fence.words(), fence.patience()).map_err(|error| match error {
            LockError::Failed(error) => LedgerError::Io(error),
            LockError::Held { holder, .. } => LedgerError::Busy { path, taken: Taken::read(&self.io, &holder) },
            other => LedgerError::Busy { path, taken: Taken::read(&self.io, &other.to_string()) },
        })?;
        let newest = self.newest()?;
        fence.ensure_newest(newest)?;
        if newest < fence.number() {
            self.io.write_file(&self.path(FENCE), fence.number().to_string().as_bytes(), Mode::Private)?;
        }
        Ok(Some(lock))
    }

    /// A journal must not outlive a save by more than a kill: its lines would be taken for what happened after it.
    fn drop_lines(&self, known: &LedgerState) -> Result<(), LedgerError> {
        if known.has_lines {
            self.io.ensure_no_file(&self.path(JOURNAL))?;
        }
        Ok(())
    }
}

#[async_trait]
impl LedgerStore for FileLedgerStore {
    fn name(&self) -> String {
        format!("`{}`", self.path(FILE).display())
    }

    fn name_of_lines(&self) -> String {
        format!("`{}`", self.path(JOURNAL).display())
    }

    fn is_shared(&self) -> bool {
        false
    }

    async fn find(&self) -> Result<StoredLedger, LedgerError> {
        self.read()
    }

    async fn find_newest(&self) -> Result<u64, LedgerError> {
        self.newest()
    }

    async fn claim(&self, fence: &Fence) -> Result<(), LedgerError> {
        self.enter(Some(fence)).map(drop)
    }

    async fn save(&self, known: &LedgerState, whole: &[u8], fence: Option<&Fence>) -> Result<LedgerState, LedgerError> {
        self.io.ensure_directory(&self.directory, Mode::Private)?;
        let _entered = self.enter(fence)?;
        self.io.write_file(&self.path(FILE), whole, Mode::Private)?;
        self.drop_lines(known)?;
        Ok(LedgerState::default())
    }

    async fn append(&self, _: &LedgerState, lines: &[u8], fence: Option<&Fence>) -> Result<LedgerState, LedgerError> {
        let _entered = self.enter(fence)?;
        self.io.append_line(&self.path(JOURNAL), lines)?;
        Ok(LedgerState { version: None, has_lines: true })
    }

    async fn remove(&self, known: &LedgerState, fence: Option<&Fence>) -> Result<(), LedgerError> {
        let _entered = self.enter(fence)?;
        self.io.ensure_no_file(&self.path(FILE))?;
        self.drop_lines(known)
    }
}
