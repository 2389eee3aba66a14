//! What an API server takes of a system's objects.

use std::time::Duration;

use harmony::arrangement::Arrangement;
use harmony_k8s::Distribution;
use harmony_testbed::{ControlPlane, available};
use serde_json::Value as Json;

use crate::fixture::{Program, arranged, offline, system};

fn stateful_set(arrangement: &Arrangement, server: &str) -> Json {
    let address = format!("cluster/nats/{server}/messaging/statefulset.apps/{server}").parse().unwrap();
    arrangement.nodes[&address].resource().unwrap().spec["fields"].clone()
}

#[test]
fn a_server_has_objects_of_its_own_and_its_cluster_a_few_more() {
    let (place, _directory) = offline(Distribution::Vanilla);
    let arrangement = arranged(&place, &system(3));
    let objects = arrangement.nodes.iter().filter_map(|(address, node)| Some((address, node.resource()?)));
    let names: Vec<&str> = objects
        .filter(|(_, resource)| resource.kind.starts_with("k8s-") || resource.kind.starts_with("nats-server-pod"))
        .map(|(address, _)| address.as_str())
        .filter(|address| !address.contains("nats-2") && !address.contains("nats-3"))
        .collect();
    insta::assert_snapshot!(names.join("\n"), @r"
    cluster/messaging/networkpolicy.networking.k8s.io/nats
    cluster/messaging/poddisruptionbudget.policy/nats
    cluster/messaging/service/nats
    cluster/namespace/messaging
    cluster/nats/credentials/messaging/secret/nats-app-app
    cluster/nats/nats-1/messaging/persistentvolumeclaim/nats-1
    cluster/nats/nats-1/messaging/secret/nats-1-server
    cluster/nats/nats-1/messaging/service/nats-1
    cluster/nats/nats-1/messaging/statefulset.apps/nats-1
    cluster/nats/nats-1/pod
    ");
}

#[test]
fn a_pod_may_do_nothing_that_it_need_not_and_has_a_user_only_where_the_cluster_gives_none() {
    let (place, _directory) = offline(Distribution::Vanilla);
    let set = stateful_set(&arranged(&place, &system(1)), "nats-1");
    insta::assert_snapshot!(serde_json::to_string_pretty(&set).unwrap());
    let (place, _directory) = offline(Distribution::Okd);
    let of_okd = stateful_set(&arranged(&place, &system(1)), "nats-1");
    let security = of_okd.pointer("/spec/template/spec/securityContext").unwrap();
    assert_eq!(security.to_string(), r#"{"runAsNonRoot":true,"seccompProfile":{"type":"RuntimeDefault"}}"#);
}

#[tokio::test]
async fn a_plan_works_before_the_namespace_and_restricted_admission_takes_every_pod() {
    let name = "a_plan_works_before_the_namespace_and_restricted_admission_takes_every_pod";
    let Some(plane) = available(name, ControlPlane::start()) else { return };
    let program = Program::new(&plane.kubeconfig(), "testbed", "harmony.test/nats-server:1").await;
    let planned = program.plan(&system(3)).await.unwrap();
    assert!(planned.steps.len() > 20, "{}", planned.steps.len());

    let kubectl = plane.kubectl();
    kubectl.run(&["create", "namespace", "messaging"]).unwrap();
    kubectl.run(&["label", "namespace", "messaging", "pod-security.kubernetes.io/enforce=restricted"]).unwrap();
    // There is no node, so that no server ever answers.
    let outcome = program.apply(&system(3), Duration::from_secs(8)).await.unwrap();
    let pods = kubectl.run(&["-n", "messaging", "get", "pods", "-o", "name"]).unwrap();
    assert_eq!(pods, "pod/nats-1-0\npod/nats-2-0\npod/nats-3-0\n", "{:?}", outcome.failures);
    let failed: Vec<_> = outcome.failures.iter().map(|failure| failure.address.to_string()).collect();
    assert!(failed.iter().all(|address| address.contains("/statefulset.apps/")), "{:?}", outcome.failures);
    let count = |kind: &str| kubectl.run(&["-n", "messaging", "get", kind, "-o", "name"]).unwrap().lines().count();
    assert_eq!([count("service"), count("pvc"), count("pdb"), count("networkpolicy"), count("secret")], [4, 3, 1, 1, 4]);
}
