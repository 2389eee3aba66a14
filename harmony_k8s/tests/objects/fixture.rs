//! A site program whose place is a control plane of the testbed.

use std::path::Path;
use std::sync::Arc;

use harmony::engine::maestro::EngineError;
use harmony::engine::plan::{Allowances, Change, Plan};
use harmony::modules::k8s::score::K8sResourceScore;
use harmony::topology::{Site, Survey};
use harmony::{Inventory, Maestro, Outcome, Scores};
use harmony_io::Io;
use harmony_k8s::{K8sAnywhereTopology, K8sPlace};
use harmony_secret::{MemoryStore, SecretManager};
use harmony_testbed::{AuditTrail, ControlPlane, Mark};
use tempfile::TempDir;

pub(crate) struct Program {
    site: Site,
    pub(crate) place: K8sPlace,
    _directory: TempDir,
}

impl Program {
    /// A site program called `name`, on the cluster of a kubeconfig.
    pub(crate) async fn new(name: &str, kubeconfig: &Path) -> Self {
        let directory = TempDir::new().unwrap();
        let secrets = SecretManager::new(vec![Arc::new(MemoryStore::new())]);
        let site = Site::new(directory.path().join(name), secrets, Io::real());
        let topology = K8sAnywhereTopology::from_kubeconfig("cluster", kubeconfig, "testbed");
        let facts = topology.survey(&site).await.unwrap();
        let place = topology.with_facts(&site, facts).unwrap();
        Self { site, place, _directory: directory }
    }

    pub(crate) fn site(&self) -> &Site {
        &self.site
    }

    pub(crate) async fn plan(&self, scores: &Scores<K8sPlace>) -> Result<Plan, EngineError> {
        Maestro::new(&self.site).plan(&Inventory::empty(), &self.place, scores).await
    }

    pub(crate) async fn apply(&self, scores: &Scores<K8sPlace>) -> Result<Outcome, EngineError> {
        Maestro::new(&self.site).prepare(&Inventory::empty(), &self.place, scores).await?.apply().await
    }

    /// Applies, and all of it succeeds; how many writes there were.
    pub(crate) async fn applied(&self, scores: &Scores<K8sPlace>) -> usize {
        let outcome = self.apply(scores).await.unwrap();
        assert!(outcome.failures.is_empty(), "{:?}", outcome.failures);
        outcome.writes
    }

    pub(crate) async fn destroyed(&self, losing: &[&str]) -> usize {
        let allowances =
            Allowances { losses: losing.iter().map(|address| (*address).to_owned()).collect(), ..Allowances::default() };
        let maestro = Maestro::new(&self.site).with_allowances(allowances);
        let outcome = maestro.prepare_destroy(&self.place).await.unwrap().apply().await.unwrap();
        assert!(outcome.failures.is_empty(), "{:?}", outcome.failures);
        outcome.writes
    }
}

/// What a plan would change: each address with the change and the fields that differ.
pub(crate) fn changes(plan: &Plan) -> Vec<(String, Change, Vec<String>)> {
    let steps = plan.steps.iter().filter(|step| step.change.is_pending());
    steps
        .map(|step| (step.address.to_string(), step.change.clone(), step.fields.iter().map(|field| field.path.clone()).collect()))
        .collect()
}

/// What the administrator asked since `mark`.
pub(crate) fn asked(plane: &ControlPlane, mark: Mark) -> AuditTrail {
    plane.audit().since(mark).unwrap().of_user(plane.administrator())
}

/// Scores of these YAML texts.
pub(crate) fn yaml(texts: &[&str]) -> Scores<K8sPlace> {
    let scores = texts.iter().enumerate();
    scores.fold(Scores::default(), |all, (number, text)| all.with(K8sResourceScore::yaml(&format!("objects-{number}"), text)))
}
