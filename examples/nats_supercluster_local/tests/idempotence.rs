//! A second `apply` does nothing, seen from outside; and the order of the Scores does not matter.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on ends")]

#[path = "world/outside.rs"]
mod outside;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_nats::Client;
use harmony::topology::{Fetching, Site, Survey};
use harmony::{Inventory, Maestro, Scores};
use harmony_io::Io;
use harmony_local::{LocalFacts, LocalPlace, LocalTopology, Program, WithNats};
use harmony_secret::{MemoryStore, SecretManager};
use harmony_test::SiteProgram;
use outside::{SERVERS, ask_all, called, connect};
use serde_json::{Value as Json, json};

/// What can be seen of the world without asking Harmony.
struct Seen {
    files: BTreeMap<PathBuf, (Vec<u8>, std::time::SystemTime)>,
    processes: BTreeSet<u32>,
    /// When each server started, and when it last read its configuration.
    times: BTreeMap<String, (Json, Json)>,
    /// Of every stream: when it was made, its configuration, and its first and last sequence.
    streams: BTreeMap<String, Json>,
    /// The last entry of every replicated log of JetStream, as each server has it.
    logs: BTreeMap<String, u64>,
}

impl Seen {
    async fn now(program: &SiteProgram, operator: &Client, provisioner: &Client) -> Self {
        let files = program.snapshot().into_iter().filter(|(path, ..)| !is_the_servers_own(path));
        let times = ask_all(operator, "VARZ", &Json::Null, SERVERS.len()).await;
        Self {
            files: files.map(|(path, content, changed)| (path, (content, changed))).collect(),
            processes: program.processes().into_iter().map(|(process, _)| process).collect(),
            times: times
                .into_iter()
                .map(|(name, says)| (name, (says["start"].clone(), says["config_load_time"].clone())))
                .collect(),
            streams: streams(provisioner).await,
            logs: logs(operator).await,
        }
    }
}

/// The lock of runs, and what the servers themselves keep.
fn is_the_servers_own(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    path == Path::new("lock") || name.ends_with(".log") || path.components().any(|part| part.as_os_str() == "store")
}

async fn streams(provisioner: &Client) -> BTreeMap<String, Json> {
    let list = called(provisioner, "STREAM.LIST", &Json::Null).await;
    let of = |stream: &Json| {
        let state = &stream["state"];
        let what = json!([stream["created"], stream["config"], state["first_seq"], state["last_seq"], state["messages"]]);
        (stream["config"]["name"].as_str().unwrap().to_owned(), what)
    };
    list["streams"].as_array().unwrap().iter().map(of).collect()
}

/// Every call that makes, changes or removes something in JetStream is an entry in a replicated log: of the group of all servers for
/// streams and consumers, of a stream's own group for its messages. So logs that have not grown say, for all accounts and for all
/// callers, what an audit of the calls would say for one account: that no writing call was made. (The audit's events go to the account
/// itself, in which no user of the main job may listen.)
async fn logs(operator: &Client) -> BTreeMap<String, u64> {
    let mut found = BTreeMap::new();
    for account in ["SYS", "HARMONY"] {
        for (server, accounts) in ask_all(operator, "RAFTZ", &json!({ "account": account }), SERVERS.len()).await {
            for (group, log) in accounts[account].as_object().into_iter().flatten() {
                let last = log["pindex"].as_u64().unwrap_or_else(|| panic!("{log}"));
                found.insert(format!("{server} {account} {group}"), last);
            }
        }
    }
    found
}

/// The greatest last entry among the servers of each log of `account`.
fn heads(logs: &BTreeMap<String, u64>) -> BTreeMap<&str, u64> {
    let mut heads = BTreeMap::new();
    for (name, last) in logs {
        let head: &mut u64 = heads.entry(name.split_once(' ').unwrap().1).or_default();
        *head = (*head).max(*last);
    }
    heads
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_apply_does_nothing_seen_from_outside() {
    let program = SiteProgram::new(env!("CARGO_BIN_EXE_nats_supercluster_local"));
    let first = program.expect(&["apply", "--yes", "--json"], 0).summary();
    assert_eq!(first["outcome"], "changed");
    let operator = connect(&program, "nats-east-1", "SYS", "harmony-operator").await;
    let provisioner = connect(&program, "nats-east-1", "HARMONY", "harmony-provisioner").await;
    outside::settled(&operator, &provisioner, SERVERS.len()).await;

    let before = logs(&operator).await;
    called(&provisioner, "STREAM.CREATE.BY_HAND", &json!({ "name": "BY_HAND", "subjects": ["by.hand"] })).await;
    called(&provisioner, "STREAM.DELETE.BY_HAND", &Json::Null).await;
    let after = logs(&operator).await;
    assert!(heads(&after)["SYS _meta_"] >= heads(&before)["SYS _meta_"] + 2, "a writing call shows in {before:?} to {after:?}");

    outside::settled(&operator, &provisioner, SERVERS.len()).await;
    let before = Seen::now(&program, &operator, &provisioner).await;
    assert_eq!(before.processes.len(), SERVERS.len());
    assert_eq!(before.streams.keys().collect::<Vec<_>>(), ["KV_HARMONY", "KV_HARMONY_PROOF"]);
    let groups: Vec<&str> = before.logs.keys().filter(|log| log.contains(" HARMONY ")).map(String::as_str).collect();
    assert_eq!(groups.len(), 6, "two streams with three copies each: {groups:?}");

    let second = program.expect(&["apply", "--yes", "--json"], 0).summary();
    assert_eq!(second["outcome"], "converged");
    for nothing in ["create", "update", "replace", "delete", "writes", "proofs"] {
        assert_eq!(second[nothing], 0, "{nothing} in {second}");
    }
    let after = Seen::now(&program, &operator, &provisioner).await;
    assert_eq!(before.files.keys().collect::<Vec<_>>(), after.files.keys().collect::<Vec<_>>());
    for (path, was) in &before.files {
        let is = &after.files[path];
        assert!(was == is, "{} is another: {}", path.display(), String::from_utf8_lossy(&is.0));
    }
    assert_eq!(
        (before.processes, before.times, before.streams, before.logs),
        (after.processes, after.times, after.streams, after.logs)
    );
}

#[tokio::test]
async fn the_order_of_the_scores_does_not_matter() {
    let secrets = SecretManager::new(vec![Arc::new(MemoryStore::new())]);
    let site = Site::new(PathBuf::from("/nowhere/state"), secrets, Io::real()).with_fetching(Fetching::Forbidden);
    let facts = LocalFacts { nats_server: Some(Program::Pinned { version: "2.15.1".parse().unwrap() }) };
    let place = LocalTopology::new("laptop").with_nats(harmony_nats::client()).with_facts(&site, facts).unwrap();
    let scores: fn() -> Scores<LocalPlace<WithNats>> = nats_supercluster_local::scores;
    let orders = permutations(scores().len());
    assert_eq!(orders.len(), 24);
    let arranged = orders.iter().map(|order| {
        let scores = scores().reordered(order);
        let arrangement = Maestro::arrange(&Inventory::empty(), &place, &scores).unwrap();
        serde_json::to_string(&arrangement).unwrap()
    });
    let different: BTreeSet<String> = arranged.collect();
    assert_eq!(different.len(), 1);
    assert!(different.iter().all(|arrangement| arrangement.len() > 10_000), "it is not empty");
}

/// Every order of the indices below `count`.
fn permutations(count: usize) -> Vec<Vec<usize>> {
    let Some(last) = count.checked_sub(1) else { return vec![Vec::new()] };
    let shorter = permutations(last);
    let with_last_at = |order: &Vec<usize>, at: usize| {
        let mut order = order.clone();
        order.insert(at, last);
        order
    };
    shorter.iter().flat_map(|order| (0..count).map(move |at| with_last_at(order, at))).collect()
}
