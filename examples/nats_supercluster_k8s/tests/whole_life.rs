//! Three clusters: made, proven, left alone, one not to be asked for a while, bereft of a site and given it back, and taken away without a trace.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test that cannot go on ends")]

#[path = "world/agent.rs"]
mod agent;
#[path = "world/clusters.rs"]
mod clusters;
#[path = "world/writer.rs"]
mod writer;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use agent::Handed;
use clusters::{NAMESPACE, World, eventually};
use harmony_testbed::Census;
use serde_json::Value as Json;
use writer::Writer;

/// What stands on each of the clusters.
const THINGS: usize = 31;
const SITES: [&str; 3] = ["east", "north", "west"];
/// How long Kubernetes may take to be done with what was deleted: volumes go when their claims have gone.
const SETTLED: Duration = Duration::from_secs(30);
/// How soon a lost site is told to be gone.
const GONE_WITHIN: Duration = Duration::from_secs(60);
/// A leader that was lost is replaced within this time; nine servers share two cores.
const GAP: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread")]
async fn three_clusters_are_joined_proven_survive_a_site_and_go_without_a_trace() {
    let test = "three_clusters_are_joined_proven_survive_a_site_and_go_without_a_trace";
    let Some(mut world) = World::start(test, &SITES, env!("CARGO_BIN_EXE_nats_supercluster_k8s")).await else { return };
    let before = all_objects(&world);

    is_made_and_proven(&world);
    nothing_is_written_again(&world);
    a_site_that_cannot_be_asked_is_unknown_and_the_others_are_shown(&mut world);
    a_site_is_lost_and_back(&world).await;
    nothing_is_lost_unasked_and_nothing_is_left(&world, &before).await;
}

fn all_objects(world: &World) -> BTreeMap<&'static str, Census> {
    SITES.map(|site| (site, world.census(site))).into()
}

fn is_made_and_proven(world: &World) {
    let marks = world.marks();
    let planned = world.run(&["plan", "--json"], 0);
    assert!(world.asked_since(&marks).iter().all(|(_, asked)| asked.mutating().is_empty()), "a plan changes nothing");
    let creates = |events: &[Json]| events.iter().filter(|event| event["change"] == "create").count();
    println!("planned before the namespaces are there: {} to create", creates(&planned.events()));

    let applied = world.run(&["apply", "--yes", "--json"], 0);
    let summary = applied.summary();
    println!("{summary}");
    assert_eq!((&summary["outcome"], &summary["proofs"]), (&"changed".into(), &8.into()), "{summary}");
    let made = [&summary["create"], &summary["unchanged"]].into_iter().filter_map(Json::as_u64).sum::<u64>();
    // Some are there as soon as what they are in is: a pod, once its StatefulSet has made it.
    assert_eq!(made, creates(&planned.events()) as u64, "what was planned is what was made");
    world.print_evidence(&marks);
    for site in SITES {
        let pods = world.kubectl(site).run(&["-n", NAMESPACE, "get", "pods", "-o", "name"]).unwrap();
        assert_eq!(pods, format!("pod/nats-{site}-1-0\npod/nats-{site}-2-0\npod/nats-{site}-hub-0\n"));
    }
}

fn nothing_is_written_again(world: &World) {
    let marks = world.marks();
    let summary = world.run(&["apply", "--yes", "--json"], 0).summary();
    assert_eq!((&summary["outcome"], &summary["writes"]), (&"converged".into(), &0.into()), "{summary}");
    for (site, asked) in world.asked_since(&marks) {
        println!("{site} was asked by a second run: {:?}", asked.tally());
        assert_eq!((asked.mutating().len(), asked.dry_runs().len()), (0, 0), "{:?}", asked.tally());
        let lists = asked.tally().into_iter().filter(|(what, _)| what.starts_with("list "));
        let often: Vec<_> = lists.filter(|(_, count)| *count > 1).collect();
        assert_eq!(often, [], "each kind of a namespace is listed once");
    }
}

fn a_site_that_cannot_be_asked_is_unknown_and_the_others_are_shown(world: &mut World) {
    let Ok(plane) = world.clusters.find("west").unwrap().control_plane() else { return };
    plane.kill_api_server();
    let marks = world.marks();
    let planned = world.run(&["plan", "--json"], 1);
    let actions = planned.events().into_iter().filter(|event| event["event"] == "planned_change");
    let actions: Vec<(String, bool)> = actions
        .map(|event| (event["action"].as_str().unwrap().to_owned(), event["address"].as_str().unwrap().starts_with("west/")))
        .collect();
    assert!(actions.iter().all(|(action, _)| ["unknown", "prove"].contains(&action.as_str())), "{actions:?}");
    let unknown = |of_west: bool| actions.iter().filter(|(action, west)| action == "unknown" && *west == of_west).count();
    println!("without the API server of west {} things of it are unknown, and {} elsewhere", unknown(true), unknown(false));
    assert_eq!(unknown(true), THINGS, "{actions:?}");

    let refused = |text: &str| text.contains("failed to look at cluster west") && text.contains("onnection refused");
    let told = world.run(&["plan"], 1);
    assert!(told.stdout.contains("west: 31 things are unknown until it answers: ") && refused(&told.stdout), "{}", told.output());
    assert!(told.stderr.contains("error: west does not answer") && told.stderr.contains("hint: "), "{}", told.stderr);
    let told = world.run(&["status"], 3).stdout;
    assert!(told.contains("west: 0 of 31 things as they should be\n  unreachable  all of it\n") && refused(&told), "{told}");
    assert!(!told.contains("gone") && told.contains("sites: "), "{told}");
    let told = world.run(&["drift"], 1).output();
    assert!(told.contains("No drift where things could be looked at.") && refused(&told), "{told}");
    let told = world.run(&["verify"], 1).output();
    assert!(told.contains("error: west does not answer") && told.contains("Not verified: "), "{told}");
    let applied = world.run(&["apply", "--yes", "--json"], 1);
    let summary = applied.summary();
    assert_eq!((&summary["outcome"], &summary["writes"]), (&"failed".into(), &0.into()), "{summary}");
    assert!(applied.stdout.contains(r#""event":"silent","place":"west""#), "{}", applied.stdout);
    for (site, asked) in world.asked_since(&marks) {
        assert_eq!(asked.mutating().len(), 0, "{site} was asked for {:?}", asked.tally());
    }

    world.clusters.find("west").unwrap().control_plane().unwrap().start_api_server().unwrap();
    let summary = world.run(&["apply", "--yes", "--json"], 0).summary();
    assert_eq!(
        (&summary["outcome"], &summary["writes"], &summary["proofs"]),
        (&"converged".into(), &0.into(), &0.into()),
        "{summary}"
    );
}

/// What `status` says of the lost site. A controller that has not yet heard of the deletion makes a pod once more, and it is taken away again.
async fn told_once_all_are_gone(world: &World) -> String {
    let deleted = Instant::now();
    loop {
        let told = world.run(&["status"], 3).stdout;
        let is_gone = |server: &str| told.contains(&format!("gone  west/nats/{server}/pod"));
        if ["nats-west-1", "nats-west-2", "nats-west-hub"].into_iter().all(is_gone) {
            return told;
        }
        assert!(deleted.elapsed() < GONE_WITHIN, "{told}");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

async fn a_site_is_lost_and_back(world: &World) {
    let directory = tempfile::tempdir().unwrap();
    let address = |site: &str| world.clusters.iter().find(|cluster| cluster.name() == site).unwrap().node_address().unwrap();
    let (north, west) = (Handed::in_cluster(&world.kubectl("north")), Handed::in_cluster(&world.kubectl("west")));
    assert!(north.urls[..2].iter().all(|url| url.contains("nats-north-")), "{:?}", north.urls);
    let survivors = [north.at(address("east")), west.at(address("north"))].concat();
    assert_eq!(survivors.len(), 4, "{:?}", north.urls);
    let writer = Writer::start(north.connect(directory.path(), &survivors).await);
    tokio::time::sleep(Duration::from_secs(2)).await;

    world.kubectl("west").run(&["-n", NAMESPACE, "delete", "statefulset", "--all"]).unwrap();
    world.kubectl("west").run(&["-n", NAMESPACE, "delete", "pod", "--all", "--grace-period=0", "--force"]).unwrap();
    let told = told_once_all_are_gone(world).await;
    let all_fine = |place: &str| told.contains(&format!("{place}: 31 of 31 things as they should be\n"));
    assert!(all_fine("east") && all_fine("north") && told.contains("west: 25 of 31 things"), "{told}");
    let failed = world.run(&["verify"], 1).output();
    assert!(failed.contains("3 of 9 servers do not answer: nats-west-1, nats-west-2, nats-west-hub of site west"), "{failed}");

    let summary = world.run(&["apply", "--yes", "--json"], 0).summary();
    assert_eq!((&summary["outcome"], &summary["proofs"]), (&"changed".into(), &8.into()), "{summary}");
    let acknowledged = writer.stop().await;
    let back = north.connect(directory.path(), &north.at(address("west"))).await;
    let missing = acknowledged.missing(back).await;
    println!(
        "a site lost and back: {} writes acknowledged, {} missing on it, longest gap {:.1?}",
        acknowledged.count(),
        missing.len(),
        acknowledged.longest_gap
    );
    assert_eq!(missing, Vec::<usize>::new());
    assert!(acknowledged.count() > 100 && acknowledged.longest_gap < GAP, "{}", acknowledged.count());
}

async fn nothing_is_lost_unasked_and_nothing_is_left(world: &World, before: &BTreeMap<&'static str, Census>) {
    let there = all_objects(world);
    let refused = world.run(&["destroy", "--yes"], 5).output();
    let asked = refused.split("--allow-loss ").skip(1).filter_map(|rest| rest.split('`').next());
    // The plan names each, and the error again.
    let asked: BTreeSet<&str> = asked.collect();
    println!("destroy asks for {} allowances: {asked:?}", asked.len());
    let asks_for = |address: &str| asked.contains(address);
    assert!(asks_for("sites/nats/bucket/HARMONY/HARMONY"), "{refused}");
    for (site, server) in SITES.iter().flat_map(|site| ["1", "2", "hub"].map(|server| (site, server))) {
        let name = format!("nats-{site}-{server}");
        assert!(asks_for(&format!("{site}/nats/{name}/{NAMESPACE}/persistentvolumeclaim/{name}")), "{refused}");
    }
    for (site, objects) in &all_objects(world) {
        assert_eq!(there[site].differing(objects), Vec::<String>::new(), "refused before any change");
    }

    let allowed = asked.iter().flat_map(|address| ["--allow-loss", address]);
    let arguments: Vec<&str> = ["destroy", "--yes", "--json"].into_iter().chain(allowed).collect();
    println!("{}", world.run(&arguments, 0).summary());
    for site in SITES {
        eventually(&format!("{site} to be as it was"), SETTLED, async || {
            let left = before[site].differing(&world.census(site));
            if left.is_empty() { Ok(()) } else { Err(format!("{left:?}")) }
        })
        .await;
    }
    assert!(!world.program.state().exists());
}
