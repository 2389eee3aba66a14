//! Answers that are refused, lost or late.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use harmony::Scores;
use harmony::modules::k8s::score::K8sResourceScore;
use harmony_k8s::K8sPlace;
use harmony_testbed::{ControlPlane, available};

use crate::failure::{Program, Said};
use crate::front::{Act, Asked, Front};

fn objects() -> Scores<K8sPlace> {
    let objects = "{ apiVersion: v1, kind: Namespace, metadata: { name: shop } }\n---\n\
                   { apiVersion: v1, kind: ConfigMap, metadata: { name: a, namespace: shop }, data: { mode: quiet } }\n---\n\
                   { apiVersion: v1, kind: ConfigMap, metadata: { name: b, namespace: shop } }\n---\n\
                   { apiVersion: v1, kind: Service, metadata: { name: web, namespace: shop }, spec: { ports: [{ port: 80 }] } }";
    Scores::default().with(K8sResourceScore::yaml("shop", objects))
}

/// Applies, finds nothing left to do, and takes all away again.
async fn live_and_go(program: &Program) {
    let said = Arc::new(Said::default());
    let applied = program.apply(&objects(), &said).await.unwrap();
    assert!(applied.failures.is_empty() && applied.is_complete(), "{:?}", applied.failures);
    assert_eq!(program.apply(&objects(), &said).await.unwrap().writes, 0);
    let gone = program.destroy(&["cluster/namespace/shop"]).await.unwrap();
    assert!(gone.failures.is_empty() && gone.is_complete(), "{:?}", gone.failures);
}

/// By path, what was written and reached the API server.
fn written(asked: &[Asked]) -> BTreeMap<(String, String), usize> {
    let mut written = BTreeMap::new();
    for one in asked.iter().filter(|one| one.is_write() && !matches!(one.act, Act::Answer(..))) {
        *written.entry((one.method.clone(), one.path.split('?').next().unwrap().to_owned())).or_default() += 1;
    }
    written
}

fn is_first(asked: &Asked, before: &[Asked]) -> bool {
    !before.iter().any(|one| (&one.method, &one.path) == (&asked.method, &asked.path))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_dropped_after_the_commit_converges_and_writes_nothing_twice() {
    let name = "a_connection_that_is_dropped_after_the_commit_converges_and_writes_nothing_twice";
    let Some(plane) = available(name, ControlPlane::start()) else { return };
    let rule = |asked: &Asked, before: &[Asked]| match asked.is_write() && is_first(asked, before) {
        true => Act::DropAfter,
        false => Act::Pass,
    };
    let front = Front::start(&plane.kubeconfig(), rule).await;
    live_and_go(&Program::new("shop", &front.kubeconfig, "testbed").await).await;
    let written = written(&front.asked());
    assert_eq!(written.len(), 8, "{written:?}");
    assert!(written.values().all(|count| *count == 1), "{written:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_asks_to_be_left_alone_is_and_the_run_converges() {
    let name = "a_server_that_asks_to_be_left_alone_is_and_the_run_converges";
    let Some(plane) = available(name, ControlPlane::start()) else { return };
    // Every write is put off once, and every list.
    let rule = |asked: &Asked, before: &[Asked]| {
        let is_list = asked.method == "GET" && asked.path.ends_with("/configmaps");
        if (asked.is_write() || is_list) && is_first(asked, before) { Act::Answer(429, Some(2)) } else { Act::Pass }
    };
    let front = Front::start(&plane.kubeconfig(), rule).await;
    live_and_go(&Program::new("shop", &front.kubeconfig, "testbed").await).await;
    let asked = front.asked();
    let put_off: Vec<&Asked> = asked.iter().filter(|one| matches!(one.act, Act::Answer(..))).collect();
    assert!(put_off.len() >= 9, "{put_off:?}");
    for one in put_off {
        let object = one.path.split('?').next().unwrap();
        let next = asked.iter().find(|other| other.at > one.at && other.path.split('?').next() == Some(object));
        let waited = next.unwrap_or_else(|| panic!("{one:?} is not asked again")).at - one.at;
        assert!(waited >= Duration::from_secs(2), "{one:?} is asked again after {waited:?}");
    }
    assert!(written(&asked).values().all(|count| *count == 1), "{:?}", written(&asked));
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_of_the_server_are_met_with_another_look_and_another_try() {
    let name = "errors_of_the_server_are_met_with_another_look_and_another_try";
    let Some(plane) = available(name, ControlPlane::start()) else { return };
    // Each request fails once, before it is done; looking for a plan is not tried again, so that begins when all has been looked at.
    let rule = |asked: &Asked, before: &[Asked]| match asked.is_write() && is_first(asked, before) {
        true => Act::Answer(500, None),
        false => Act::Pass,
    };
    let front = Front::start(&plane.kubeconfig(), rule).await;
    live_and_go(&Program::new("shop", &front.kubeconfig, "testbed").await).await;
    assert!(written(&front.asked()).values().all(|count| *count == 1));
}
