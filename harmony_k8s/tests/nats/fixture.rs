//! Site programs with NATS servers on a cluster.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use harmony::arrangement::Arrangement;
use harmony::engine::maestro::EngineError;
use harmony::engine::plan::{Allowances, Plan};
use harmony::modules::nats::score::{AccountWish, CredentialsScore, Grant, JetstreamScore, KvBucketScore, NatsScore, UserWish};
use harmony::stage::Stage;
use harmony::topology::{Site, Survey};
use harmony::{Inventory, Maestro, Outcome, Score, Scores};
use harmony_io::Io;
use harmony_k8s::{Distribution, K8sAnywhereTopology, K8sFacts, K8sPlace, WithNats};
use harmony_local::nats_server::{Search, install};
use harmony_secret::{MemoryStore, SecretManager};
use harmony_testbed::{Cluster, Image, NodePrograms, available};
use harmony_types::ByteSize;
use tempfile::TempDir;

pub(crate) const IMAGE: &str = "harmony.test/nats-server:1";
pub(crate) const OTHER_IMAGE: &str = "harmony.test/nats-server:2";
/// One whose server finds its volume empty at each start.
pub(crate) const EMPTYING_IMAGE: &str = "harmony.test/nats-server:emptying";

pub(crate) struct Program {
    pub(crate) site: Site,
    pub(crate) place: K8sPlace<WithNats>,
    _directory: TempDir,
}

/// A cluster with the images of servers, and with the namespace `messaging`, in which only restricted pods may be.
pub(crate) async fn cluster(test: &str) -> Option<Cluster> {
    let mut cluster = available(test, Cluster::start("east"))?;
    let server = install(&Io::real(), &Search::from_environment(), &|_| ()).await.unwrap();
    let pod = NodePrograms::ensure(&|_| ()).unwrap().pod;
    let emptying = Image::new(EMPTYING_IMAGE, &["/pod", "empty", "/data", "/nats-server"]).with_program("/pod", pod);
    let images = [IMAGE, OTHER_IMAGE].map(|name| Image::new(name, &["/nats-server"]));
    for image in images.into_iter().chain([emptying]) {
        cluster.load_image(&image.with_program("/nats-server", &server.path)).unwrap();
    }
    let kubectl = cluster.kubectl();
    kubectl.run(&["create", "namespace", "messaging"]).unwrap();
    kubectl.run(&["label", "namespace", "messaging", "pod-security.kubernetes.io/enforce=restricted"]).unwrap();
    Some(cluster)
}

/// A site in a directory of its own.
pub(crate) fn site() -> (Site, TempDir) {
    let directory = TempDir::new().unwrap();
    let secrets = SecretManager::new(vec![Arc::new(MemoryStore::new())]);
    (Site::new(directory.path().join("messages"), secrets, Io::real()), directory)
}

impl Program {
    /// On a cluster of the testbed, in the namespace `messaging`.
    pub(crate) async fn new(kubeconfig: &Path, context: &str, image: &str) -> Self {
        let (site, directory) = site();
        Self { place: place(&site, kubeconfig, context, image).await, site, _directory: directory }
    }

    /// The same program, changed to run another image.
    pub(crate) async fn with_image(self, kubeconfig: &Path, context: &str, image: &str) -> Self {
        Self { place: place(&self.site, kubeconfig, context, image).await, ..self }
    }

    pub(crate) async fn plan(&self, scores: &Scores<K8sPlace<WithNats>>) -> Result<Plan, EngineError> {
        Maestro::new(&self.site).plan(&Inventory::empty(), &self.place, scores).await
    }

    pub(crate) async fn apply(&self, scores: &Scores<K8sPlace<WithNats>>, patience: Duration) -> Result<Outcome, EngineError> {
        let maestro = Maestro::new(&self.site).with_patience(patience);
        maestro.prepare(&Inventory::empty(), &self.place, scores).await?.apply().await
    }

    pub(crate) async fn destroy(&self, losing: &[&str]) -> Result<Outcome, EngineError> {
        let allowances =
            Allowances { losses: losing.iter().map(|address| (*address).to_owned()).collect(), ..Allowances::default() };
        Maestro::new(&self.site).with_allowances(allowances).prepare_destroy(&self.place).await?.apply().await
    }
}

async fn place(site: &Site, kubeconfig: &Path, context: &str, image: &str) -> K8sPlace<WithNats> {
    let topology = K8sAnywhereTopology::from_kubeconfig("cluster", kubeconfig, context)
        .with_namespace("messaging")
        .with_nats(harmony_nats::client())
        .with_nats_image(image)
        .with_nats_storage(ByteSize::mib(256));
    let facts = topology.survey(site).await.unwrap();
    topology.with_facts(site, facts).unwrap()
}

/// A cluster that nobody has looked at: its facts are said.
pub(crate) fn offline(distribution: Distribution) -> (K8sPlace<WithNats>, TempDir) {
    let (site, directory) = site();
    let topology = K8sAnywhereTopology::from_context("cluster", "none").with_namespace("messaging");
    let facts = K8sFacts { version: "v1.34.4".to_owned(), distribution };
    (topology.with_nats(harmony_nats::client()).with_facts(&site, facts).unwrap(), directory)
}

/// A system of so many servers with streams, a user and a bucket.
pub(crate) fn system<T>(servers: u8) -> Scores<T>
where
    T: harmony::topology::Topology,
    NatsScore: Score<T>,
    JetstreamScore: Score<T>,
    CredentialsScore: Score<T>,
    KvBucketScore: Score<T>,
{
    system_of(NatsScore::new("nats").with_servers(servers))
}

/// The same of a cluster that another Score declares.
pub(crate) fn system_of<T>(declaration: impl Score<T> + 'static) -> Scores<T>
where
    T: harmony::topology::Topology,
    JetstreamScore: Score<T>,
    CredentialsScore: Score<T>,
    KvBucketScore: Score<T>,
{
    let app = UserWish::new("app").with_grant(Grant::kv("settings").read_write());
    Scores::default()
        .with(declaration)
        .with(JetstreamScore::on("nats").with_max_file(ByteSize::mib(128)))
        .with(CredentialsScore::on("nats").with_account(AccountWish::new("APP").with_user(app)))
        .with(KvBucketScore::on("nats", "APP", "settings"))
}

pub(crate) fn arranged<T: harmony::topology::Topology>(place: &T, scores: &Scores<T>) -> Arrangement {
    Stage::play_all(scores, &Inventory::empty(), place).unwrap().0
}
