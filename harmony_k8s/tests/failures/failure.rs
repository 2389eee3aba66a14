//! One failure: a wish that cannot come true, in a namespace of its own, and when it was seen, named and given up.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use harmony::engine::events::{Event, Observer};
use harmony::engine::maestro::EngineError;
use harmony::engine::plan::Allowances;
use harmony::modules::k8s::score::K8sResourceScore;
use harmony::topology::{Site, Survey};
use harmony::{Inventory, Maestro, Outcome, Scores};
use harmony_io::Io;
use harmony_k8s::{K8sAnywhereTopology, K8sPlace};
use harmony_secret::{MemoryStore, SecretManager};
use harmony_testbed::Kubectl;
use serde_json::Value as Json;
use tempfile::TempDir;

/// A failure of the table.
pub(crate) struct Failure {
    /// What the table calls it.
    pub(crate) name: &'static str,
    /// What is wished, in the namespace `NAMESPACE`.
    pub(crate) objects: String,
    /// Whether what the API shows of the namespace (pods, events, claims, sets) has the sign; nothing if it shows in the answer to a request of the run.
    pub(crate) sign: Option<fn(&[Json]) -> bool>,
    /// Object, container and reason.
    pub(crate) says: &'static [&'static str],
    pub(crate) ends: Ends,
}

/// When a run ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ends {
    /// Before anything is written.
    BeforeItWrites,
    /// As soon as there is the sign.
    AtOnce,
    /// When the sign has lasted so many seconds.
    After(u64),
}

/// A site program of one namespace.
pub(crate) struct Program {
    site: Site,
    place: K8sPlace,
    _directory: TempDir,
}

/// Everything that a run says, with the time.
#[derive(Default)]
pub(crate) struct Said(Mutex<Vec<(Instant, String)>>);

impl Observer for Said {
    fn on(&self, event: &Event) {
        self.0.lock().unwrap().push((Instant::now(), serde_json::to_string(event).unwrap()));
    }
}

impl Said {
    pub(crate) fn lines(&self) -> Vec<(Instant, String)> {
        self.0.lock().unwrap().clone()
    }
}

impl Program {
    pub(crate) async fn new(namespace: &str, kubeconfig: &Path, context: &str) -> Self {
        let directory = TempDir::new().unwrap();
        let secrets = SecretManager::new(vec![Arc::new(MemoryStore::new())]);
        let site = Site::new(directory.path().join(namespace), secrets, Io::real());
        let topology = K8sAnywhereTopology::from_kubeconfig("cluster", kubeconfig, context).with_namespace(namespace);
        let facts = topology.survey(&site).await.unwrap();
        let place = topology.with_facts(&site, facts).unwrap();
        Self { site, place, _directory: directory }
    }

    /// The same program as another user.
    pub(crate) async fn go_on_as(&mut self, kubeconfig: &Path) {
        let topology = K8sAnywhereTopology::from_kubeconfig("cluster", kubeconfig, "testbed");
        let facts = topology.survey(&self.site).await.unwrap();
        self.place = topology.with_facts(&self.site, facts).unwrap();
    }

    pub(crate) async fn destroy(&self, losing: &[&str]) -> Result<Outcome, EngineError> {
        let losses = losing.iter().map(|address| (*address).to_owned()).collect();
        let maestro = Maestro::new(&self.site).with_allowances(Allowances { losses, ..Allowances::default() });
        maestro.prepare_destroy(&self.place).await?.apply().await
    }

    pub(crate) fn secrets(&self) -> &SecretManager {
        &self.site.secrets
    }

    pub(crate) async fn apply(&self, scores: &Scores<K8sPlace>, said: &Arc<Said>) -> Result<Outcome, EngineError> {
        let maestro = Maestro::new(&self.site).with_observer(said.clone());
        maestro.prepare(&Inventory::empty(), &self.place, scores).await?.apply().await
    }
}

/// So soon after its first sign a failure is named.
const IN_TIME: Duration = Duration::from_secs(10);

/// What a run of a failure did.
pub(crate) struct Run {
    pub(crate) said: Arc<Said>,
    /// When it began.
    pub(crate) begun: Instant,
    /// When it ended.
    pub(crate) ended: Instant,
    /// Whether before it wrote anything.
    pub(crate) before_it_writes: bool,
    /// What failed, with why.
    pub(crate) error: String,
}

impl Failure {
    pub(crate) fn namespace(&self) -> String {
        self.name.replace(' ', "-").to_lowercase()
    }

    /// Runs it to its end.
    pub(crate) async fn run(&self, kubeconfig: &Path, context: &str) -> Run {
        let namespace = self.namespace();
        let program = Program::new(&namespace, kubeconfig, context).await;
        let objects = self.objects.replace("NAMESPACE", &namespace);
        let scores = Scores::default().with(K8sResourceScore::yaml(self.name, &objects));
        let (said, begun) = (Arc::new(Said::default()), Instant::now());
        let (before_it_writes, failures) = match program.apply(&scores, &said).await {
            Ok(outcome) => (false, outcome.failures),
            Err(EngineError::Observe { troubles }) => (true, troubles),
            Err(refused @ EngineError::NotPermitted { .. }) => {
                return Run { said, begun, ended: Instant::now(), before_it_writes: true, error: refused.to_string() };
            }
            Err(other) => panic!("{}: {other}", self.name),
        };
        let lines = failures.into_iter().map(|failed| [failed.error, failed.hint.unwrap_or_default()].join("; "));
        let error = lines.collect::<Vec<_>>().join("\n");
        Run { said, begun, ended: Instant::now(), before_it_writes, error }
    }

    /// Holds the run against the table.
    pub(crate) fn check(&self, run: &Run, first_sign: Option<Instant>) {
        let name = self.name;
        let names_it = |text: &str| self.says.iter().all(|part| text.contains(part));
        assert!(names_it(&run.error), "{name}: it ends without {:?}: {}", self.says, run.error);
        assert_eq!(run.before_it_writes, self.ends == Ends::BeforeItWrites, "{name}: {}", run.error);
        if run.before_it_writes || self.sign.is_none() {
            // The sign is the answer to a request of the run itself.
            let took = run.ended.saturating_duration_since(run.begun);
            assert!(took < IN_TIME, "{name}: named {took:?} after the run began: {}", run.error);
            return;
        }
        let sign = first_sign.unwrap_or_else(|| panic!("{name}: the API showed no sign; the run: {}", run.error));
        // What a line of JSON escapes is the same in words.
        let lines = run.said.lines();
        let named = lines.iter().find(|(_, line)| names_it(&line.replace("\\\"", "\"")));
        let (named, _) = named.unwrap_or_else(|| panic!("{name}: no event names it: {lines:#?}"));
        let after = named.saturating_duration_since(sign);
        assert!(after < IN_TIME, "{name}: named {after:?} after the sign");
        let took = run.ended.saturating_duration_since(sign).as_secs_f64();
        let (least, most) = match self.ends {
            Ends::After(grace) => (grace as f64 - 5.0, grace as f64 + 15.0),
            _ => (0.0, 10.0),
        };
        assert!((least..most).contains(&took), "{name}: ended {took:.1} s after the sign: {}", run.error);
    }
}

/// What an API shows of things in trouble, by namespace.
pub(crate) fn shown(kubectl: &Kubectl) -> Vec<Json> {
    let text = kubectl.run(&["get", "pods,events,persistentvolumeclaims,replicasets", "-A", "-o", "json"]).unwrap();
    let mut list: Json = serde_json::from_str(&text).unwrap();
    match list["items"].take() {
        Json::Array(items) => items,
        _ => Vec::new(),
    }
}
