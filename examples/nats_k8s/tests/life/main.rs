//! One site on a cluster, from nothing to nothing: planned, made, left alone, damaged, repaired, searched for secrets, and taken away.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "the lints' exception for tests does not see the functions that tests share"
)]

mod damage;
mod disturbed;
mod hidden;
mod world;

use std::time::Instant;

use async_nats::jetstream;
use world::{MESSAGING, World, until};

#[tokio::test(flavor = "multi_thread")]
async fn a_site_on_a_cluster_is_planned_made_damaged_repaired_and_taken_away() {
    let name = "a_site_on_a_cluster_is_planned_made_damaged_repaired_and_taken_away";
    let Some(world) = World::new(name).await else { return };
    let begun = Instant::now();
    let say = |what: &str| println!("{what}: {:.1?}", begun.elapsed());
    a_plan_works_before_anything_is_there(&world);
    // Somebody else has made this one and has something in it; the other one is for the program to make.
    world.kubectl.run(&["create", "namespace", MESSAGING]).unwrap();
    world.kubectl.run(&["label", "namespace", MESSAGING, "pod-security.kubernetes.io/enforce=restricted"]).unwrap();
    world.kubectl.run(&["-n", MESSAGING, "create", "configmap", "foreign", "--from-literal=mine=yes"]).unwrap();
    let before = world.census();
    let said = world.program.expect(&["apply", "--yes"], 0).output();
    assert!(said.contains("user app connects on every server, into account APP and no other"), "{said}");
    say("made and proven");
    a_second_run_writes_nothing(&world);
    an_application_needs_nothing_but_its_secret(&world).await;
    say("used");
    damage::is_shown_and_repaired(&world).await;
    say("damaged and repaired");
    hidden::are_all_secrets(&world);
    say("searched");
    what_holds_data_goes_only_when_that_is_allowed(&world);
    // Volumes go behind their claims, when their controller comes by.
    until("all to be as it was before", async || world.census() == before).await;
    assert_eq!(world.get(MESSAGING, "configmap", "foreign")["data"]["mine"], "yes");
    say("taken away");
}

fn a_plan_works_before_anything_is_there(world: &World) {
    let planned = world.program.expect(&["plan", "--json"], 0).summary();
    assert!(planned["create"].as_u64().unwrap() > 30 && planned["writes"] == 0, "{planned}");
    assert_eq!(world.program.snapshot(), [], "a plan writes nothing");
}

fn a_second_run_writes_nothing(world: &World) {
    let mark = world.mark();
    let again = world.program.expect(&["apply", "--yes", "--json"], 0).summary();
    assert_eq!((&again["outcome"], &again["writes"]), (&"converged".into(), &0.into()), "{again}");
    let asked = world.asked(mark);
    let tunnels = asked.of("get", "pods/portforward").0.len() + asked.of("create", "pods/portforward").0.len();
    println!("a converged run asks: {:?}", asked.tally());
    assert!(asked.0.len() > tunnels + 5, "it has looked: {:?}", asked.tally());
    let changes = asked
        .mutating()
        .0
        .iter()
        .filter(|event| event.object.as_ref().is_some_and(|object| object.subresource != "portforward"))
        .count();
    assert_eq!((changes, asked.dry_runs().0.len()), (0, 0), "{:?}", asked.tally());
    world.program.expect(&["drift"], 0);
    let verified = world.program.expect(&["verify", "--json"], 0).summary();
    assert!(verified["proofs"].as_u64().unwrap() >= 5 && verified["writes"] == 0, "{verified}");
    let status = world.program.expect(&["status"], 0).stdout;
    assert!(status.contains("All is well."), "{status}");
}

async fn an_application_needs_nothing_but_its_secret(world: &World) {
    let writer = jetstream::new(world.application("shop", "nats-1").await).get_key_value("settings").await.unwrap();
    writer.put("mode", "quiet".into()).await.unwrap();
    let reader = jetstream::new(world.application(MESSAGING, "nats-3").await).get_key_value("settings").await.unwrap();
    assert_eq!(reader.get("mode").await.unwrap().unwrap(), "quiet");
}

fn what_holds_data_goes_only_when_that_is_allowed(world: &World) {
    let refused = world.program.expect(&["destroy", "--yes"], 5).output();
    let bucket = "cluster/nats/bucket/APP/settings";
    let claims =
        ["nats-1", "nats-2", "nats-3"].map(|server| format!("cluster/nats/{server}/messaging/persistentvolumeclaim/{server}"));
    let losses: Vec<&str> = [bucket, "cluster/namespace/shop"].into_iter().chain(claims.iter().map(String::as_str)).collect();
    for loss in &losses {
        assert!(refused.contains(&format!("--allow-loss {loss}")), "{loss}: {refused}");
    }
    assert!(refused.contains("1 message"), "{refused}");
    world.program.expect(&["drift"], 0);
    let mut arguments = vec!["destroy", "--yes"];
    losses.iter().for_each(|loss| arguments.extend(["--allow-loss", loss]));
    world.program.expect(&arguments, 0);
    assert!(!world.program.state().exists(), "{:?}", world.program.snapshot());
}
