//! What is measured, each a process of its own.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use futures::StreamExt;
use harmony::modules::k8s::score::K8sResourceScore;
use harmony::topology::{Site, Survey};
use harmony::{Inventory, Maestro, Scores};
use harmony_io::Io;
use harmony_k8s::{K8sAnywhereTopology, K8sPlace};
use harmony_secret::{MemoryStore, SecretManager};
use http::{Request, header};
use kube::client::Body;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde_json::{Value as Json, json};

use crate::objects::{objects, path};

/// As many as a run has steps side by side.
const AT_ONCE: usize = 16;

/// What one process is told to do.
pub(crate) struct Told {
    pub(crate) doing: String,
    pub(crate) kubeconfig: String,
    pub(crate) state: String,
    pub(crate) namespace: String,
    pub(crate) count: usize,
}

/// Does it, and returns the seconds that it took without what every process needs to start.
pub(crate) async fn carry_out(told: &Told) -> f64 {
    let objects = objects(&told.namespace, told.count);
    let begun = Instant::now();
    match told.doing.as_str() {
        "raw" => patch_all(&told.kubeconfig, &objects).await,
        doing => play(told, doing, &objects).await,
    }
    begun.elapsed().as_secs_f64()
}

/// A loop that sends each object by the same client, so many at once, and reads the answers.
async fn patch_all(kubeconfig: &str, objects: &[Json]) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let options = KubeConfigOptions::default();
    let mut config = Config::from_custom_kubeconfig(Kubeconfig::read_from(kubeconfig).unwrap(), &options).await.unwrap();
    config.default_retry = false;
    let client = Client::try_from(config).unwrap();
    let patch = |object: Json| {
        let client = client.clone();
        async move {
            let request = Request::patch(format!("{}?fieldManager=raw&force=false&fieldValidation=Strict", path(&object)));
            let request = request.header(header::ACCEPT, "application/json");
            let request = request.header(header::CONTENT_TYPE, "application/apply-patch+yaml");
            let response = client.send(request.body(Body::from(object.to_string().into_bytes())).unwrap()).await.unwrap();
            assert!(response.status().is_success(), "{}", response.status());
            let _: Json = serde_json::from_slice(&response.into_body().collect_bytes().await.unwrap()).unwrap();
        }
    };
    patch(objects[0].clone()).await;
    futures::stream::iter(objects[1..].iter().cloned().map(patch)).buffer_unordered(AT_ONCE).collect::<Vec<()>>().await;
}

/// A site program that plans or applies.
async fn play(told: &Told, doing: &str, objects: &[Json]) {
    let site =
        Site::new(Path::new(&told.state).join("program"), SecretManager::new(vec![Arc::new(MemoryStore::new())]), Io::real());
    let topology = K8sAnywhereTopology::from_kubeconfig("cluster", &told.kubeconfig, "testbed");
    let facts = topology.survey(&site).await.unwrap();
    let place = topology.with_facts(&site, facts).unwrap();
    let list = json!({ "apiVersion": "v1", "kind": "List", "items": objects });
    let scores: Scores<K8sPlace> = Scores::default().with(K8sResourceScore::yaml("objects", &list.to_string()));
    let maestro = Maestro::new(&site);
    if doing == "plan" {
        let plan = maestro.plan(&Inventory::empty(), &place, &scores).await.unwrap();
        let pending = plan.pending().count();
        assert!(pending == 0 || pending == objects.len(), "{pending} of {} are pending", objects.len());
        return;
    }
    let outcome = maestro.prepare(&Inventory::empty(), &place, &scores).await.unwrap().apply().await.unwrap();
    assert!(outcome.failures.is_empty(), "{:?}", outcome.failures.first());
    assert!(outcome.writes == 0 || outcome.writes == objects.len(), "{} of {} were written", outcome.writes, objects.len());
}
