//! Machines on which runs of one site program start with nothing but a kubeconfig.

use std::path::Path;
use std::sync::Arc;

use harmony::engine::maestro::EngineError;
use harmony::engine::plan::Plan;
use harmony::engine::saved::SavedPlan;
use harmony::lease::{Lease, MemoryLeaseStore};
use harmony::topology::{Site, Survey};
use harmony::{Inventory, Maestro, Outcome, Scores};
use harmony_io::Io;
use harmony_k8s::K8sAnywhereTopology;
use harmony_secret::{MemoryStore, SecretManager};
use harmony_test::{FakePlace, FakeThing, Recorder, World, score};
use harmony_testbed::{AuditEvent, AuditTrail, ControlPlane, Mark};
use tempfile::TempDir;

/// The namespace in which state is kept.
pub(crate) const NAMESPACE: &str = "state";
/// The name of its objects: the program is called `shop`.
pub(crate) const NAME: &str = "harmony-shop";

/// A machine of its own: an empty state directory, a name, and a world that all machines share.
pub(crate) struct Machine {
    pub(crate) site: Site,
    place: FakePlace,
    pub(crate) events: Arc<Recorder>,
    _directory: TempDir,
}

impl Machine {
    pub(crate) fn new(host: &str, kubeconfig: &Path, world: &World) -> Self {
        Self::through(Io::real(), host, kubeconfig, world)
    }

    /// The same with another way to the outside.
    pub(crate) fn through(io: Io, host: &str, kubeconfig: &Path, world: &World) -> Self {
        let directory = TempDir::new().unwrap();
        let mut site = site(&directory.path().join("shop"), io, kubeconfig);
        site.lease = site.lease.map(|lease| lease.on_host(host));
        let place = FakePlace::new("fake".parse().unwrap(), &site, world).reached_from_anywhere();
        Self { site, place, events: Arc::default(), _directory: directory }
    }

    /// The same with a lease that a run that ends badly gives back: what is tried is the Ledger.
    pub(crate) fn with_lease_in_memory(mut self, lease: &MemoryLeaseStore) -> Self {
        self.site.lease = Some(Lease::new(Arc::new(lease.clone())));
        self
    }

    pub(crate) fn maestro(&self) -> Maestro {
        Maestro::new(&self.site).with_observer(self.events.clone())
    }

    pub(crate) async fn plan(&self, scores: &Scores<FakePlace>) -> Result<Plan, EngineError> {
        self.maestro().plan(&Inventory::empty(), &self.place, scores).await
    }

    pub(crate) async fn apply(&self, scores: &Scores<FakePlace>) -> Result<Outcome, EngineError> {
        self.maestro().prepare(&Inventory::empty(), &self.place, scores).await?.apply().await
    }

    pub(crate) async fn destroy(&self) -> Result<Outcome, EngineError> {
        self.maestro().prepare_destroy(&self.place).await?.apply().await
    }

    pub(crate) async fn save(&self, scores: &Scores<FakePlace>) -> SavedPlan {
        self.maestro().plan_to_save(&Inventory::empty(), &self.place, scores).await.unwrap()
    }

    pub(crate) async fn carry_out(&self, saved: &SavedPlan, scores: &Scores<FakePlace>) -> Result<Outcome, EngineError> {
        self.maestro().prepare_saved(saved, &Inventory::empty(), &self.place, scores).await?.apply().await
    }

    /// Applies, and all of it succeeds; how many writes there were.
    pub(crate) async fn applied(&self, scores: &Scores<FakePlace>) -> usize {
        succeeded(self.apply(scores).await)
    }

    pub(crate) async fn destroyed(&self) -> usize {
        succeeded(self.destroy().await)
    }
}

fn succeeded(outcome: Result<Outcome, EngineError>) -> usize {
    let outcome = outcome.unwrap();
    assert!(outcome.failures.is_empty() && outcome.lease_lost.is_none(), "{outcome:?}");
    outcome.writes
}

/// The site of a program with its state in the cluster of a kubeconfig.
pub(crate) fn site(state: &Path, io: Io, kubeconfig: &Path) -> Site {
    let secrets = SecretManager::new(vec![Arc::new(MemoryStore::new())]);
    topology(kubeconfig).keep_state(Site::new(state.to_owned(), secrets, io)).unwrap()
}

pub(crate) fn topology(kubeconfig: &Path) -> K8sAnywhereTopology {
    K8sAnywhereTopology::from_kubeconfig("cluster", kubeconfig, "testbed").with_state_in(NAMESPACE)
}

/// A control plane with the namespace for state.
pub(crate) fn with_namespace(plane: ControlPlane) -> ControlPlane {
    plane.kubectl().run(&["create", "namespace", NAMESPACE]).unwrap();
    plane
}

/// Things of these names that do not need each other.
pub(crate) fn things(names: &[String]) -> Scores<FakePlace> {
    let names = names.to_vec();
    Scores::default().with(score("program", move |_, place, stage| {
        for (number, name) in names.iter().enumerate() {
            stage.add(place, &format!("thing-{number}"), &FakeThing::new(name))?;
        }
        Ok(())
    }))
}

pub(crate) fn named(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// Names of which a dozen make a Ledger too large for one object: they are random, and longer than what a compression looks back.
pub(crate) fn long_names(count: usize) -> Vec<String> {
    let name = |number: usize| {
        let words = (0..920).map(|word| harmony_types::Digest::of(format!("{number} {word}").as_bytes()));
        let bytes = words.flat_map(|word| data_encoding::HEXLOWER.decode(word.hex().as_bytes()).unwrap());
        data_encoding::BASE64URL_NOPAD.encode(&bytes.collect::<Vec<u8>>())
    };
    (0..count).map(name).collect()
}

/// The objects of state but the lease, with their contents.
pub(crate) fn kept(plane: &ControlPlane) -> Vec<String> {
    let names = plane.kubectl().run(&["-n", NAMESPACE, "get", "configmaps", "-o", "name"]).unwrap();
    names.lines().filter(|name| !name.contains("kube-root-ca")).map(|name| name.replace("configmap/", "")).collect()
}

/// What the Ledger's requests were since `mark`, reviews of rights left out.
pub(crate) fn asked(plane: &ControlPlane, mark: Mark) -> AuditTrail {
    let all = plane.audit().since(mark).unwrap().of_user(plane.administrator());
    AuditTrail(all.0.into_iter().filter(|event| is_of(event, "configmaps")).collect())
}

/// Whether a request was about objects of this kind.
pub(crate) fn is_of(event: &AuditEvent, kind: &str) -> bool {
    event.object.as_ref().is_some_and(|object| object.resource == kind)
}
