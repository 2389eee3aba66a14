//! What only a cluster can say of how a server is dialled, in what the server is told.

use std::time::{Duration, Instant};

use harmony::modules::nats::kubernetes::{Exposure, NatsK8sScore};
use harmony::modules::nats::score::NatsScore;
use harmony::topology::Survey;
use harmony::{Inventory, Maestro, Scores};
use harmony_k8s::K8sAnywhereTopology;
use harmony_testbed::{ControlPlane, Kubectl, available};

use crate::fixture::site;

const ADDRESS: &str = "203.0.113.7";

/// What a cluster with load balancers does: it gives a Service an address, a moment after it was made.
fn give_address(kubectl: &Kubectl) {
    let status = format!(r#"{{"status":{{"loadBalancer":{{"ingress":[{{"ip":"{ADDRESS}"}}]}}}}}}"#);
    let patch = ["-n", "messaging", "patch", "service", "nats-1-exposed", "--subresource=status", "--type=merge", "-p", &status];
    let begun = Instant::now();
    while let Err(error) = kubectl.run(&patch) {
        assert!(begun.elapsed() < Duration::from_secs(30), "{error}");
        std::thread::sleep(Duration::from_millis(200));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_address_of_a_load_balancer_is_waited_for_and_is_in_the_configuration_and_the_certificate() {
    let name = "the_address_of_a_load_balancer_is_waited_for_and_is_in_the_configuration_and_the_certificate";
    let Some(plane) = available(name, ControlPlane::start()) else { return };
    let kubectl = plane.kubectl();
    let (site, _directory) = site();
    let cluster = K8sAnywhereTopology::from_kubeconfig("cluster", plane.kubeconfig(), "testbed").with_namespace("messaging");
    let cluster = cluster.with_nats(harmony_nats::client());
    let facts = cluster.survey(&site).await.unwrap();
    let place = cluster.with_facts(&site, facts).unwrap();
    let score = NatsK8sScore::new(NatsScore::new("nats")).with_exposure(Exposure::LoadBalancer { domain: None });
    let scores = Scores::default().with(score);

    let giving = std::thread::spawn(move || give_address(&kubectl));
    // There is no node, so that the server itself never answers.
    let maestro = || Maestro::new(&site).with_patience(Duration::from_secs(8));
    let outcome = maestro().prepare(&Inventory::empty(), &place, &scores).await.unwrap().apply().await.unwrap();
    giving.join().unwrap();
    let failed: Vec<_> = outcome.failures.iter().map(|failure| failure.address.to_string()).collect();
    assert_eq!(failed, ["cluster/nats/nats-1/messaging/statefulset.apps/nats-1"], "{:?}", outcome.failures);

    let kubectl = plane.kubectl();
    let file = |name: &str| {
        let template = format!(r#"go-template={{{{index .data "{name}" | base64decode}}}}"#);
        kubectl.run(&["-n", "messaging", "get", "secret", "nats-1-server", "-o", &template]).unwrap()
    };
    assert!(file("nats.conf").contains(&format!("client_advertise: \"{ADDRESS}:4222\"\n")), "{}", file("nats.conf"));
    let plan = maestro().plan(&Inventory::empty(), &place, &scores).await.unwrap();
    let pending: Vec<_> = plan.steps.iter().filter(|step| step.change.is_pending()).map(|step| step.address.as_str()).collect();
    let of_pods =
        |address: &&str| address.contains("/statefulset.apps/") || address.ends_with("/pod") || address.contains("/proof/");
    assert!(pending.iter().all(of_pods), "the certificate is for the address, and stays: {pending:?}");
}
