//! The supercluster seen, and changed by hand, without Harmony: as its operator, its provisioner or a user, over NATS.

#![allow(dead_code, reason = "every test file uses a part of it")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on ends")]

use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};

use async_nats::{Client, ConnectOptions};
use futures::StreamExt;
use harmony_test::SiteProgram;
use serde_json::Value as Json;

/// The servers of the main job.
pub(crate) const SERVERS: [&str; 9] = [
    "nats-east-1",
    "nats-east-2",
    "nats-east-hub",
    "nats-north-1",
    "nats-north-2",
    "nats-north-hub",
    "nats-west-1",
    "nats-west-2",
    "nats-west-hub",
];

/// How long anything here may take; one thing takes a second at most on an idle machine.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long one answer may take.
const ANSWER: Duration = Duration::from_secs(2);

/// A connection as `user` of `account` to `server`, trusting the sites' authorities as users do.
pub(crate) async fn connect(program: &SiteProgram, server: &str, account: &str, user: &str) -> Client {
    let secret = format!("nats/nats/account/{}/user/{user}/nkey", account.to_lowercase());
    let seed = program.expect(&["secrets", "get", &secret, "--reveal"], 0).stdout.trim().to_owned();
    let options = ConnectOptions::with_nkey(seed).custom_inbox_prefix(format!("_INBOX_{user}"));
    let connecting = trusting(program, options).connect(url(program, server)).await;
    connecting.unwrap_or_else(|error| panic!("{user} on {server}: {error}"))
}

/// The same, trusting the authorities of the sites.
pub(crate) fn trusting(program: &SiteProgram, options: ConnectOptions) -> ConnectOptions {
    let trust = program.state().join("laptop/credentials/nats/trust.pem");
    options.require_tls(true).add_root_certificates(trust).connection_timeout(PATIENCE).ignore_discovered_servers()
}

/// Where clients reach a server.
pub(crate) fn url(program: &SiteProgram, server: &str) -> String {
    format!("tls://127.0.0.1:{}", port(program, server))
}

/// The port on which a server listens for clients, as its configuration says.
pub(crate) fn port(program: &SiteProgram, server: &str) -> u16 {
    let config = fs::read_to_string(file(program, server, "nats.conf")).unwrap();
    config.lines().find_map(|line| line.strip_prefix("port: ")).unwrap().parse().unwrap()
}

/// A file in the directory of a server.
pub(crate) fn file(program: &SiteProgram, server: &str, name: &str) -> std::path::PathBuf {
    program.state().join("laptop/nats").join(server).join(name)
}

/// What JetStream answers to a call; the error is in it, if there is one.
pub(crate) async fn call(client: &Client, call: &str, body: &Json) -> Json {
    let body = if body.is_null() { Vec::new() } else { serde_json::to_vec(body).unwrap() };
    let answer = client.request(format!("$JS.API.{call}"), body.into()).await.unwrap_or_else(|error| panic!("{call}: {error}"));
    serde_json::from_slice(&answer.payload).unwrap()
}

/// The same, where it must not be refused.
pub(crate) async fn called(client: &Client, what: &str, body: &Json) -> Json {
    let answer = call(client, what, body).await;
    assert!(answer["error"].is_null(), "{what}: {answer}");
    answer
}

/// Asks every server as the operator, and returns what `count` of them answer, by their names.
pub(crate) async fn ask_all(operator: &Client, what: &str, body: &Json, count: usize) -> BTreeMap<String, Json> {
    let begun = Instant::now();
    loop {
        let found = ask_once(operator, what, body, count).await;
        if found.len() >= count {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "only {:?} answer {what}", found.keys());
    }
}

/// A question or an answer may be lost while servers come and go, so one that has not come soon is asked for again.
async fn ask_once(operator: &Client, what: &str, body: &Json, count: usize) -> BTreeMap<String, Json> {
    let inbox = operator.new_inbox();
    let mut answers = operator.subscribe(inbox.clone()).await.unwrap();
    let body = if body.is_null() { Vec::new() } else { serde_json::to_vec(body).unwrap() };
    operator.publish_with_reply(format!("$SYS.REQ.SERVER.PING.{what}"), inbox, body.into()).await.unwrap();
    let mut found = BTreeMap::new();
    while found.len() < count {
        let Ok(Some(answer)) = tokio::time::timeout(ANSWER, answers.next()).await else { break };
        let mut answer: Json = serde_json::from_slice(&answer.payload).unwrap();
        found.insert(answer["server"]["name"].as_str().unwrap().to_owned(), answer["data"].take());
    }
    found
}

/// Waits until the provisioner is answered, as after the loss of a leader, and nothing in JetStream is behind.
pub(crate) async fn settled(operator: &Client, provisioner: &Client, count: usize) {
    let begun = Instant::now();
    loop {
        let health = ask_all(operator, "HEALTHZ", &Json::Null, count).await;
        let answer = provisioner.request("$JS.API.INFO", "".into()).await;
        if answer.is_ok() && health.values().all(|health| health["status"] == "ok") {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "not settled: {health:?}, {answer:?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
