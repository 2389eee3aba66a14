//! A site program with its state in a temporary directory.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use harmony::engine::ledger::{Entry, Ledger};
use harmony::engine::maestro::EngineError;
use harmony::engine::plan::{Allowances, Plan};
use harmony::topology::{Fetching, Site};
use harmony::{Inventory, Maestro, Outcome, Scores};
use harmony_io::Io;
use harmony_secret::{MemoryStore, SecretManager};
use tempfile::TempDir;

use crate::fake::{FakePlace, World};
use crate::recorder::Recorder;

/// A site program over a fake place: its state in a temporary directory, its secrets in memory, its events recorded. It gives up on a
/// thing after two seconds.
pub struct FakeSite {
    directory: TempDir,
    /// Where it is, and how the outside is reached.
    pub site: Site,
    /// What there is.
    pub world: World,
    /// The place, called `fake`.
    pub place: FakePlace,
    /// What happened.
    pub events: Arc<Recorder>,
}

/// Contents and last change of a file.
pub type Stamp = (Vec<u8>, SystemTime);

impl Default for FakeSite {
    fn default() -> Self {
        Self::new()
    }
}

#[allow(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a fixture that cannot be set up ends the test")]
impl FakeSite {
    /// An empty site.
    #[must_use]
    pub fn new() -> Self {
        Self::in_directory(TempDir::new().unwrap(), Io::real())
    }

    /// An empty site whose files are kept in memory if this machine offers that: for tests that make thousands.
    #[must_use]
    pub fn in_memory() -> Self {
        let directory = TempDir::new_in("/dev/shm").or_else(|_| TempDir::new());
        Self::in_directory(directory.unwrap(), Io::real())
    }

    /// A site with the same Ledger over a twin of the world.
    #[must_use]
    pub fn twin(&self) -> Self {
        let mut twin = Self::in_memory();
        fs::create_dir_all(&twin.site.state).unwrap();
        for name in ["ledger.json", "ledger.journal"] {
            if let Ok(contents) = fs::read(self.site.state.join(name)) {
                fs::write(twin.site.state.join(name), contents).unwrap();
            }
        }
        twin.world = self.world.twin();
        twin.place = FakePlace::new("fake".parse().unwrap(), &twin.site, &twin.world);
        twin
    }

    /// The same site after its program has ended, looking at the outside through `io`.
    #[must_use]
    pub fn reopened(self, io: Io) -> Self {
        let world = self.world.clone();
        let mut site = Self::in_directory(self.directory, io);
        site.place = FakePlace::new("fake".parse().unwrap(), &site.site, &world);
        site.world = world;
        site
    }

    /// A second site over the same world, whose state is a copy of this one's.
    #[must_use]
    pub fn copied(&self) -> Self {
        let mut copy = Self::new();
        copy.world = self.world.clone();
        copy.place = FakePlace::new("fake".parse().unwrap(), &copy.site, &copy.world);
        fs::create_dir_all(&copy.site.state).unwrap();
        for entry in fs::read_dir(&self.site.state).unwrap().map(Result::unwrap) {
            fs::copy(entry.path(), copy.site.state.join(entry.file_name())).unwrap();
        }
        copy
    }

    fn in_directory(directory: TempDir, io: Io) -> Self {
        let secrets = SecretManager::new(vec![Arc::new(MemoryStore::new())]);
        let site = Site::new(directory.path().join("state"), secrets, io).with_fetching(Fetching::Forbidden);
        let world = World::default();
        let place = FakePlace::new("fake".parse().unwrap(), &site, &world);
        Self { directory, site, world, place, events: Arc::default() }
    }

    /// A directory for files that the site makes.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// A conductor of runs.
    #[must_use]
    pub fn maestro(&self) -> Maestro {
        Maestro::new(&self.site).with_observer(self.events.clone()).with_patience(Duration::from_secs(2))
    }

    /// What an apply would do.
    ///
    /// # Errors
    /// As [`Maestro::plan`].
    pub async fn plan(&self, scores: &Scores<FakePlace>) -> Result<Plan, EngineError> {
        self.maestro().plan(&Inventory::empty(), &self.place, scores).await
    }

    /// Plans and applies.
    ///
    /// # Errors
    /// As [`Maestro::prepare`] and its `apply`.
    pub async fn apply(&self, scores: &Scores<FakePlace>) -> Result<Outcome, EngineError> {
        self.apply_with(&self.maestro(), scores).await
    }

    /// Plans and applies, allowing the loss of what is at these addresses.
    ///
    /// # Errors
    /// As [`Maestro::prepare`] and its `apply`.
    pub async fn apply_losing(&self, scores: &Scores<FakePlace>, addresses: &[&str]) -> Result<Outcome, EngineError> {
        let losses = addresses.iter().map(|address| (*address).to_owned()).collect();
        self.apply_with(&self.maestro().with_allowances(Allowances { losses, ..Allowances::default() }), scores).await
    }

    /// Plans and applies as `maestro` does.
    ///
    /// # Errors
    /// As [`Maestro::prepare`] and its `apply`.
    pub async fn apply_with(&self, maestro: &Maestro, scores: &Scores<FakePlace>) -> Result<Outcome, EngineError> {
        maestro.prepare(&Inventory::empty(), &self.place, scores).await?.apply().await
    }

    /// Takes everything away.
    ///
    /// # Errors
    /// As [`Maestro::prepare_destroy`] and its `apply`.
    pub async fn destroy(&self) -> Result<Outcome, EngineError> {
        self.maestro().prepare_destroy(&self.place).await?.apply().await
    }

    /// Takes everything away, allowing the loss of what is at these addresses.
    ///
    /// # Errors
    /// As [`Maestro::prepare_destroy`] and its `apply`.
    pub async fn destroy_losing(&self, addresses: &[&str]) -> Result<Outcome, EngineError> {
        let losses = addresses.iter().map(|address| (*address).to_owned()).collect();
        let maestro = self.maestro().with_allowances(Allowances { losses, ..Allowances::default() });
        maestro.prepare_destroy(&self.place).await?.apply().await
    }

    /// The entries of the Ledger.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        Ledger::load(&Io::real(), &self.site.state).unwrap().entries().cloned().collect()
    }

    /// The text of a file of the state directory; empty if it is not there.
    #[must_use]
    pub fn state_file(&self, name: &str) -> String {
        fs::read_to_string(self.site.state.join(name)).unwrap_or_default()
    }

    /// Every file of the site but the lock, with contents and last change.
    #[must_use]
    pub fn files(&self) -> BTreeMap<PathBuf, Stamp> {
        let mut files = BTreeMap::new();
        let mut directories = vec![self.directory.path().to_owned()];
        while let Some(directory) = directories.pop() {
            for entry in fs::read_dir(directory).unwrap().map(Result::unwrap) {
                let metadata = entry.metadata().unwrap();
                if metadata.is_dir() {
                    directories.push(entry.path());
                } else if entry.file_name() != "lock" {
                    files.insert(entry.path(), (fs::read(entry.path()).unwrap(), metadata.modified().unwrap()));
                }
            }
        }
        files
    }
}
