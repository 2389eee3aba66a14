//! The Ledger itself: what it holds, and how it is kept in its two files.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

use harmony_io::{Io, Lock, Mode};
use serde_json::Value as Json;

use super::contents::{Contents, FORMAT, Line, parse};
use super::entry::{Entry, Key};
use super::error::LedgerError;
use crate::address::Address;
use crate::engine::fence::Fence;
use crate::engine::home::{Elsewhere, Home};
use crate::procedure::Underway;

const FILE: &str = "ledger.json";
/// The name of the file that stays in the state directory where a run was killed.
pub const JOURNAL: &str = "ledger.journal";

/// The Ledger of one site program.
#[derive(Debug)]
pub struct Ledger {
    io: Io,
    directory: PathBuf,
    pub(super) serial: u64,
    identity: Option<String>,
    home: Option<Home>,
    /// Hashed: every run looks for every thing, and the keys of a kind are alike for most of their length.
    pub(super) entries: HashMap<Key, Entry>,
    proofs: BTreeMap<Address, String>,
    underway: Vec<Underway>,
    journaled: bool,
    moved: bool,
    fence: Option<Fence>,
}

impl Ledger {
    /// Reads the Ledger in `directory`; an empty one if there is none. Writes nothing.
    ///
    /// # Errors
    /// [`LedgerError`] if it is there and cannot be used.
    pub fn load(io: &Io, directory: &Path) -> Result<Self, LedgerError> {
        let path = directory.join(FILE);
        let contents = match io.find_file(&path)? {
            Some(bytes) => parse(&path, &bytes)?,
            None => Contents { format: FORMAT, ..Contents::default() },
        };
        let entries = contents.entries.into_iter().map(|entry| (entry.key.clone(), entry)).collect();
        let mut ledger = Self {
            io: io.clone(),
            directory: directory.to_owned(),
            serial: contents.serial,
            identity: contents.identity,
            home: contents.home,
            entries,
            proofs: contents.proofs,
            underway: contents.underway,
            journaled: false,
            moved: false,
            fence: None,
        };
        ledger.replay()?;
        Ok(ledger)
    }

    /// From now on each write needs this right.
    pub(crate) fn set_fence(&mut self, fence: Option<Fence>) {
        self.fence = fence;
    }

    /// Keeps other runs from writing it as long as what is returned is held.
    fn enter(&self) -> Result<Option<Lock>, LedgerError> {
        self.fence.as_ref().map(Fence::enter).transpose()
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
    pub(crate) fn elsewhere(&self, here: &Home) -> Result<Option<(Home, Elsewhere)>, LedgerError> {
        let Some(home) = &self.home else { return Ok(None) };
        // Two paths lead to one directory if the Ledger in both is one file.
        let number = |directory: &Path| self.io.find_entry(&directory.join(FILE)).map(|entry| entry.map(|entry| entry.number));
        let is_same = home.directory == here.directory || {
            let (there, here) = (number(&home.directory).unwrap_or_default(), number(&here.directory)?);
            there.is_some() && there == here
        };
        Ok(home.differs_from(here, |_, _| is_same).map(|how| (home.clone(), how)))
    }

    /// From now on it is at home here; that it was `moved` is written down even if nothing else is.
    pub(crate) fn settle(&mut self, here: Home, moved: bool) {
        (self.home, self.moved) = (Some(here), moved);
    }

    pub(crate) fn io(&self) -> &Io {
        &self.io
    }

    /// Where it is kept.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// What was made, in the order of the keys.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries_but(&HashSet::new()).into_iter()
    }

    /// What was made and is not among `keys`, in the order of the keys.
    pub(crate) fn entries_but(&self, keys: &HashSet<&Key>) -> Vec<&Entry> {
        let mut entries: Vec<&Entry> = self.entries.values().filter(|entry| !keys.contains(&entry.key)).collect();
        entries.sort_unstable_by(|one, other| one.key.cmp(&other.key));
        entries
    }

    /// The entry of a thing.
    #[must_use]
    pub fn find(&self, key: &Key) -> Option<&Entry> {
        self.entries.get(key)
    }

    /// The procedures that have begun and not ended.
    #[must_use]
    pub fn underway(&self) -> &[Underway] {
        &self.underway
    }

    /// Writes down where a procedure stands, before anything of that is done.
    ///
    /// # Errors
    /// [`LedgerError::Io`]; then nothing of it may be done.
    pub(crate) fn stand(&mut self, at: Underway) -> Result<(), LedgerError> {
        self.underway.retain(|other| other.title() != at.title());
        self.underway.push(at);
        self.go_on()
    }

    /// Strikes out the procedures that `ended` says have ended.
    ///
    /// # Errors
    /// [`LedgerError::Io`].
    pub(crate) fn end(&mut self, ended: impl Fn(&Underway) -> bool) -> Result<(), LedgerError> {
        self.underway.retain(|underway| !ended(underway));
        self.go_on()
    }

    fn go_on(&mut self) -> Result<(), LedgerError> {
        self.serial += 1;
        self.save()?;
        self.drop_journal()
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

    /// Writes down what a run is about to make and what it now knows of what stands, and forgets the proofs that do not count any more,
    /// before it does anything.
    ///
    /// # Errors
    /// [`LedgerError::Io`]; then nothing may be made.
    pub(crate) fn intend(&mut self, entries: Vec<Entry>, stands: impl Fn(&Address) -> bool) -> Result<(), LedgerError> {
        self.serial += 1;
        self.make_room(&entries);
        self.entries.extend(entries.into_iter().map(|entry| (entry.key.clone(), entry)));
        self.proofs.retain(|proof, _| stands(proof));
        self.save()?;
        self.drop_journal()
    }


    /// Notes that a thing is there.
    ///
    /// # Errors
    /// [`LedgerError::Io`].
    pub(crate) fn made(&mut self, key: &Key, kept: Option<Json>, held: Option<String>) -> Result<(), LedgerError> {
        let held = self.entries.get(key).and_then(|entry| entry.remembered(held));
        self.note(&Line::Made { key: key.clone(), kept, held })
    }

    /// Notes that a thing is gone.
    ///
    /// # Errors
    /// [`LedgerError::Io`].
    pub(crate) fn gone(&mut self, key: &Key) -> Result<(), LedgerError> {
        self.note(&Line::Gone { key: key.clone() })
    }

    /// Notes that a proof has passed.
    ///
    /// # Errors
    /// [`LedgerError::Io`].
    pub(crate) fn proved(&mut self, proof: &Address, digest: &str) -> Result<(), LedgerError> {
        self.note(&Line::Proved { proof: proof.clone(), digest: digest.to_owned() })
    }

    /// Strikes things out that nothing has been done to.
    ///
    /// # Errors
    /// [`LedgerError::Io`].
    pub(crate) fn strike(&mut self, keys: &[Key]) -> Result<(), LedgerError> {
        self.serial += 1;
        keys.iter().for_each(|key| drop(self.entries.remove(key)));
        if self.entries.is_empty() {
            self.proofs.clear();
        }
        self.save()?;
        self.close()
    }

    /// Folds the journal into the file; an empty Ledger leaves no file. Writes nothing if nothing has changed.
    ///
    /// # Errors
    /// [`LedgerError::Io`]; the journal still says what the file does not.
    pub(crate) fn close(&mut self) -> Result<(), LedgerError> {
        if self.entries.is_empty() && self.proofs.is_empty() {
            let _entered = self.enter()?;
            self.io.ensure_no_file(&self.directory.join(FILE))?;
        } else if self.journaled || self.moved {
            self.save()?;
        }
        self.drop_journal()
    }

    /// A journal must not outlive a save by more than a kill: its lines would be taken for what happened after it.
    fn drop_journal(&mut self) -> Result<(), LedgerError> {
        if self.journaled {
            let _entered = self.enter()?;
            self.io.ensure_no_file(&self.directory.join(JOURNAL))?;
            self.journaled = false;
        }
        Ok(())
    }

    fn note(&mut self, line: &Line) -> Result<(), LedgerError> {
        let text = serde_json::to_vec(line).map_err(|source| self.damaged("a new line", source))?;
        let entered = self.enter()?;
        self.io.append_line(&self.directory.join(JOURNAL), &text)?;
        drop(entered);
        self.journaled = true;
        self.apply(line);
        Ok(())
    }

    fn apply(&mut self, line: &Line) {
        match line {
            Line::Made { key, kept, held } => {
                if let Some(entry) = self.entries.get_mut(key) {
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

    fn save(&mut self) -> Result<(), LedgerError> {
        let identity = self.identity.get_or_insert_with(|| format!("{:032x}", rand::random::<u128>())).clone();
        let contents = Contents {
            format: FORMAT,
            serial: self.serial,
            identity: Some(identity),
            home: self.home.clone(),
            entries: self.entries().cloned().collect(),
            proofs: self.proofs.clone(),
            underway: self.underway.clone(),
        };
        let text = serde_json::to_vec_pretty(&contents).map_err(|source| self.damaged("memory", source))?;
        self.io.ensure_directory(&self.directory, Mode::Private)?;
        let _entered = self.enter()?;
        self.io.write_file(&self.directory.join(FILE), &text, Mode::Private)?;
        self.moved = false;
        Ok(())
    }

    fn replay(&mut self) -> Result<(), LedgerError> {
        let path = self.directory.join(JOURNAL);
        let Some(bytes) = self.io.find_file(&path)? else { return Ok(()) };
        self.journaled = true;
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        // What is behind the last line end was being written when the run was killed; what it says is observed anyway.
        for (number, line) in bytes[..whole].split(|byte| *byte == b'\n').enumerate().filter(|(_, line)| !line.is_empty()) {
            let line = serde_json::from_slice(line).map_err(|source| LedgerError::Damaged {
                path: path.clone(),
                place: format!("line {}", number + 1),
                source,
            })?;
            self.apply(&line);
        }
        Ok(())
    }

    fn damaged(&self, place: &str, source: serde_json::Error) -> LedgerError {
        LedgerError::Damaged { path: self.directory.join(FILE), place: place.to_owned(), source }
    }
}
