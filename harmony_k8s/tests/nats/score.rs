//! What a Score may say of pods, what becomes of it, and what is refused.

use harmony::arrangement::{Arrangement, What};
use harmony::modules::nats::kubernetes::{Exposure, NatsK8sScore, Spread, TaintEffect, Toleration};
use harmony::modules::nats::score::{JetstreamScore, NatsScore};
use harmony::stage::Stage;
use harmony::{Inventory, Scores};
use harmony_k8s::{Distribution, K8sPlace, WithNats};
use harmony_types::{ByteSize, Cpus};
use serde_json::Value as Json;

use crate::fixture::{arranged, offline, system, system_of};

fn nats() -> NatsK8sScore {
    NatsK8sScore::new(NatsScore::new("nats").with_servers(3))
}

/// All that can be said.
fn everything() -> NatsK8sScore {
    nats()
        .in_namespace("broker")
        .with_image("registry.example.org/nats:2.15.1")
        .with_storage(ByteSize::gib(20))
        .with_storage_class("fast")
        .with_memory(ByteSize::mib(512), ByteSize::gib(1))
        .with_cpus(Cpus::thousandths(250))
        .with_cpu_limit(Cpus::whole(2))
        .on_nodes_with("pool", "messaging")
        .tolerating(Toleration::of("dedicated", "messaging").with_effect(TaintEffect::NoSchedule))
        .tolerating(Toleration::of_any("spot"))
        .with_spread(Spread::required("topology.kubernetes.io/zone"))
        .with_exposure(Exposure::LoadBalancer { domain: Some("example.org".parse().unwrap()) })
        .with_certificate_name("nats.example.org")
        .with_clients_in("shop")
        .with_clients_in("bank")
        .with_ca_bundle("nats-authorities")
}

/// Each thing and what is wished of it, without who says it.
fn wishes(arrangement: &Arrangement) -> Vec<(String, What)> {
    arrangement.nodes.iter().map(|(address, node)| (address.to_string(), node.what.clone())).collect()
}

fn fields(arrangement: &Arrangement, address: &str) -> Json {
    arrangement.nodes[&address.parse().unwrap()].resource().unwrap().spec["fields"].clone()
}

#[test]
fn a_score_that_says_nothing_of_pods_is_played_as_the_neutral_one() {
    let (place, _directory) = offline(Distribution::Vanilla);
    assert_eq!(wishes(&arranged(&place, &system_of(nats()))), wishes(&arranged(&place, &system(3))));
}

#[test]
fn what_is_said_of_pods_becomes_fields_of_their_objects() {
    let (place, _directory) = offline(Distribution::Vanilla);
    let arrangement = arranged(&place, &system_of(everything()));
    let own = "cluster/nats/nats-1/broker";
    let said = serde_json::json!({
        "set": fields(&arrangement, &format!("{own}/statefulset.apps/nats-1"))["spec"]["template"]["spec"],
        "claim": fields(&arrangement, &format!("{own}/persistentvolumeclaim/nats-1"))["spec"],
        "bundle": fields(&arrangement, "cluster/shop/configmap/nats-authorities"),
    });
    insta::assert_snapshot!(serde_json::to_string_pretty(&said).unwrap());
    let certificate = arrangement.nodes[&"cluster/nats/nats-1/certificate".parse().unwrap()].resource().unwrap();
    let names = certificate.spec["names"].to_string();
    assert!(
        names.contains("nats.example.org")
            && names.contains("nats-1.example.org")
            && names.contains("nats-1-0.nats-1.broker.svc"),
        "{names}"
    );
}

#[test]
fn each_namespace_that_asks_for_it_has_the_same_secret_and_bundle() {
    let (place, _directory) = offline(Distribution::Vanilla);
    let arrangement = arranged(&place, &system_of(everything()));
    let secret = |namespace: &str| fields(&arrangement, &format!("cluster/nats/credentials/{namespace}/secret/nats-app-app"));
    let keys: Vec<_> = secret("shop")["data"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(keys, ["ca.crt", "inbox-prefix", "nkey", "url"]);
    assert_eq!([secret("bank"), secret("broker")], [secret("shop"), secret("shop")]);
    for namespace in ["bank", "broker", "shop"] {
        assert!(arrangement.nodes.contains_key(&format!("cluster/namespace/{namespace}").parse().unwrap()), "{namespace}");
        assert_eq!(
            fields(&arrangement, &format!("cluster/{namespace}/configmap/nats-authorities")),
            fields(&arrangement, "cluster/shop/configmap/nats-authorities")
        );
    }
}

#[test]
fn a_score_reads_back_what_it_writes() {
    let written = serde_json::to_value(everything()).unwrap();
    assert_eq!(serde_json::from_value::<NatsK8sScore>(written.clone()).unwrap(), everything());
    assert_eq!(
        [&written["system"], &written["servers"], &written["limits"]["cpus"]],
        ["nats", "3", "2"].map(|text| { if text == "3" { Json::from(3) } else { Json::from(text) } }).each_ref()
    );
}

fn refusal(scores: &Scores<K8sPlace<WithNats>>) -> String {
    let (place, _directory) = offline(Distribution::Vanilla);
    let error = Stage::play_all(scores, &Inventory::empty(), &place).err().unwrap();
    let mut words = Vec::new();
    let mut cause: Option<&dyn std::error::Error> = Some(&error);
    while let Some(error) = cause {
        words.push(error.to_string());
        cause = error.source();
    }
    let lines = error.origins().iter().map(|origin| origin.score.clone()).collect::<Vec<_>>().join(", ");
    let hint = error.hint().unwrap_or_default();
    let hint = hint.split("; ").next().unwrap_or_default().split(" (").next().unwrap_or_default().to_owned();
    // Without the lines, which move.
    let what = words.last().unwrap().split(" (").map(|part| part.split_once(')').map_or(part, |(_, rest)| rest));
    format!("{}\n  said by: {lines}\n  do: {hint}", what.collect::<String>())
}

#[test]
fn what_no_cluster_takes_or_what_others_contradict_is_refused_before_anything_starts() {
    let more_memory = || Scores::default().with(JetstreamScore::on("nats").with_max_memory(ByteSize::gib(2)));
    let refusals = [
        refusal(&system_of(nats().in_namespace("Broker"))),
        refusal(&system_of(nats().with_clients_in("a.b"))),
        refusal(&system_of(nats().with_storage_class("-"))),
        refusal(&system_of(nats().with_ca_bundle("With Blanks"))),
        refusal(&system_of(nats().with_image(""))),
        refusal(&system_of(nats().with_certificate_name("*.*"))),
        refusal(&system_of(nats().on_nodes_with("a/b/c", "d"))),
        refusal(&system_of(nats().tolerating(Toleration::of_any("")))),
        refusal(&system_of(nats().with_spread(Spread::required("zone!")))),
        refusal(&system_of(nats().with_storage(ByteSize::bytes(0)))),
        refusal(&system_of(nats().with_memory(ByteSize::gib(2), ByteSize::gib(1)))),
        refusal(&system_of(nats().with_cpus(Cpus::whole(2)).with_cpu_limit(Cpus::whole(1)))),
        refusal(&system_of(nats().with_storage(ByteSize::mib(64)))),
        refusal(&more_memory().with(nats().with_memory(ByteSize::mib(512), ByteSize::gib(1)))),
        refusal(&Scores::default().with(nats().with_storage(ByteSize::gib(1)))),
        refusal(&system_of(nats()).with(NatsScore::new("nats").with_servers(3))),
    ];
    insta::assert_snapshot!(refusals.join("\n"));
}
