//! What the program stands on goes away and comes back: its API server in the middle of a run, a pod, the kubelet of the node.

use std::process::Stdio;
use std::time::{Duration, Instant};

use async_nats::jetstream;

use crate::world::{MESSAGING, SERVERS, World, until};

/// So many writes come before the API server is killed, of about forty.
const BEFORE: usize = 12;
/// How long the kubelet is away.
const AWAY: Duration = Duration::from_secs(60);
/// So often in a row all has to be well.
const WELL: usize = 8;

#[tokio::test(flavor = "multi_thread")]
async fn a_site_outlives_an_api_server_a_pod_and_a_kubelet_that_go_and_come_back() {
    let name = "a_site_outlives_an_api_server_a_pod_and_a_kubelet_that_go_and_come_back";
    let Some(mut world) = World::new(name).await else { return };
    let begun = Instant::now();
    made_while_the_api_server_restarts(&mut world);
    println!("made: {:.1?}", begun.elapsed());
    write(&world, "before").await;
    a_pod_is_made_again(&world).await;
    println!("a pod: {:.1?}", begun.elapsed());
    a_dead_kubelet_is_named(&mut world).await;
    println!("a kubelet: {:.1?}", begun.elapsed());
    assert_eq!(read(&world, "before").await, "kept");
    nothing_is_left_to_do(&world);
}

fn made_while_the_api_server_restarts(world: &mut World) {
    let mark = world.mark();
    let mut applying = world.program.command(&["apply", "--yes"]);
    let mut applying = applying.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    while world.asked(mark).mutating().0.len() < BEFORE {
        assert!(applying.try_wait().unwrap().is_none(), "it has ended already");
        std::thread::sleep(Duration::from_millis(20));
    }
    let plane = world.cluster.control_plane().unwrap();
    plane.kill_api_server();
    assert!(applying.try_wait().unwrap().is_none(), "it was killed too late to disturb");
    plane.start_api_server().unwrap();
    let ended = applying.wait_with_output().unwrap();
    let said = [ended.stdout, ended.stderr].concat();
    if !ended.status.success() {
        // What it could not do in its time the next run does, without a manual step.
        println!("disturbed: {}", String::from_utf8_lossy(&said));
        world.program.expect(&["apply", "--yes"], 0);
    }
    nothing_is_left_to_do(world);
    let asked = world.asked(mark).mutating();
    let deleted = asked.0.iter().filter(|event| event.verb == "delete").count();
    assert_eq!(deleted, 0, "{:?}", asked.tally());
}

async fn a_pod_is_made_again(world: &World) {
    world.kubectl.run(&["-n", MESSAGING, "delete", "pod", "nats-1-0", "--grace-period=0", "--force"]).unwrap();
    world.program.expect(&["apply", "--yes"], 0);
    assert_eq!(read(world, "before").await, "kept");
    nothing_is_left_to_do(world);
}

async fn a_dead_kubelet_is_named(world: &mut World) {
    world.cluster.kill_kubelet().unwrap();
    let killed = Instant::now();
    let said = loop {
        let said = world.program.run(&["status"]).output();
        if said.contains("its node messages-node is not ready") {
            break said;
        }
        assert!(killed.elapsed() < AWAY, "`status` does not name the node:\n{said}");
    };
    println!("`status` names the node after {:.1?}:\n{said}", killed.elapsed());
    for server in SERVERS {
        assert!(said.contains(&format!("{MESSAGING}/{server}")), "{said}");
    }
    tokio::time::sleep(AWAY.saturating_sub(killed.elapsed())).await;
    world.cluster.start_kubelet().unwrap();
    // The node is ready before its pods are, and a kubelet that has begun again takes pods for unready until it has probed them itself.
    let mut well = 0;
    let is_well = async || {
        well = if world.program.run(&["status"]).output().contains("All is well.") { well + 1 } else { 0 };
        well == WELL
    };
    until("all to be well again, and to stay so", is_well).await;
}

fn nothing_is_left_to_do(world: &World) {
    let again = world.program.expect(&["apply", "--yes", "--json"], 0);
    assert_eq!(again.summary()["writes"], 0, "{}", again.output());
}

async fn write(world: &World, key: &str) {
    let bucket = jetstream::new(world.application("shop", "nats-2").await).get_key_value("settings").await.unwrap();
    bucket.put(key, "kept".into()).await.unwrap();
}

async fn read(world: &World, key: &str) -> String {
    let bucket = jetstream::new(world.application("shop", "nats-1").await).get_key_value("settings").await.unwrap();
    String::from_utf8(bucket.get(key).await.unwrap().unwrap().to_vec()).unwrap()
}
