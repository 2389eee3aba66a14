//! A site program over things in memory.

use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use harmony::engine::maestro::Prepared;
use harmony::topology::{Fetching, Site};
use harmony::{EngineError, Inventory, Maestro, Outcome, Scores};
use harmony_io::Io;
use harmony_secret::{MemoryStore, SecretManager};
use harmony_test::Stamp;
use tempfile::TempDir;

use super::disturbed::{Disturbance, Disturbed, Watch};
use super::instants::HOME;
use super::place::MemoryPlace;
use super::things::Things;
use crate::matrix::Command;

/// The site program of the supercluster: its Ledger and its lock in a temporary directory, everything else in memory.
pub struct MemorySite {
    directory: TempDir,
    things: Things,
    patience: Duration,
}

/// How a run ended.
#[derive(Debug)]
pub enum Ended {
    /// It was abandoned.
    Abandoned,
    /// It came to its end, or did not begin.
    Done(Result<Box<Outcome>, Box<EngineError>>),
}

impl Ended {
    /// Whether everything was done that was to be done.
    #[must_use]
    pub fn is_good(&self) -> bool {
        matches!(self, Self::Done(Ok(outcome)) if outcome.is_complete())
    }
}

impl Default for MemorySite {
    fn default() -> Self {
        Self::new()
    }
}

impl MemorySite {
    /// One with nothing made, which gives up on a thing after a second.
    ///
    /// # Panics
    /// If no temporary directory can be made.
    #[must_use]
    pub fn new() -> Self {
        let directory = TempDir::new_in("/dev/shm").or_else(|_| TempDir::new()).expect("a temporary directory");
        Self { directory, things: Things::default(), patience: Duration::from_secs(1) }
    }

    /// One with these things, and these files in its state directory.
    pub(super) fn with(things: Things, files: &[(String, Vec<u8>)]) -> Self {
        let site = Self { things, ..Self::new() };
        let state = site.state();
        if !files.is_empty() {
            std::fs::create_dir(&state).expect("a directory");
        }
        for (name, bytes) in files {
            let text = String::from_utf8_lossy(bytes).replace(HOME, &state.display().to_string());
            std::fs::write(state.join(name), text).expect("a file");
        }
        site
    }

    pub(super) fn state(&self) -> PathBuf {
        self.directory.path().join("state")
    }

    /// What there is.
    #[must_use]
    pub fn things(&self) -> &Things {
        &self.things
    }

    /// Everything that the site consists of: the things, and the files of the state directory but the lock.
    ///
    /// # Panics
    /// If the directory cannot be read.
    #[must_use]
    pub fn files(&self) -> Vec<(String, Stamp)> {
        let state = self.state();
        let entries = std::fs::read_dir(&state).into_iter().flatten().flatten();
        let stamp = |path: &std::path::Path| -> Stamp {
            let changed = std::fs::metadata(path).and_then(|metadata| metadata.modified()).expect("a time");
            (std::fs::read(path).expect("a file"), changed)
        };
        let named = |entry: std::fs::DirEntry| (entry.file_name().to_string_lossy().into_owned(), stamp(&entry.path()));
        let mut files: Vec<_> = entries.map(named).filter(|(name, _)| name != "lock").collect();
        files.sort();
        files
    }

    /// Whether there is no state directory any more.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        !self.state().exists()
    }

    /// Runs a command from its beginning, disturbed so. How it ended, where it was disturbed, and how many points it passed.
    ///
    /// # Panics
    /// If something of an abandoned run goes on.
    pub async fn run(&self, command: Command, disturbance: Disturbance) -> (Ended, Arc<Disturbed>, u64) {
        self.run_watched(command, disturbance, Box::new(|_, _| {})).await
    }

    pub(super) async fn run_watched(
        &self,
        command: Command,
        disturbance: Disturbance,
        watch: Watch,
    ) -> (Ended, Arc<Disturbed>, u64) {
        let disturbed = Arc::new(Disturbed::new(disturbance, self.directory.path().to_owned(), watch));
        let io = Io::with_faults(disturbed.clone());
        let running = AssertUnwindSafe(self.conduct(command, io.clone())).catch_unwind().await;
        let ended = match running {
            Ok(result) => Ended::Done(result.map(Box::new).map_err(Box::new)),
            Err(_) if disturbed.met().is_some() && matches!(disturbance, Disturbance::Die(_)) => Ended::Abandoned,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        assert_eq!(disturbed.passed_after_death(), 0, "something went on after {:?}", disturbed.met());
        (ended, disturbed, io.points())
    }

    async fn conduct(&self, command: Command, io: Io) -> Result<Outcome, EngineError> {
        let secrets = SecretManager::new(vec![Arc::new(MemoryStore::new())]);
        let state = self.state();
        let site = Site::new(state, secrets, io).with_fetching(Fetching::Forbidden);
        // Where things are said to be is the same in every site, so that they can be compared.
        let place = MemoryPlace::new(&Site { state: "/state".into(), ..site.clone() }, &self.things);
        let maestro = Maestro::new(&site).with_patience(self.patience);
        let prepared: Prepared = match command {
            Command::Apply => maestro.prepare(&Inventory::empty(), &place, &scores()).await?,
            Command::Destroy => maestro.prepare_destroy(&place).await?,
        };
        prepared.apply().await
    }
}

fn scores() -> Scores<MemoryPlace> {
    nats_supercluster_local::scores().for_place_around(|place: &MemoryPlace| &place.machine)
}
