//! Streams over the API, whatever they are for.

use std::time::{Duration, Instant};

use futures::StreamExt;
use harmony::modules::nats::access::NatsAccess;
use harmony::provider::{Failure, ProviderError};
use harmony::run::{Looked, Run};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value as Json, json};

use crate::ask::{AskError, QUESTIONS};
use crate::client::NatsConnections;
use crate::config::{Config, carry_along};
use crate::connection::Connection;
use crate::jetstream::{CallError, call, code};

/// A stream as the server says it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Info {
    /// Its configuration.
    pub(crate) config: Config,
    #[serde(default)]
    state: State,
    /// Where it lives; nothing on a server of its own.
    #[serde(default)]
    cluster: Option<Placed>,
}

#[derive(Debug, Clone, Default, Deserialize)]
struct State {
    #[serde(default)]
    messages: u64,
    #[serde(default)]
    last_seq: u64,
}

/// Where a stream's copies are.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Placed {
    #[serde(default)]
    name: String,
    #[serde(default)]
    pub(crate) leader: String,
    #[serde(default)]
    pub(crate) replicas: Vec<Replica>,
}

/// A copy that another server than the one that is asked has.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Replica {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) current: bool,
    #[serde(default)]
    pub(crate) offline: bool,
}

impl Info {
    /// What would be lost with it, in words.
    pub(crate) fn holds(&self) -> Option<String> {
        let State { messages, last_seq } = self.state;
        (messages > 0).then(|| format!("{messages} message{}, last sequence {last_seq}", if messages == 1 { "" } else { "s" }))
    }

    /// How many messages it has.
    pub(crate) fn messages(&self) -> u64 {
        self.state.messages
    }

    /// Why it is not ready to be used, if it is not.
    fn unready(&self, wish: &Config) -> Option<String> {
        let placed = self.cluster.as_ref()?;
        let wanted = wish.get("placement").and_then(|placement| placement.get("cluster")).and_then(Json::as_str);
        let copies = wish.get("num_replicas").and_then(Json::as_u64).unwrap_or(1);
        let here = 1 + placed.replicas.len() as u64;
        let late: Vec<&str> = placed
            .replicas
            .iter()
            .filter(|replica| !replica.current || replica.offline)
            .map(|replica| replica.name.as_str())
            .collect();
        if placed.leader.is_empty() {
            Some("it has no leader".to_owned())
        } else if wanted.is_some_and(|wanted| wanted != placed.name) {
            Some(format!("it is still in cluster {}", placed.name))
        } else if here != copies {
            Some(format!("it has {here} of {copies} copies"))
        } else if late.is_empty() {
            None
        } else {
            Some(format!("its copies on {} are not current", late.join(", ")))
        }
    }
}

/// What looking at a stream found.
pub(crate) enum Seen {
    /// The API says that there is none.
    Absent,
    /// It is there.
    There(Box<Info>),
    /// Nobody who would know has answered; why.
    Unreachable(String),
}

/// So many questions are in flight at once on one connection.
const AT_ONCE: usize = 32;

/// Looks at the streams of these names, in their order.
///
/// # Errors
/// [`ProviderError`] if the API refuses to say.
pub(crate) async fn look(run: &Run, connection: &Connection, names: Vec<String>) -> Result<Vec<Seen>, ProviderError> {
    let looks = names.into_iter().map(|name| look_at(run, connection, name));
    let seen: Vec<Result<Seen, ProviderError>> = futures::stream::iter(looks).buffered(AT_ONCE).collect().await;
    seen.into_iter().collect()
}

/// Asks, and again while nobody answers. Only for what changes nothing.
async fn ask_patiently<T: DeserializeOwned>(run: &Run, connection: &Connection, verb: &str, body: &Json) -> Result<T, CallError> {
    let mut asked = 1;
    loop {
        match call(run, connection, verb, body).await {
            Err(CallError::Ask(AskError::Silence { .. })) if asked < QUESTIONS && !run.remaining().is_zero() => asked += 1,
            answered => return answered,
        }
    }
}

async fn look_at(run: &Run, connection: &Connection, name: String) -> Result<Seen, ProviderError> {
    let error = match ask_patiently(run, connection, &format!("STREAM.INFO.{name}"), &Json::Null).await {
        Ok(info) => return Ok(Seen::There(Box::new(info))),
        Err(error) => error,
    };
    match (error.number(), &error) {
        (Some(code::NO_STREAM), _) => Ok(Seen::Absent),
        (Some(code::NOT_FOR_ACCOUNT | code::NO_ACCOUNT | code::NOT_ENABLED | code::UNAVAILABLE | code::OFFLINE), _)
        | (
            None,
            CallError::Ask(AskError::Nobody { .. } | AskError::Silence { .. } | AskError::Lost | AskError::Forbidden { .. }),
        ) => Ok(Seen::Unreachable(format!("asked as {}: {error}", connection.whereabouts()))),
        _ => Err(error.failed(format!("failed to look at stream {name} as {}", connection.whereabouts()))),
    }
}

/// All streams of the account.
///
/// # Errors
/// [`CallError`] if the API does not list them.
pub(crate) async fn list(run: &Run, connection: &Connection) -> Result<Vec<Info>, CallError> {
    #[derive(Deserialize)]
    struct Page {
        total: usize,
        #[serde(default)]
        streams: Option<Vec<Info>>,
    }
    let mut all = Vec::new();
    loop {
        let page: Page = ask_patiently(run, connection, "STREAM.LIST", &json!({ "offset": all.len() })).await?;
        let streams = page.streams.unwrap_or_default();
        let done = streams.is_empty() || all.len() + streams.len() >= page.total;
        all.extend(streams);
        if done {
            return Ok(all);
        }
    }
}

/// For how long `no suitable peers` may only mean that the servers do not know each other yet: a meta leader was seen to say so until a few
/// tenths of a second after its election, on two busy cores.
const SETTLING: Duration = Duration::from_secs(4);

/// Makes or changes a stream, and returns when it has a leader and all its copies are current.
///
/// # Errors
/// [`ProviderError`] with the API's words.
pub(crate) async fn make(
    run: &Run,
    connection: &Connection,
    name: &str,
    wish: Config,
    exists: bool,
) -> Result<(), ProviderError> {
    let whereabouts = connection.whereabouts();
    let (verb, what) = match exists {
        true => (format!("STREAM.UPDATE.{name}"), format!("failed to update stream {name} as {whereabouts}")),
        false => (format!("STREAM.CREATE.{name}"), format!("failed to create stream {name} as {whereabouts}")),
    };
    let wish = if exists { with_what_stays(run, connection, name, wish, &what).await? } else { wish };
    let body = Json::Object(wish.clone());
    let begun = Instant::now();
    run.wait_for("servers for the stream", || async {
        match call::<Json>(run, connection, &verb, &body).await {
            Ok(_) => Ok(Looked::Found(())),
            Err(error) if error.number() == Some(code::NO_PEERS) && begun.elapsed() < SETTLING => {
                Ok(Looked::NotYet(error.to_string()))
            }
            Err(error) if exists && error.number() == Some(code::NO_STREAM) => Err(meanwhile_gone(what.clone())),
            Err(error) => Err(error.failed(what.clone())),
        }
    })
    .await?;
    run.wait_for("the stream's leader and copies", || async {
        match look_at(run, connection, name.to_owned()).await? {
            Seen::There(info) => Ok(info.unready(&wish).map_or(Looked::Found(()), Looked::NotYet)),
            Seen::Absent => Ok(Looked::NotYet("the servers do not know it yet".to_owned())),
            Seen::Unreachable(why) => Ok(Looked::NotYet(why)),
        }
    })
    .await
}

async fn with_what_stays(
    run: &Run,
    connection: &Connection,
    name: &str,
    mut wish: Config,
    what: &str,
) -> Result<Config, ProviderError> {
    match look_at(run, connection, name.to_owned()).await? {
        Seen::There(info) => {
            carry_along(&info.config, &mut wish);
            Ok(wish)
        }
        Seen::Absent => Err(meanwhile_gone(what.to_owned())),
        Seen::Unreachable(why) => Err(ProviderError::unreachable(what, why)),
    }
}

fn meanwhile_gone(what: String) -> ProviderError {
    ProviderError::Conflict(Failure::new(what, "it has been deleted meanwhile").with_hint("run again"))
}

/// Deletes a stream with all it holds. It is no error if there is none.
///
/// # Errors
/// [`ProviderError`] with the API's words; [`ProviderError::Unreachable`] if nobody answers, although the deletion may take effect.
pub(crate) async fn remove(run: &Run, connection: &Connection, name: &str) -> Result<(), ProviderError> {
    match call::<Json>(run, connection, &format!("STREAM.DELETE.{name}"), &Json::Null).await {
        Err(error) if error.number() != Some(code::NO_STREAM) => {
            Err(error.failed(format!("failed to delete stream {name} as {}", connection.whereabouts())))
        }
        _ => Ok(()),
    }
}

/// Refuses limits of zero, which the server takes for no limit at all.
///
/// # Errors
/// [`ProviderError::Refused`] naming the first such field.
pub(crate) fn refuse_zero(whose: &str, fields: &[(&str, bool)]) -> Result<(), ProviderError> {
    match fields.iter().find(|(_, is_zero)| *is_zero) {
        None => Ok(()),
        Some((field, _)) => Err(ProviderError::Refused(
            Failure::new(format!("`{field}` of {whose} is zero"), "a server takes zero for no limit")
                .with_hint("leave it out, or give a limit"),
        )),
    }
}

impl NatsConnections {
    /// Looks at the streams of these names. A server that does not take the credential may not have read yet, or no longer have, the
    /// configuration that holds it, so that is no answer about the streams either.
    ///
    /// # Errors
    /// [`ProviderError`] if the access is no good, or the API refuses to say.
    pub(crate) async fn look_at_streams(
        &self,
        run: &Run,
        at: &NatsAccess,
        names: Vec<String>,
    ) -> Result<Vec<Seen>, ProviderError> {
        match self.shared.connection(run, at).await.map_err(ProviderError::from) {
            Ok(connection) => look(run, &connection, names).await,
            Err(ProviderError::Unreachable(failure) | ProviderError::NotPermitted(failure)) => {
                Ok(names.iter().map(|_| Seen::Unreachable(failure.to_string())).collect())
            }
            Err(error) => Err(error),
        }
    }
}
