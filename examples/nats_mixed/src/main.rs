//! The supercluster on this machine and two clusters of Kubernetes: `cargo run -p nats_mixed -- apply`.

use std::env;
use std::process::ExitCode;

use anyhow::Context;
use harmony::Inventory;
use harmony::topology::Sites;
use harmony_k8s::nats::Exposure;
use harmony_k8s::{K8sAnywhereTopology, WithNats};
use harmony_local::LocalTopology;
use harmony_nats::NatsConnections;
use harmony_types::HostName;

fn main() -> anyhow::Result<ExitCode> {
    let nats = harmony_nats::client();
    let office = LocalTopology::new("office").with_listen_address(host("THIS_MACHINE")?).with_nats(nats.clone());
    let sites = Sites::new("sites", nats.clone())
        .with_site("east", cluster("east", "EAST_NODES", &nats)?)
        .with_site("north", cluster("north", "NORTH_NODES", &nats)?)
        .with_site("west", office);
    Ok(harmony_cli::run(Inventory::empty(), sites, nats_supercluster_local::scores()))
}

/// The cluster of the kubeconfig's context that is called as the site is.
fn cluster(site: &str, nodes: &str, nats: &NatsConnections) -> anyhow::Result<K8sAnywhereTopology<WithNats>> {
    let cluster = K8sAnywhereTopology::from_context(site, site).with_namespace("nats");
    Ok(cluster.with_nats(nats.clone()).with_nats_exposure(Exposure::NodePort { host: host(nodes)? }))
}

/// Where other sites dial this machine, or the nodes of a cluster.
fn host(variable: &str) -> anyhow::Result<HostName> {
    let says = || format!("`{variable}` must be an address or a name at which the other sites reach it");
    env::var(variable).with_context(says)?.parse().with_context(says)
}
