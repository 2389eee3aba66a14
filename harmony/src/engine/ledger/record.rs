//! The Ledger itself: what it holds.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use harmony_io::Io;
use tokio::time::Instant;

use super::contents::{Contents, Line, parse};
use super::entry::{Entry, Key};
use super::error::LedgerError;
use super::fence::Fence;
use super::file::{FILE, FileLedgerStore};
use super::store::{LedgerState, LedgerStore, StoredLedger};
use crate::address::Address;
use crate::engine::home::{Elsewhere, Home};
use crate::procedure::Underway;
use crate::topology::Site;

/// The Ledger of one site program.
#[derive(Debug)]
pub struct Ledger {
    pub(super) store: Arc<dyn LedgerStore>,
    pub(super) state: LedgerState,
    pub(super) serial: u64,
    pub(super) identity: Option<String>,
    pub(super) home: Option<Home>,
    /// Hashed: every run looks for every thing, and the keys of a kind are alike for most of their length.
    pub(super) entries: HashMap<Key, Arc<Entry>>,
    pub(super) proofs: BTreeMap<Address, String>,
    pub(super) underway: Vec<Underway>,
    /// Whether something has been noted since it was last saved.
    pub(super) journaled: bool,
    pub(super) moved: bool,
    pub(super) fence: Option<Fence>,
    /// Lines that wait for others.
    pub(super) waiting: Vec<u8>,
    /// When lines were written last, or the whole.
    pub(super) written: Instant,
}

impl Ledger {
    /// Reads the Ledger that is kept in the files of `directory`; an empty one if there is none. Writes nothing.
    ///
    /// # Errors
    /// [`LedgerError`] if it is there and cannot be used.
    pub fn load(io: &Io, directory: &Path) -> Result<Self, LedgerError> {
        let store = FileLedgerStore::new(io, directory);
        let stored = store.read()?;
        Self::read(Arc::new(store), stored)
    }

    /// Reads the Ledger of a site program, wherever that keeps it; an empty one if there is none. Writes nothing.
    ///
    /// # Errors
    /// As [`Ledger::load`].
    pub async fn of(site: &Site) -> Result<Self, LedgerError> {
        let store = site.ledger_store();
        let stored = store.find().await?;
        Self::read(store, stored)
    }

    fn read(store: Arc<dyn LedgerStore>, stored: StoredLedger) -> Result<Self, LedgerError> {
        let contents = match &stored.whole {
            Some(bytes) => parse(&store.name(), bytes)?,
            None => Contents::empty(),
        };
        let mut ledger = Self {
            store,
            journaled: stored.state.has_lines,
            state: stored.state,
            serial: contents.serial,
            identity: contents.identity,
            home: contents.home,
            entries: contents.entries.into_iter().map(|entry| (entry.key.clone(), Arc::new(entry))).collect(),
            proofs: contents.proofs,
            underway: contents.underway,
            moved: false,
            fence: None,
            waiting: Vec::new(),
            written: Instant::now(),
        };
        ledger.replay(&stored.lines)?;
        Ok(ledger)
    }

    fn replay(&mut self, lines: &[u8]) -> Result<(), LedgerError> {
        let whole = lines.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        // What is behind the last line end was being written when the run was killed; what it says is observed anyway.
        for (number, line) in lines[..whole].split(|byte| *byte == b'\n').enumerate().filter(|(_, line)| !line.is_empty()) {
            let line = serde_json::from_slice(line).map_err(|source| LedgerError::Damaged {
                ledger: self.store.name_of_lines(),
                place: format!("line {}", number + 1),
                source,
            })?;
            self.apply(&line);
        }
        Ok(())
    }

    pub(super) fn apply(&mut self, line: &Line) {
        match line {
            Line::Made { key, kept, held } => {
                if let Some(entry) = self.entries.get_mut(key).map(Arc::make_mut) {
                    entry.made = true;
                    entry.kept.clone_from(kept);
                    entry.held.clone_from(held);
                }
            }
            Line::Gone { key } => {
                self.entries.remove(key);
            }
            Line::Proved { proof, digest } => {
                self.proofs.insert(proof.clone(), digest.clone());
            }
        }
    }

    /// From now on each write needs this right.
    pub(crate) fn set_fence(&mut self, fence: Option<Fence>) {
        self.fence = fence;
    }

    /// A number that grows with every run that changed something.
    #[must_use]
    pub fn serial(&self) -> u64 {
        self.serial
    }

    /// What tells it from every other Ledger; none before it was first written.
    #[must_use]
    pub fn identity(&self) -> Option<&str> {
        self.identity.as_deref()
    }

    /// Where it is at home, if it says so.
    #[must_use]
    pub fn home(&self) -> Option<&Home> {
        self.home.as_ref()
    }

    /// Where it says that it is at home and in what that is elsewhere, if it is not `here`.
    pub(crate) fn elsewhere(&self, io: &Io, here: &Home) -> Result<Option<(Home, Elsewhere)>, LedgerError> {
        let Some(home) = &self.home else { return Ok(None) };
        let how = if self.store.is_shared() {
            // Directories and checkouts are others on purpose; what is on another machine is still not here.
            home.differs_from(here, |_, _| true).filter(|how| *how == Elsewhere::Machine)
        } else {
            // Two paths lead to one directory if the Ledger in both is one file.
            let number = |directory: &Path| io.find_entry(&directory.join(FILE)).map(|entry| entry.map(|entry| entry.number));
            let is_same = home.directory == here.directory || {
                let (there, here) = (number(&home.directory).unwrap_or_default(), number(&here.directory)?);
                there.is_some() && there == here
            };
            home.differs_from(here, |_, _| is_same)
        };
        Ok(how.map(|how| (home.clone(), how)))
    }

    /// From now on it is at home here; that it was `moved` is written down even if nothing else is.
    pub(crate) fn settle(&mut self, here: Home, moved: bool) {
        (self.home, self.moved) = (Some(here), moved);
    }

    /// How many things it says were made.
    #[must_use]
    pub fn count(&self) -> usize {
        self.entries.len()
    }

    /// What was made, in the order of the keys.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries_but(&HashSet::new()).into_iter().map(Arc::as_ref)
    }

    /// What was made and is not among `keys`, in the order of the keys.
    pub(crate) fn entries_but(&self, keys: &HashSet<Key>) -> Vec<&Arc<Entry>> {
        let mut entries: Vec<&Arc<Entry>> = self.entries.values().filter(|entry| !keys.contains(&entry.key)).collect();
        entries.sort_unstable_by(|one, other| one.key.cmp(&other.key));
        entries
    }

    /// The entry of a thing.
    #[must_use]
    pub fn find(&self, key: &Key) -> Option<&Entry> {
        self.entries.get(key).map(Arc::as_ref)
    }

    /// The same, to be kept while the Ledger goes on.
    pub(crate) fn find_shared(&self, key: &Key) -> Option<&Arc<Entry>> {
        self.entries.get(key)
    }

    /// The procedures that have begun and not ended.
    #[must_use]
    pub fn underway(&self) -> &[Underway] {
        &self.underway
    }

    /// Whether the proof at an address has passed in this form, and nothing under it has changed since.
    #[must_use]
    pub fn has_passed(&self, proof: &Address, digest: &str) -> bool {
        self.proofs.get(proof).is_some_and(|passed| passed == digest)
    }

    /// Whether a proof has passed that does not stand any more.
    pub(crate) fn has_passed_other_than(&self, stands: impl Fn(&Address) -> bool) -> bool {
        self.proofs.keys().any(|proof| !stands(proof))
    }
}
