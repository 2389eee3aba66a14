//! Looking after one running server.

use harmony::modules::nats::client::{JetstreamState, ServerState, StreamCopy};
use harmony::provider::{Failure, ProviderError};
use harmony::run::Run;
use serde::Deserialize;
use serde_json::{Value as Json, json};

use crate::connection::Connection;
use crate::streams::Placed;
use crate::system::{Answer, Health, MetaGroup, ask_all, ask_one};

/// What `VARZ` says that matters here.
#[derive(Debug, Deserialize)]
struct General {
    server_id: String,
    server_name: String,
    version: String,
    #[serde(default)]
    cluster: ClusterOf,
    start: String,
    config_load_time: String,
    #[serde(default)]
    config_digest: String,
}

#[derive(Debug, Default, Deserialize)]
struct ClusterOf {
    #[serde(default)]
    name: String,
}

/// A page of what `JSZ` says.
#[derive(Debug, Deserialize)]
pub(crate) struct Jetstream {
    #[serde(default)]
    disabled: bool,
    #[serde(default)]
    meta_cluster: Option<MetaGroup>,
    /// How many accounts with JetStream the server has.
    #[serde(default)]
    total: usize,
    #[serde(default)]
    account_details: Vec<Account>,
}

impl Jetstream {
    /// The copies that the server of this name has.
    pub(crate) fn copies_on(self, server: &str) -> Vec<StreamCopy> {
        self.account_details.into_iter().flat_map(|account| copies(account, server)).collect()
    }
}

#[derive(Debug, Deserialize)]
struct Account {
    name: String,
    #[serde(default)]
    stream_detail: Vec<Copy>,
}

#[derive(Debug, Deserialize)]
struct Copy {
    name: String,
    #[serde(default)]
    cluster: Option<Placed>,
    state: Contents,
}

#[derive(Debug, Deserialize)]
struct Contents {
    messages: u64,
    last_seq: u64,
}

/// What the server at the other end says of itself.
///
/// # Errors
/// [`ProviderError`] if it does not say it.
pub(crate) async fn look(run: &Run, connection: &Connection) -> Result<ServerState, ProviderError> {
    let general: General = ask(run, connection, "VARZ", &Json::Null).await?;
    let health: Health = ask(run, connection, "HEALTHZ", &Json::Null).await?;
    let jetstream = look_at_jetstream(run, connection, &general.server_name).await?;
    let unreadable = |what: &str, error: &dyn std::error::Error| ProviderError::refused(failed(what, connection), error);
    Ok(ServerState {
        server: general.server_name.parse().map_err(|error| unreadable("VARZ", &error))?,
        id: general.server_id,
        version: general.version,
        cluster: match general.cluster.name.as_str() {
            "" => None,
            name => Some(name.parse().map_err(|error| unreadable("VARZ", &error))?),
        },
        started: general.start,
        configured: general.config_load_time,
        config_digest: general.config_digest,
        unhealthy: health.trouble().map(str::to_owned),
        jetstream,
    })
}

/// Why another server than the one at the other end is not where that one may be restarted.
///
/// # Errors
/// [`ProviderError`] if they cannot be asked.
pub(crate) async fn find_unsettled_neighbour(run: &Run, connection: &Connection) -> Result<Option<String>, ProviderError> {
    let asked = |what: &str| format!("failed to ask all servers for their {what} as {}", connection.whereabouts());
    let health = ask_all::<Health>(run, connection, "HEALTHZ", &Json::Null, usize::MAX).await;
    let health = health.map_err(|error| error.failed(asked("HEALTHZ")))?;
    let own = connection.server_id();
    for answer in health.values().filter(|answer| answer.server.id != own) {
        if let Some(words) = answer.data.as_ref().and_then(Health::trouble) {
            return Ok(Some(format!("server {}: {words}", answer.server.name)));
        }
    }
    let options = json!({ "accounts": true, "streams": true });
    let streams = ask_all::<Jetstream>(run, connection, "JSZ", &options, health.len()).await;
    for answer in streams.map_err(|error| error.failed(asked("JSZ")))?.into_values().filter(|answer| answer.server.id != own) {
        let copies = answer.data.map(|jetstream| jetstream.copies_on(&answer.server.name)).unwrap_or_default();
        if let Some(behind) = copies.iter().find(|copy| !copy.settled) {
            let StreamCopy { account, stream, .. } = behind;
            return Ok(Some(format!("server {}: stream {stream} of account {account} is not settled", answer.server.name)));
        }
    }
    Ok(None)
}

/// Tells the server at the other end to read its configuration again.
///
/// # Errors
/// [`ProviderError::Refused`] with its words if it keeps the old one.
pub(crate) async fn reload(run: &Run, connection: &Connection) -> Result<(), ProviderError> {
    let what = || format!("failed to reload the configuration as {}", connection.whereabouts());
    let answer: Answer<Json> = ask_one(run, connection, "RELOAD", &json!({})).await.map_err(|error| error.failed(what()))?;
    match answer.error {
        None => Ok(()),
        Some(error) => {
            let failure = Failure::new(what(), format!("server {} says: {}", answer.server.name, error.description));
            Err(ProviderError::Refused(
                failure.with_hint("it goes on with its old configuration; what cannot be reloaded needs a restart"),
            ))
        }
    }
}

async fn look_at_jetstream(run: &Run, connection: &Connection, server: &str) -> Result<Option<JetstreamState>, ProviderError> {
    let mut state = None;
    let mut accounts = 0;
    loop {
        let page: Jetstream =
            ask(run, connection, "JSZ", &json!({ "accounts": true, "streams": true, "offset": accounts })).await?;
        if page.disabled {
            return Ok(None);
        }
        let state = state.get_or_insert_with(|| group(page.meta_cluster.as_ref(), server));
        accounts += page.account_details.len();
        let more = !page.account_details.is_empty() && accounts < page.total;
        state.streams.extend(page.account_details.into_iter().flat_map(|account| copies(account, server)));
        if !more {
            break;
        }
    }
    Ok(state)
}

/// A server without a group is its own leader.
fn group(meta: Option<&MetaGroup>, server: &str) -> JetstreamState {
    let (leader, size) = meta.map_or((server, 1), |meta| (meta.leader.as_str(), meta.size));
    JetstreamState { meta_leader: leader.parse().ok(), meta_size: size, streams: Vec::new() }
}

fn copies(account: Account, server: &str) -> Vec<StreamCopy> {
    let Account { name: account, stream_detail } = account;
    let copy = |copy: Copy| {
        let settled = copy.cluster.as_ref().is_none_or(|placed| is_settled(placed, server));
        let copies = copy.cluster.as_ref().map_or(1, |placed| placed.replicas.len() + 1);
        let (Ok(account), Ok(stream)) = (account.parse(), copy.name.parse()) else {
            log::warn!(account = account.as_str(), stream = copy.name.as_str(); "a stream whose name Harmony cannot have is left out");
            return None;
        };
        let Contents { messages, last_seq: last_sequence } = copy.state;
        Some(StreamCopy { account, stream, messages, last_sequence, copies, settled })
    };
    stream_detail.into_iter().filter_map(copy).collect()
}

/// Whether the copies are as they should be, as far as this server can know: only the leader knows all; another one knows its leader, and
/// shows the remaining ones as not current even when they are.
fn is_settled(placed: &Placed, server: &str) -> bool {
    let leads = placed.leader == server;
    let fine = |name: &str, current: bool| current || (!leads && name != placed.leader);
    !placed.leader.is_empty() && placed.replicas.iter().all(|replica| !replica.offline && fine(&replica.name, replica.current))
}

async fn ask<T: serde::de::DeserializeOwned>(
    run: &Run,
    connection: &Connection,
    what: &str,
    options: &Json,
) -> Result<T, ProviderError> {
    let answer: Answer<T> =
        ask_one(run, connection, what, options).await.map_err(|error| error.failed(failed(what, connection)))?;
    let words = answer.error.map_or_else(|| "it says nothing".to_owned(), |error| error.description);
    answer.data.ok_or_else(|| ProviderError::refused(failed(what, connection), words))
}

fn failed(what: &str, connection: &Connection) -> String {
    format!("failed to ask the server for its {what} as {}", connection.whereabouts())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settled(json: Json, server: &str) -> bool {
        is_settled(&serde_json::from_value(json).unwrap(), server)
    }

    #[test]
    fn a_leader_vouches_for_all_copies_and_a_follower_for_its_leader() {
        let copies = |b: bool, c: bool| json!([{ "name": "b", "current": b }, { "name": "c", "current": c }]);
        assert!(settled(json!({ "leader": "a", "replicas": copies(true, true) }), "a"));
        assert!(!settled(json!({ "leader": "a", "replicas": copies(true, false) }), "a"));
        // A follower shows other followers as not current even when they are.
        assert!(settled(json!({ "leader": "b", "replicas": copies(true, false) }), "a"));
        assert!(!settled(json!({ "leader": "b", "replicas": copies(false, true) }), "a"));
        assert!(!settled(json!({ "replicas": copies(true, true) }), "a"));
        assert!(!settled(json!({ "leader": "b", "replicas": [{ "name": "b", "current": true, "offline": true }] }), "a"));
        assert!(settled(json!({ "leader": "a" }), "a"));
    }
}
