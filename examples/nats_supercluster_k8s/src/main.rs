//! The supercluster on three clusters of Kubernetes: `cargo run -p nats_supercluster_k8s -- apply`.

use std::env;
use std::process::ExitCode;

use anyhow::Context;
use harmony::Inventory;
use harmony::topology::Sites;
use harmony_k8s::nats::Exposure;
use harmony_k8s::{K8sAnywhereTopology, WithNats};
use harmony_nats::NatsConnections;

fn main() -> anyhow::Result<ExitCode> {
    let nats = harmony_nats::client();
    let sites = Sites::new("sites", nats.clone())
        .with_site("east", cluster("east", &nats)?)
        .with_site("north", cluster("north", &nats)?)
        .with_site("west", cluster("west", &nats)?);
    Ok(harmony_cli::run(Inventory::empty(), sites, nats_supercluster_local::scores()))
}

/// The cluster of the kubeconfig's context that is called as the site is. `EAST_NODES` and so on say where others dial its nodes.
fn cluster(site: &str, nats: &NatsConnections) -> anyhow::Result<K8sAnywhereTopology<WithNats>> {
    let variable = format!("{}_NODES", site.to_uppercase());
    let says = || format!("`{variable}` must say at which address or name the nodes of {site} are dialled");
    let host = env::var(&variable).with_context(says)?.parse().with_context(says)?;
    let cluster = K8sAnywhereTopology::from_context(site, site).with_namespace("nats");
    Ok(cluster.with_nats(nats.clone()).with_nats_exposure(Exposure::NodePort { host }))
}
