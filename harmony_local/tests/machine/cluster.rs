//! Servers of one system are restarted one at a time, each when the one before it has caught up.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use async_nats::jetstream;
use futures::future::join_all;
use harmony::Scores;
use harmony::modules::nats::assets::{Replicas, Storage};
use harmony::modules::nats::score::{
    AccountWish, CredentialsScore, Grant, JetstreamScore, KvBucketScore, NatsScore, Replication, SyncPolicy, UserWish,
};
use harmony_types::TimeSpan;

use crate::fixture::{Machine, Place, Server};

const SERVERS: [&str; 3] = ["nats-1", "nats-2", "nats-3"];
/// So much that a server which has lost it needs a moment to have it again.
const KEYS: usize = 4_000;
const VALUE: usize = 4 * 1024;

/// Three servers and a bucket in their memory, which a server that restarts has lost.
fn three(jetstream: JetstreamScore) -> Scores<Place> {
    let app = UserWish::new("app").with_grant(Grant::kv("memory").read_write());
    let bucket = KvBucketScore::on("nats", "APP", "memory").with_storage(Storage::Memory);
    Scores::default()
        .with(NatsScore::new("nats").with_servers(3))
        .with(jetstream)
        .with(CredentialsScore::on("nats").with_account(AccountWish::new("APP").with_user(app)))
        .with(bucket.with_replication(Replication::Local(Replicas::THREE)))
}

async fn bucket(server: &Server) -> jetstream::kv::Store {
    let options = async_nats::ConnectOptions::with_nkey(server.seed("app/user/app").await)
        .custom_inbox_prefix("_INBOX_app")
        .require_tls(true)
        .add_root_certificates(server.file("trust.pem"));
    let client = options.connect(format!("tls://127.0.0.1:{}", server.port())).await.unwrap();
    jetstream::new(client).get_key_value("memory").await.unwrap()
}

async fn fill(server: &Server) {
    let bucket = &bucket(server).await;
    for first in (0..KEYS).step_by(200) {
        let put = |key: usize| async move { bucket.put(format!("key.{key}"), vec![b'v'; VALUE].into()).await.unwrap() };
        join_all((first..first + 200).map(put)).await;
    }
}

async fn messages(server: &Server) -> u64 {
    bucket(server).await.status().await.unwrap().values()
}

/// Looks all the time which servers are down: their process is gone, or nobody answers on their port.
struct Watch {
    ended: Arc<AtomicBool>,
    watching: JoinHandle<BTreeSet<Vec<usize>>>,
}

impl Watch {
    fn begin(servers: &[Server]) -> Self {
        let ended = Arc::new(AtomicBool::new(false));
        let servers: Vec<(u32, u16)> = servers.iter().map(|server| (server.process().unwrap(), server.port())).collect();
        let stop = Arc::clone(&ended);
        let watching = std::thread::spawn(move || {
            let mut seen = BTreeSet::new();
            while !stop.load(Ordering::Relaxed) {
                let is_down = |(_, (_, port)): &(usize, &(u32, u16))| TcpStream::connect((Ipv4Addr::LOCALHOST, *port)).is_err();
                seen.insert(servers.iter().enumerate().filter(is_down).map(|(index, _)| index).collect());
                std::thread::sleep(Duration::from_millis(2));
            }
            let is_there = |(process, _): &&(u32, u16)| Path::new("/proc").join(process.to_string()).exists();
            assert_eq!(servers.iter().filter(is_there).count(), 0, "each was restarted");
            seen
        });
        Self { ended, watching }
    }

    fn end(self) -> BTreeSet<Vec<usize>> {
        self.ended.store(true, Ordering::Relaxed);
        self.watching.join().unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rolling_restart_never_stops_two_servers_and_loses_nothing_that_is_only_in_memory() {
    let Some(machine) = Machine::new("cluster::rolling").await else { return };
    machine.apply(machine.topology(), &three(JetstreamScore::on("nats"))).await;
    let servers = SERVERS.map(|name| machine.server(name));
    fill(&servers[0]).await;
    assert_eq!(messages(&servers[1]).await, KEYS as u64);

    machine.said();
    let watch = Watch::begin(&servers);
    machine
        .apply(machine.topology(), &three(JetstreamScore::on("nats").with_sync(SyncPolicy::Every(TimeSpan::seconds(1)))))
        .await;
    let down = watch.end();
    assert!(down.iter().all(|down| down.len() <= 1), "two at once: {down:?}");
    assert_eq!(down, [vec![], vec![0], vec![1], vec![2]].into(), "each was seen to be down");
    assert_eq!(turns(&machine.said()), ["begins", "ends", "begins", "ends", "begins", "ends"]);
    for server in &servers {
        let state = server.state().await;
        assert_eq!(state.unhealthy, None);
        let jetstream = state.jetstream.unwrap();
        let copy = jetstream.streams.iter().find(|copy| copy.stream.as_str() == "KV_memory").unwrap();
        assert!(copy.settled && copy.messages == KEYS as u64, "{copy:?}");
    }
    assert_eq!(messages(&servers[2]).await, KEYS as u64);
}

/// When restarts began and when they ended.
fn turns(said: &[String]) -> Vec<&'static str> {
    let of = |event: &String| match event {
        event if event.contains("\"restarting\"") => Some("begins"),
        event if event.contains("\"finished\"") && event.contains("/process\"") => Some("ends"),
        _ => None,
    };
    said.iter().filter_map(of).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_more_restarts_no_server_of_a_cluster() {
    let Some(machine) = Machine::new("cluster::reload").await else { return };
    machine.apply(machine.topology(), &three(JetstreamScore::on("nats"))).await;
    let servers = SERVERS.map(|name| machine.server(name));
    let mut before = Vec::new();
    for server in &servers {
        before.push((server.process(), server.state().await));
    }
    let more = AccountWish::new("APP").with_user(UserWish::new("second").with_grant(Grant::kv("memory").read()));
    let scores = three(JetstreamScore::on("nats")).with(CredentialsScore::on("nats").with_account(more));
    machine.apply(machine.topology(), &scores).await;
    for (server, (process, before)) in servers.iter().zip(before) {
        let after = server.state().await;
        assert_eq!((server.process(), after.started), (process, before.started), "{}", before.server);
        assert_ne!((after.configured, after.config_digest), (before.configured, before.config_digest), "{}", before.server);
    }
}
