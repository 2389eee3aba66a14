//! Three secured NATS servers on a Kubernetes cluster: `NATS_K8S_CONTEXT=kind-kind cargo run -p nats_k8s -- apply`.

use std::env;
use std::process::ExitCode;

use harmony::modules::nats::kubernetes::NatsK8sScore;
use harmony::modules::nats::score::{AccountWish, CredentialsScore, Grant, JetstreamScore, KvBucketScore, NatsScore, UserWish};
use harmony::{Inventory, Scores};
use harmony_k8s::K8sAnywhereTopology;
use harmony_types::ByteSize;

/// The context of the kubeconfig whose cluster this is for: it is never guessed.
const CONTEXT: &str = "NATS_K8S_CONTEXT";

fn main() -> ExitCode {
    let app = UserWish::new("app").with_grant(Grant::kv("settings").read_write());
    let servers = NatsK8sScore::new(NatsScore::new("nats").with_servers(3))
        .in_namespace("messaging")
        .with_storage(ByteSize::mib(256))
        .with_memory(ByteSize::mib(64), ByteSize::mib(256))
        .with_clients_in("shop")
        .with_ca_bundle("nats-authorities");
    let scores = Scores::default()
        .with(servers)
        .with(JetstreamScore::on("nats").with_max_file(ByteSize::mib(192)).with_max_memory(ByteSize::mib(32)))
        .with(CredentialsScore::on("nats").with_account(AccountWish::new("APP").with_user(app)))
        .with(KvBucketScore::on("nats", "APP", "settings"));
    let cluster = K8sAnywhereTopology::from_context("cluster", &env::var(CONTEXT).unwrap_or_default());
    harmony_cli::run(Inventory::empty(), cluster.with_nats(harmony_nats::client()), scores)
}
