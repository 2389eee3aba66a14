//! Servers leave a running cluster, and nothing that was acknowledged is lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use async_nats::jetstream;
use harmony::engine::outcome::Ending;
use harmony::engine::plan::{Allowances, Change};
use harmony::modules::nats::assets::Replicas;
use harmony::modules::nats::client::JetstreamState;
use harmony::modules::nats::score::{
    AccountWish, CredentialsScore, Grant, JetstreamScore, KvBucketScore, NatsScore, NatsSuperclusterScore, Replication, UserWish,
};
use harmony::{EngineError, Scores};

use crate::fixture::{Machine, Place, Server, changes};

/// So many that every server has some copies of one or another.
const BUCKETS: [&str; 4] = ["one", "two", "three", "four"];

fn servers(count: u8) -> Scores<Place> {
    copied(count, Replicas::THREE)
}

/// So many servers, with so many copies of each bucket.
fn copied(count: u8, copies: Replicas) -> Scores<Place> {
    let mut app = UserWish::new("app");
    let mut scores = Scores::default().with(NatsScore::new("nats").with_servers(count)).with(JetstreamScore::on("nats"));
    for bucket in BUCKETS {
        app = app.with_grant(Grant::kv(bucket).read_write());
        let bucket = KvBucketScore::on("nats", "APP", bucket);
        scores = scores.with(bucket.with_replication(Replication::Local(copies)));
    }
    scores.with(CredentialsScore::on("nats").with_account(AccountWish::new("APP").with_user(app)))
}

async fn bucket(server: &Server, name: &str) -> jetstream::kv::Store {
    let options = async_nats::ConnectOptions::with_nkey(server.seed("app/user/app").await)
        .custom_inbox_prefix("_INBOX_app")
        .require_tls(true)
        .add_root_certificates(server.file("trust.pem"));
    let client = options.connect(format!("tls://127.0.0.1:{}", server.port())).await.unwrap();
    jetstream::new(client).get_key_value(name).await.unwrap()
}

/// Writes one key after another until it is told to stop; how many were acknowledged.
async fn write(bucket: jetstream::kv::Store, stop: Arc<AtomicBool>) -> u64 {
    let mut number = 0;
    while !stop.load(Ordering::Relaxed) {
        let put = bucket.put(format!("written.{number}"), number.to_string().into());
        match tokio::time::timeout(Duration::from_secs(5), put).await {
            Ok(Ok(_)) => number += 1,
            _ => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
    number
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_shrinks_from_five_servers_to_three_under_a_writer_and_loses_nothing() {
    let Some(machine) = Machine::new("leaving::cluster").await else { return };
    machine.apply(machine.topology(), &servers(5)).await;
    let stays = machine.server("nats-1");
    for name in BUCKETS {
        let bucket = bucket(&stays, name).await;
        for key in 0..50 {
            bucket.put(format!("key.{key}"), name.into()).await.unwrap();
        }
    }
    let leaving = ["nats-4", "nats-5"];
    let plan = machine.plan(machine.topology(), &servers(3)).await;
    for server in leaving {
        let step = |what: &str| {
            let address = what.replace("{}", server);
            plan.steps
                .iter()
                .find(|step| step.address.as_str().ends_with(&address))
                .unwrap_or_else(|| panic!("{address} in {plan:#?}"))
        };
        assert!(matches!(step("/{}/process").change, Change::Delete { .. }));
        let Change::Delete { because } = &step("/member/{}").change else { panic!("{:?}", step("/member/{}")) };
        assert!(
            because.contains("; it holds copies of stream KV_") && because.ends_with("which others take over first"),
            "{because}"
        );
    }

    let stop = Arc::new(AtomicBool::new(false));
    let writing = tokio::spawn(write(bucket(&stays, "one").await, Arc::clone(&stop)));
    machine.apply(machine.topology(), &servers(3)).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    stop.store(true, Ordering::Relaxed);
    let acknowledged = writing.await.unwrap();
    assert!(acknowledged > 20, "{acknowledged}");

    for server in leaving {
        assert_eq!(machine.server(server).process(), None, "{server} still runs");
    }
    for server in ["nats-1", "nats-2", "nats-3"] {
        let jetstream = machine.server(server).state().await.jetstream.unwrap();
        assert_eq!(jetstream.meta_size, 3, "{server}: {jetstream:?}");
        for name in BUCKETS {
            let stream = format!("KV_{name}");
            let copy = jetstream.streams.iter().find(|copy| copy.stream.as_str() == stream).unwrap();
            assert!(copy.settled, "{server}: {copy:?}");
        }
    }
    for name in BUCKETS {
        let bucket = bucket(&stays, name).await;
        for key in 0..50 {
            assert_eq!(bucket.get(format!("key.{key}")).await.unwrap().unwrap(), name.as_bytes(), "{name} {key}");
        }
    }
    let written = bucket(&stays, "one").await;
    for number in 0..acknowledged {
        let value = written.get(format!("written.{number}")).await.unwrap();
        assert_eq!(value.unwrap_or_else(|| panic!("{number} is lost")), number.to_string().as_bytes());
    }
    assert_eq!(changes(&machine.plan(machine.topology(), &servers(3)).await), Vec::<String>::new());
    assert_eq!(machine.apply(machine.topology(), &servers(3)).await.ending(), Ending::Converged);
}

/// Returns when a run has begun something at an address that ends so.
async fn begun(machine: &Machine, address: &str) {
    let words = format!("{address}\"");
    while !machine.said().iter().any(|event| event.contains("\"started\"") && event.contains(&words)) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// The keys that `fill` has written are there.
async fn is_full(server: &Server) {
    for name in BUCKETS {
        let bucket = bucket(server, name).await;
        for key in 0..20 {
            assert_eq!(bucket.get(format!("key.{key}")).await.unwrap().unwrap(), name.as_bytes(), "{name} {key}");
        }
    }
}

/// What a server says once all of its copies are settled: those of a server that was dead already are made anew behind the run.
async fn settled(machine: &Machine, server: &str) -> JetstreamState {
    let begun = Instant::now();
    loop {
        let jetstream = machine.server(server).state().await.jetstream.unwrap();
        if jetstream.streams.iter().all(|copy| copy.settled) {
            return jetstream;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{server}: {jetstream:?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

async fn fill(server: &Server) {
    for name in BUCKETS {
        let bucket = bucket(server, name).await;
        for key in 0..20 {
            bucket.put(format!("key.{key}"), name.into()).await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_server_leaves_too_and_a_run_that_is_killed_meanwhile_is_gone_on_with() {
    let Some(machine) = Machine::new("leaving::dead").await else { return };
    machine.apply(machine.topology(), &servers(5)).await;
    let stays = machine.server("nats-1");
    fill(&stays).await;
    machine.server("nats-5").kill().await;
    machine.said();
    let scores = servers(3);
    tokio::select! {
        ended = machine.attempt(machine.topology(), &scores) => panic!("it was not killed: {ended:#?}"),
        () = begun(&machine, "/member/nats-4") => {}
    }
    machine.apply(machine.topology(), &scores).await;
    for server in ["nats-4", "nats-5"] {
        assert_eq!(machine.server(server).process(), None, "{server} still runs");
        assert!(!machine.server(server).directory.exists(), "of {server} something is left");
    }
    for server in ["nats-1", "nats-2", "nats-3"] {
        assert_eq!(settled(&machine, server).await.meta_size, 3, "{server}");
    }
    is_full(&stays).await;
    assert_eq!(changes(&machine.plan(machine.topology(), &scores).await), Vec::<String>::new());
}

/// A server alone does not read the streams of a cluster, and one that joins a cluster throws away those that it kept alone.
#[tokio::test(flavor = "multi_thread")]
async fn between_a_cluster_and_a_server_alone_nothing_is_lost_unasked() {
    let Some(machine) = Machine::new("leaving::alone").await else { return };
    for (before, copies, after) in [(3, Replicas::THREE, 1), (1, Replicas::ONE, 3)] {
        machine.apply(machine.topology(), &copied(before, copies)).await;
        fill(&machine.server("nats-1")).await;
        let running = machine.processes();
        let refused = machine.attempt(machine.topology(), &copied(after, Replicas::ONE)).await;
        let Err(EngineError::Refused { steps }) = refused else { panic!("{before} to {after}: {refused:#?}") };
        let server = steps.iter().find(|step| step.address.as_str() == "laptop/nats/nats-1/process").unwrap();
        let loss = &server.loss.as_ref().unwrap().what;
        assert!(loss.contains("stream KV_one of account APP (20 messages)"), "{before} to {after}: {loss}");
        assert_eq!(machine.processes(), running, "nothing was touched");
        is_full(&machine.server("nats-1")).await;
        let losses = BUCKETS.map(|name| format!("laptop/nats/bucket/APP/{name}")).into();
        let maestro = machine.maestro().with_allowances(Allowances { losses, ..Allowances::default() });
        let place = machine.place(machine.topology()).await;
        let outcome = maestro.prepare_destroy(&place).await.unwrap().apply().await.unwrap();
        assert_eq!(outcome.ending(), Ending::Changed, "{outcome:#?}");
    }
}

fn sites(names: &[&str]) -> Scores<Place> {
    let mut system = NatsSuperclusterScore::new("nats");
    for name in names {
        system = system.with_site(name, 1);
    }
    let app = UserWish::new("app").with_grant(Grant::kv("one").read_write());
    Scores::default()
        .with(system.accepting_quorum_loss())
        .with(JetstreamScore::on("nats"))
        .with(CredentialsScore::on("nats").with_account(AccountWish::new("APP").with_user(app)))
        .with(KvBucketScore::on("nats", "APP", "one"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_supercluster_loses_a_site_for_good_under_a_writer_and_loses_nothing() {
    let Some(machine) = Machine::new("leaving::site").await else { return };
    machine.apply(machine.topology(), &sites(&["east", "north", "south", "west"])).await;
    let stays = machine.server("nats-east-1");
    let three = ["east", "north", "west"];
    let stop = Arc::new(AtomicBool::new(false));
    let writing = tokio::spawn(write(bucket(&stays, "one").await, Arc::clone(&stop)));
    machine.apply(machine.topology(), &sites(&three)).await;
    stop.store(true, Ordering::Relaxed);
    let acknowledged = writing.await.unwrap();
    assert!(acknowledged > 20, "{acknowledged}");
    for site in three {
        let server = machine.server(&format!("nats-{site}-hub"));
        let jetstream = server.state().await.jetstream.unwrap();
        assert_eq!(jetstream.meta_size, 6, "{site}: {jetstream:?}");
        let copy = jetstream.streams.iter().find(|copy| copy.stream.as_str() == "KV_one").unwrap();
        assert!(copy.settled, "{site}: {copy:?}");
    }
    for server in ["nats-south-1", "nats-south-hub"] {
        assert_eq!(machine.server(server).process(), None, "{server} still runs");
    }
    let written = bucket(&stays, "one").await;
    for number in 0..acknowledged {
        let value = written.get(format!("written.{number}")).await.unwrap();
        assert_eq!(value.unwrap_or_else(|| panic!("{number} is lost")), number.to_string().as_bytes());
    }
    assert_eq!(changes(&machine.plan(machine.topology(), &sites(&three)).await), Vec::<String>::new());
}
