//! Machines that share a world, the state of a site program, and a lease.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use harmony::engine::maestro::{EngineError, Prepared};
use harmony::lease::{Lease, LeaseRecord, LeaseStore, MemoryLeaseStore, Stored, Version, WallTime};
use harmony::provider::ProviderError;
use harmony::topology::Site;
use harmony::{Inventory, Maestro, Outcome, Scores};
use harmony_io::Io;
use harmony_secret::{MemoryStore, SecretManager};
use harmony_test::{FakePlace, Recorder, World};
use tempfile::TempDir;

/// How long a lease is held in these tests without being renewed; time is not real.
pub(super) const DURATION: Duration = Duration::from_secs(30);

/// What all machines share.
pub(super) struct Shared {
    pub(super) directory: TempDir,
    pub(super) world: World,
    pub(super) lease: MemoryLeaseStore,
}

/// One machine, and its way to the lease.
pub(super) struct Machine {
    pub(super) site: Site,
    pub(super) place: FakePlace,
    pub(super) way: Arc<Way>,
    pub(super) events: Arc<Recorder>,
}

/// The way from one machine to the lease, which can be cut.
pub(super) struct Way {
    store: MemoryLeaseStore,
    state: AtomicU8,
    pub(super) swaps: Mutex<u32>,
}

/// What becomes of what goes this way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Passing {
    Open,
    /// An error comes back, and nothing is done.
    Refused,
    /// Nothing comes back.
    Silent,
    /// It is done, and the answer is lost.
    AnswerLost,
}

impl Shared {
    pub(super) fn new() -> Self {
        Self { directory: TempDir::new().unwrap(), world: World::default(), lease: MemoryLeaseStore::default() }
    }

    pub(super) fn state(&self) -> PathBuf {
        self.directory.path().join("state")
    }

    pub(super) fn machine(&self, host: &str) -> Machine {
        let secrets = SecretManager::new(vec![Arc::new(MemoryStore::new())]);
        let way = Arc::new(Way { store: self.lease.clone(), state: AtomicU8::new(0), swaps: Mutex::new(0) });
        let lease = Lease::new(Arc::clone(&way) as Arc<dyn LeaseStore>).with_duration(DURATION).on_host(host);
        let site = Site::new(self.state(), secrets, Io::real()).with_lease(lease);
        let place = FakePlace::new("fake".parse().unwrap(), &site, &self.world);
        Machine { site, place, way, events: Arc::default() }
    }

    /// What the lease says.
    pub(super) async fn record(&self) -> LeaseRecord {
        self.lease.find().await.unwrap().unwrap().record
    }

    /// A run that took the lease and died.
    pub(super) async fn die_holding(&self, number: u64) {
        let before = self.lease.find().await.unwrap().map(|stored| stored.version);
        let holder = Some("a run that died".to_owned());
        let record = LeaseRecord { holder, duration: DURATION, number, taken: WallTime(1), renewed: WallTime(1) };
        self.lease.swap(before.as_ref(), &record).await.unwrap();
    }
}

impl Machine {
    pub(super) fn maestro(&self) -> Maestro {
        Maestro::new(&self.site).with_observer(self.events.clone()).with_patience(Duration::from_secs(300))
    }

    pub(super) async fn prepare(&self, scores: &Scores<FakePlace>) -> Result<Prepared, EngineError> {
        self.maestro().prepare(&Inventory::empty(), &self.place, scores).await
    }

    pub(super) async fn apply(&self, scores: &Scores<FakePlace>) -> Result<Outcome, EngineError> {
        self.prepare(scores).await?.apply().await
    }

    pub(super) fn lease(&self) -> &Lease {
        self.site.lease.as_ref().unwrap()
    }

    /// What users were told since this was asked last.
    pub(super) fn remarks(&self) -> Vec<String> {
        let events = self.events.take().into_iter().map(|line| serde_json::from_str::<serde_json::Value>(&line).unwrap());
        events.filter(|event| event["event"] == "remark").map(|event| event["says"].as_str().unwrap().to_owned()).collect()
    }
}

impl Way {
    pub(super) fn let_pass(&self, passing: Passing) {
        self.state.store(passing as u8, Ordering::Relaxed);
    }

    fn passing(&self) -> Passing {
        let all = [Passing::Open, Passing::Refused, Passing::Silent, Passing::AnswerLost];
        all[usize::from(self.state.load(Ordering::Relaxed))]
    }
}

#[async_trait]
impl LeaseStore for Way {
    fn name(&self) -> String {
        "the shared lease".to_owned()
    }

    async fn find(&self) -> Result<Option<Stored>, ProviderError> {
        match self.passing() {
            Passing::Refused => Err(ProviderError::unreachable("failed to look at the lease", "the store is down")),
            Passing::Silent => std::future::pending().await,
            Passing::Open | Passing::AnswerLost => self.store.find().await,
        }
    }

    async fn swap(&self, expected: Option<&Version>, record: &LeaseRecord) -> Result<Version, ProviderError> {
        *self.swaps.lock().unwrap() += 1;
        match self.passing() {
            Passing::Refused => Err(ProviderError::unreachable("failed to write the lease", "the store is down")),
            Passing::Silent => std::future::pending().await,
            Passing::Open => self.store.swap(expected, record).await,
            Passing::AnswerLost => {
                self.store.swap(expected, record).await?;
                Err(ProviderError::unreachable("failed to write the lease", "the answer is lost"))
            }
        }
    }
}
