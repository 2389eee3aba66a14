//! What the servers say of themselves, through their system account.

use std::collections::BTreeMap;
use std::time::Duration;

use async_nats::Client;
use futures::StreamExt;
use serde::Deserialize;
use tokio::time::timeout;

use crate::place::{SITES, hub};

/// The bucket's stream.
pub(crate) const STREAM: &str = "KV_HARMONY";
/// How long after an answer the next one may take.
const QUIET: Duration = Duration::from_millis(400);

/// Who leads.
pub(crate) struct Leaders {
    /// The server that leads the bucket's stream.
    pub(crate) stream: String,
    /// The server that leads JetStream.
    pub(crate) meta: String,
}

/// Who leads, if `all` servers name the same one.
pub(crate) async fn leaders(operator: &Client, all: usize) -> Option<Leaders> {
    let answers = ask(operator, all).await;
    let meta: Vec<&String> = answers.values().filter_map(|server| Some(&server.meta_cluster.as_ref()?.leader)).collect();
    let agreed = meta.len() == all && !meta[0].is_empty() && meta.iter().all(|leader| *leader == meta[0]);
    let stream = answers.iter().find_map(|(name, server)| (server.find(STREAM)?.cluster.leader == *name).then(|| name.clone()));
    Some(Leaders { stream: stream?, meta: agreed.then(|| meta[0].clone())? })
}

/// The last sequence of every copy of the bucket's stream, each as its own server says it, by site.
pub(crate) async fn sequences(operator: &Client) -> BTreeMap<&'static str, u64> {
    let answers = ask(operator, SITES.len() * 3).await;
    let sequence = |site| Some((site, answers.get(&hub(site))?.find(STREAM)?.state.last_seq));
    SITES.into_iter().filter_map(sequence).collect()
}

#[derive(Deserialize)]
struct Answer {
    server: Name,
    data: Jetstream,
}

#[derive(Deserialize)]
struct Name {
    name: String,
}

#[derive(Deserialize)]
struct Jetstream {
    meta_cluster: Option<Group>,
    #[serde(default)]
    account_details: Vec<Account>,
}

impl Jetstream {
    fn find(&self, stream: &str) -> Option<&Stream> {
        self.account_details.iter().flat_map(|account| &account.stream_detail).find(|found| found.name == stream)
    }
}

#[derive(Deserialize)]
struct Account {
    #[serde(default)]
    stream_detail: Vec<Stream>,
}

#[derive(Deserialize)]
struct Stream {
    name: String,
    state: State,
    cluster: Group,
}

#[derive(Deserialize)]
struct State {
    last_seq: u64,
}

#[derive(Deserialize)]
struct Group {
    #[serde(default)]
    leader: String,
}

async fn ask(operator: &Client, expected: usize) -> BTreeMap<String, Jetstream> {
    let inbox = operator.new_inbox();
    let mut answers = operator.subscribe(inbox.clone()).await.unwrap();
    let body = r#"{"accounts":true,"streams":true}"#;
    operator.publish_with_reply("$SYS.REQ.SERVER.PING.JSZ", inbox, body.into()).await.unwrap();
    let mut all = BTreeMap::new();
    let mut patience = Duration::from_secs(3);
    while all.len() < expected {
        let Ok(Some(message)) = timeout(patience, answers.next()).await else { break };
        let answer: Answer = serde_json::from_slice(&message.payload).unwrap();
        all.insert(answer.server.name, answer.data);
        patience = QUIET;
    }
    all
}
