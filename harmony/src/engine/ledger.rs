//! The record of identities (never values) of what a site program has made.
//!
//! It rests in two files: `ledger.json`, whole and synced before the first write of anything it names, and `ledger.journal`, lines of
//! what has been done since; loading reads both, closing a run folds the second into the first. A converged run writes neither.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};

use harmony_io::{Io, IoError, Lock, Mode};
use harmony_types::PlaceName;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::fence::Fence;
use super::holder::Taken;
use super::home::{Elsewhere, Home};
use crate::address::Address;
use crate::origin::Origin;
use crate::procedure::Underway;
use crate::resource::Loss;
use crate::value;

/// The format that this program writes. An older one is read, a newer one refused. Format 1 said neither who it is nor where it is at
/// home: what is read of it is at home where it is read, and gets its identity with the next write.
pub const FORMAT: u32 = 2;
/// What the address of something begins with that was moved aside.
const ASIDE: &str = "before-";
const FILE: &str = "ledger.json";
/// The name of the file that stays in the state directory where a run was killed.
pub const JOURNAL: &str = "ledger.journal";

/// What the world calls a thing: place, kind, and the kind's identity as JSON text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Key {
    /// The place it is in.
    pub place: PlaceName,
    /// The kind's wire name.
    pub kind: String,
    /// The identity, serialised.
    pub identity: String,
}

impl Key {
    /// The identity as the kind's provider reads it.
    pub(super) fn identity_as_json(&self) -> Json {
        serde_json::from_str(&self.identity).unwrap_or(Json::Null)
    }
}

/// One thing that was made, or was about to be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// What the world calls it.
    pub key: Key,
    /// What the world calls it, for people.
    pub label: String,
    /// Where the program said it last; no other entry has this address.
    pub address: Address,
    /// How to reach what it lives in, as references.
    pub access: Json,
    /// What it needed, directly or through proofs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<Address>,
    /// What its loss would mean.
    pub loss: Loss,
    /// Whether the Score that wanted it allows that loss.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub may_be_lost: bool,
    /// Fields that ever held a secret.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sensitive: Vec<String>,
    /// The Score that wanted it last.
    pub origin: Origin,
    /// Whether it was seen to be there; until then it may or may not be.
    #[serde(default)]
    pub made: bool,
    /// Choices made at creation that the thing itself does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<Json>,
    /// What it held when it was last seen; of what may be lost without asking, nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<String>,
}

impl Entry {
    /// Whether nothing is new. That the line of a Score has moved is not: it moves with every edit of the program.
    pub(super) fn says_the_same_as(&self, other: &Self) -> bool {
        let Self { key, label, address, access, after, loss, may_be_lost, sensitive, origin, made, kept, held } = self;
        (key, label, address, access, after) == (&other.key, &other.label, &other.address, &other.access, &other.after)
            && (loss, may_be_lost, made, held) == (&other.loss, &other.may_be_lost, &other.made, &other.held)
            && (sensitive, kept, &origin.score) == (&other.sensitive, &other.kept, &other.origin.score)
    }

    /// What is remembered of what it holds. Where nobody is asked about a loss nothing is: what proofs write would be news for every
    /// run, and a run that changes nothing would write.
    pub(super) fn remembered(&self, held: Option<String>) -> Option<String> {
        held.filter(|_| self.loss == Loss::Data && !self.may_be_lost)
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Contents {
    format: u32,
    serial: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    identity: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    home: Option<Home>,
    #[serde(default)]
    entries: Vec<Entry>,
    #[serde(default)]
    proofs: BTreeMap<Address, String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    underway: Vec<Underway>,
}

/// One line of the journal.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    Made { key: Key, kept: Option<Json>, held: Option<String> },
    Gone { key: Key },
    Proved { proof: Address, digest: String },
}

/// Why the Ledger cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// It was written by a newer program.
    #[error("the Ledger `{path}` has format {found}, this program reads up to {FORMAT}")]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
    },
    /// It is not what a program wrote.
    #[error("the Ledger `{path}` is damaged in {place}")]
    Damaged {
        /// The file.
        path: PathBuf,
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
    /// Its file could not be used.
    #[error(transparent)]
    Io(#[from] IoError),
}

impl Entry {
    fn follow(&mut self, moved: &BTreeMap<Address, Address>) {
        let to = |address: &Address| moved.get(address).unwrap_or(address).clone();
        self.address = to(&self.address);
        self.after.iter_mut().for_each(|after| *after = to(after));
        self.access = value::redirect(&self.access, &to);
    }
}

impl LedgerError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Newer { .. } => Some("build the site program with the newer version of Harmony that wrote it".to_owned()),
            Self::Damaged { path, .. } => {
                Some(format!("restore `{}` from a backup; without it nothing that was made would be found again", path.display()))
            }
            Self::Superseded { .. } => Some("run it again: it looks at what is there and goes on from that".to_owned()),
            Self::Busy { taken, .. } => Some(taken.hint()),
            Self::Io(error) => error.hint().map(str::to_owned),
        }
    }
}

/// The Ledger of one site program.
#[derive(Debug)]
pub struct Ledger {
    io: Io,
    directory: PathBuf,
    serial: u64,
    identity: Option<String>,
    home: Option<Home>,
    /// Hashed: every run looks for every thing, and the keys of a kind are alike for most of their length.
    entries: HashMap<Key, Entry>,
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
    pub(super) fn set_fence(&mut self, fence: Option<Fence>) {
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
    pub(super) fn elsewhere(&self, here: &Home) -> Result<Option<(Home, Elsewhere)>, LedgerError> {
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
    pub(super) fn settle(&mut self, here: Home, moved: bool) {
        (self.home, self.moved) = (Some(here), moved);
    }

    pub(super) fn io(&self) -> &Io {
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
    pub(super) fn entries_but(&self, keys: &HashSet<&Key>) -> Vec<&Entry> {
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

    /// Entries refer to each other by address. What the program now says elsewhere is followed there; what stays behind at an address
    /// that something else takes is moved aside, and those that live in it with it.
    fn make_room(&mut self, incoming: &[Entry]) {
        let owners: BTreeMap<Address, Key> =
            self.entries.values().map(|entry| (entry.address.clone(), entry.key.clone())).collect();
        let mut moved = BTreeMap::new();
        for entry in incoming {
            if let Some(before) = self.entries.get(&entry.key).filter(|before| before.address != entry.address) {
                moved.insert(before.address.clone(), entry.address.clone());
            }
        }
        let coming: BTreeSet<&Key> = incoming.iter().map(|entry| &entry.key).collect();
        for entry in incoming {
            let aside = || entry.address.join(&format!("{ASIDE}{}", self.serial)).ok();
            if let Some(aside) = owners.get(&entry.address).filter(|owner| !coming.contains(owner)).and_then(|_| aside()) {
                moved.insert(entry.address.clone(), aside);
            }
        }
        if !moved.is_empty() {
            self.entries.values_mut().for_each(|entry| entry.follow(&moved));
        }
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
    pub(super) fn strike(&mut self, keys: &[Key]) -> Result<(), LedgerError> {
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

/// Where something was before it was moved aside because something else took its address.
pub(super) fn before_aside(address: &Address) -> Option<Address> {
    let (before, last) = address.as_str().rsplit_once('/')?;
    let number = last.strip_prefix(ASIDE)?;
    number.bytes().all(|digit| digit.is_ascii_digit()).then(|| before.parse().ok()).flatten()
}

fn parse(path: &Path, bytes: &[u8]) -> Result<Contents, LedgerError> {
    #[derive(Deserialize)]
    struct Version {
        format: u32,
    }
    let damaged = |source| LedgerError::Damaged { path: path.to_owned(), place: "its JSON".to_owned(), source };
    let Version { format } = serde_json::from_slice(bytes).map_err(damaged)?;
    if format > FORMAT {
        return Err(LedgerError::Newer { path: path.to_owned(), found: format });
    }
    serde_json::from_slice(bytes).map_err(damaged)
}
