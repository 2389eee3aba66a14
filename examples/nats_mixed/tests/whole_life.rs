//! One site on this machine and two in clusters: made, proven, used by applications, bereft of the site here, and taken away.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test that cannot go on ends")]

#[path = "world/application.rs"]
mod application;
#[path = "../../nats_supercluster_k8s/tests/world/clusters.rs"]
mod clusters;

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::time::Duration;

use application::Pods;
use clusters::{World, eventually};
use harmony_testbed::Census;

const CLUSTERS: [&str; 2] = ["east", "north"];
/// The servers of the site here.
const HERE: [&str; 3] = ["nats-west-1", "nats-west-2", "nats-west-hub"];
/// How long Kubernetes may take to be done with what was deleted.
const SETTLED: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_and_two_clusters_are_one_system_for_applications_in_any_of_them() {
    let test = "a_machine_and_two_clusters_are_one_system_for_applications_in_any_of_them";
    let Some(mut world) = World::start(test, &CLUSTERS, env!("CARGO_BIN_EXE_nats_mixed")).await else { return };
    let before: BTreeMap<&str, Census> = CLUSTERS.map(|name| (name, world.census(name))).into();

    let marks = world.marks();
    let summary = world.run(&["apply", "--yes", "--json"], 0).summary();
    assert_eq!((&summary["outcome"], &summary["proofs"]), (&"changed".into(), &8.into()), "{summary}");
    world.print_evidence(&marks);
    let marks = world.marks();
    let again = world.run(&["apply", "--yes", "--json"], 0).summary();
    assert_eq!((&again["outcome"], &again["writes"]), (&"converged".into(), &0.into()), "{again}");
    assert!(world.asked_since(&marks).iter().all(|(_, asked)| asked.mutating().is_empty()));

    let pods = Pods::with_image(&mut world.clusters);
    applications_use_the_nearest_server(&world, &pods).await;
    the_site_here_is_lost_and_back(&world, &pods).await;
    nothing_is_left(&world, &before).await;
}

async fn applications_use_the_nearest_server(world: &World, pods: &Pods) {
    let said = pods.run(&world.kubectl("east"), "writes", &["put", "HARMONY", "greeting", "hello"]).await;
    assert!(said.starts_with("greeting is revision 1 on nats-east-"), "{said}");
    let said = pods.run(&world.kubectl("north"), "reads", &["get", "HARMONY", "greeting"]).await;
    assert!(said.starts_with("hello on nats-north-"), "{said}");
    println!("a pod with nothing but the Secret in each cluster: {said}");
    let files = world.program.state().join("office/credentials/nats");
    assert!(files.join("HARMONY-agent.nk").exists() && files.join("trust.pem").exists(), "{}", files.display());
}

async fn the_site_here_is_lost_and_back(world: &World, pods: &Pods) {
    let numbers = HERE.map(|server| world.program.server(server).unwrap().to_string());
    assert!(Command::new("kill").arg("-KILL").args(numbers).status().unwrap().success());
    let told = world.run(&["status"], 3).stdout;
    assert!(HERE.iter().all(|server| told.contains(&format!("gone  office/nats/{server}/process"))), "{told}");
    let said = pods.run(&world.kubectl("east"), "writes-on", &["put", "HARMONY", "meanwhile", "written"]).await;
    assert!(said.starts_with("meanwhile is revision "), "{said}");

    let summary = world.run(&["apply", "--yes", "--json"], 0).summary();
    assert_eq!((&summary["create"], &summary["proofs"]), (&3.into(), &8.into()), "{summary}");
    let said = pods.run(&world.kubectl("north"), "reads-on", &["get", "HARMONY", "meanwhile"]).await;
    assert!(said.starts_with("written on nats-north-"), "{said}");
}

async fn nothing_is_left(world: &World, before: &BTreeMap<&str, Census>) {
    let refused = world.run(&["destroy", "--yes"], 5).output();
    let asked = refused.split("--allow-loss ").skip(1).filter_map(|rest| rest.split('`').next());
    let asked: BTreeSet<&str> = asked.collect();
    assert!(asked.contains("sites/nats/bucket/HARMONY/HARMONY"), "{refused}");
    let allowed = asked.iter().flat_map(|address| ["--allow-loss", address]);
    let arguments: Vec<&str> = ["destroy", "--yes", "--json"].into_iter().chain(allowed).collect();
    world.run(&arguments, 0);
    for (name, before) in before {
        eventually(&format!("{name} to be as it was"), SETTLED, async || {
            let left = before.differing(&world.census(name));
            if left.is_empty() { Ok(()) } else { Err(format!("{left:?}")) }
        })
        .await;
    }
    assert_eq!(world.program.processes(), []);
    assert!(!world.program.state().exists());
}
