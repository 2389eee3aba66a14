//! A Ledger that is kept elsewhere than in files.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use harmony::engine::home::Elsewhere;
use harmony::engine::ledger::{Fence, Ledger, LedgerError, LedgerState, LedgerStore, StoredLedger};
use harmony::engine::maestro::EngineError;
use harmony::provider::ProviderError;
use harmony_test::{Call, Failing, FakePlace, FakeSite};

use crate::programs::{chain, things};

/// A store that counts, whose lines wait for each other, and that can be cut off.
#[derive(Debug, Clone)]
struct Store {
    pace: Duration,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Debug, Default)]
struct Shared {
    stored: StoredLedger,
    saves: u64,
    /// The lines of each append.
    appends: Vec<usize>,
    fails: Option<Fails>,
    lacks: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fails {
    LinesAreNotAnswered,
    SomebodyElseHasWrittenIt,
}

impl Store {
    fn new(pace: u64) -> Self {
        Self { pace: Duration::from_secs(pace), shared: Arc::default() }
    }

    /// A site on a machine with an empty state directory, over the same world.
    fn site(&self, before: Option<&FakeSite>) -> FakeSite {
        let mut site = FakeSite::new();
        site.world = before.map_or_else(|| site.world.clone(), |before| before.world.clone());
        site.site = site.site.clone().with_ledger(Arc::new(self.clone()));
        site.place = FakePlace::new("fake".parse().unwrap(), &site.site, &site.world);
        site
    }

    fn writes(&self) -> (u64, usize) {
        let shared = self.shared.lock().unwrap();
        (shared.saves, shared.appends.len())
    }

    /// The state after another write.
    fn written(shared: &mut Shared, has_lines: bool) -> Result<LedgerState, LedgerError> {
        if shared.fails == Some(Fails::SomebodyElseHasWrittenIt) {
            return Err(LedgerError::Superseded { why: "run 9 has written it meanwhile".to_owned() });
        }
        let version = Some((shared.saves + shared.appends.len() as u64).to_string());
        shared.stored.state = LedgerState { version, has_lines };
        Ok(shared.stored.state.clone())
    }
}

#[async_trait]
impl LedgerStore for Store {
    fn name(&self) -> String {
        "in memory".to_owned()
    }

    fn pace(&self) -> Duration {
        self.pace
    }

    fn is_shared(&self) -> bool {
        true
    }

    async fn find(&self) -> Result<StoredLedger, LedgerError> {
        Ok(self.shared.lock().unwrap().stored.clone())
    }

    async fn find_newest(&self) -> Result<u64, LedgerError> {
        Ok(0)
    }

    async fn claim(&self, _: &Fence) -> Result<(), LedgerError> {
        Ok(())
    }

    async fn save(&self, known: &LedgerState, whole: &[u8], _: Option<&Fence>) -> Result<LedgerState, LedgerError> {
        let mut shared = self.shared.lock().unwrap();
        assert_eq!(*known, shared.stored.state, "a writer knows what it writes over");
        shared.saves += 1;
        (shared.stored.whole, shared.stored.lines) = (Some(whole.to_vec()), Vec::new());
        Self::written(&mut shared, false)
    }

    async fn append(&self, known: &LedgerState, lines: &[u8], _: Option<&Fence>) -> Result<LedgerState, LedgerError> {
        let mut shared = self.shared.lock().unwrap();
        assert_eq!(*known, shared.stored.state, "a writer knows what it writes over");
        if shared.fails == Some(Fails::LinesAreNotAnswered) {
            return Err(ProviderError::unreachable("failed to write lines", "no answer").into());
        }
        shared.appends.push(lines.split(|byte| *byte == b'\n').count());
        shared.stored.lines.extend_from_slice(lines);
        shared.stored.lines.push(b'\n');
        Self::written(&mut shared, true)
    }

    async fn remove(&self, known: &LedgerState, _: Option<&Fence>) -> Result<(), LedgerError> {
        let mut shared = self.shared.lock().unwrap();
        assert_eq!(*known, shared.stored.state, "a writer knows what it writes over");
        shared.stored = StoredLedger::default();
        Ok(())
    }

    async fn missing_rights(&self) -> Result<Vec<String>, ProviderError> {
        Ok(self.shared.lock().unwrap().lacks.clone())
    }
}

#[tokio::test]
async fn another_machine_finds_in_it_what_was_made_and_takes_it_away() {
    let store = Store::new(5);
    let one = store.site(None);
    one.apply(&things(&["a", "b"])).await.unwrap();
    assert!(one.files().is_empty(), "nothing of it is in the state directory");
    let writes = store.writes();
    let other = store.site(Some(&one));
    assert_eq!(other.apply(&things(&["a", "b"])).await.unwrap().writes, 0);
    assert_eq!(store.writes(), writes, "a converged run writes nothing there");
    other.destroy().await.unwrap();
    assert!(other.world.identities().is_empty() && store.shared.lock().unwrap().stored.whole.is_none());
}

#[tokio::test(start_paused = true)]
async fn lines_wait_for_others_and_are_there_after_a_kill() {
    let store = Store::new(5);
    let site = store.site(None);
    for name in ["a", "b", "c"] {
        site.world.fail(Call::Apply, name, Failing::Slow(Duration::from_secs(3)), 1);
    }
    let seen = Arc::new(Mutex::new(StoredLedger::default()));
    let (noted, shared) = (seen.clone(), store.shared.clone());
    site.world.watch(move |happened| {
        if happened.identity == "c" {
            *noted.lock().unwrap() = shared.lock().unwrap().stored.clone();
        }
    });
    let outcome = site.maestro().with_patience(Duration::from_secs(60));
    site.apply_with(&outcome, &chain("x")).await.unwrap();
    assert_eq!(store.shared.lock().unwrap().appends, [2], "the lines of `a` and `b` together, and that of `c` with the whole");
    assert_eq!(store.writes(), (2, 1));
    // The run is killed while it makes `c`.
    let killed = Store::new(5);
    killed.shared.lock().unwrap().stored = seen.lock().unwrap().clone();
    let ledger = Ledger::of(&killed.site(None).site).await.unwrap();
    let made: Vec<_> = ledger.entries().map(|entry| (entry.label.as_str(), entry.made)).collect();
    assert_eq!(made, [("a", true), ("b", true), ("c", false)]);
}

#[tokio::test(start_paused = true)]
async fn lines_that_do_not_come_through_are_no_reason_to_fail() {
    let store = Store::new(0);
    let site = store.site(None);
    store.shared.lock().unwrap().fails = Some(Fails::LinesAreNotAnswered);
    let outcome = site.apply(&chain("x")).await.unwrap();
    assert_eq!((outcome.writes, outcome.failures.len()), (3, 0));
    let ledger = Ledger::of(&site.site).await.unwrap();
    assert!(ledger.entries().count() == 3 && ledger.entries().all(|entry| entry.made), "the end says it all");
}

#[tokio::test]
async fn nothing_is_made_that_cannot_be_written_down() {
    let store = Store::new(5);
    let site = store.site(None);
    store.shared.lock().unwrap().fails = Some(Fails::SomebodyElseHasWrittenIt);
    let error = site.apply(&things(&["a"])).await.unwrap_err();
    assert_eq!(error.to_string(), "this run may not write the Ledger any more: run 9 has written it meanwhile");
    assert_eq!(site.world.writes(), 0);
}

#[tokio::test]
async fn rights_to_write_it_are_asked_for_before_anything_is_made() {
    let store = Store::new(5);
    let site = store.site(None);
    store.shared.lock().unwrap().lacks = vec!["write there".to_owned()];
    let error = site.apply(&things(&["a"])).await.unwrap_err();
    assert!(matches!(&error, EngineError::NotPermitted { missing } if *missing == ["write there"]), "{error:?}");
    assert_eq!((site.world.writes(), store.writes()), (0, (0, 0)));
}

#[tokio::test]
async fn what_is_shared_on_purpose_is_at_home_in_every_directory_and_checkout_but_not_on_another_machine() {
    let store = Store::new(5);
    let one = store.site(None);
    one.apply(&things(&["a"])).await.unwrap();
    let edit = |field: &str, value: &str| {
        let mut shared = store.shared.lock().unwrap();
        let mut ledger: serde_json::Value = serde_json::from_slice(shared.stored.whole.as_ref().unwrap()).unwrap();
        ledger["home"][field] = value.into();
        shared.stored.whole = Some(ledger.to_string().into_bytes());
    };
    edit("checkout", "/users/other/site");
    assert_eq!(store.site(Some(&one)).apply(&things(&["a"])).await.unwrap().writes, 0);
    // A container may have no number of its own.
    if std::path::Path::new("/etc/machine-id").exists() {
        edit("machine", "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        let error = store.site(Some(&one)).apply(&things(&["a"])).await.unwrap_err();
        assert!(matches!(error, EngineError::Elsewhere { how: Elsewhere::Machine, .. }), "{error:?}");
    }
}
