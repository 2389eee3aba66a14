//! Asking servers about themselves, through their system account.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::StreamExt;
use harmony::run::Run;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;
use tokio::time::{Instant, timeout_at};

use crate::ask::AskError;
use crate::connection::{Connection, answer_within, read};

/// A server's answer.
#[derive(Debug, Deserialize)]
pub(crate) struct Answer<T> {
    /// Who answers.
    pub(crate) server: Answerer,
    /// What it answers; nothing where there is nothing to say, or with an error.
    #[serde(default = "none")]
    pub(crate) data: Option<T>,
    /// Why it does not do it.
    #[serde(default)]
    pub(crate) error: Option<Refusal>,
}

fn none<T>() -> Option<T> {
    None
}

/// The server that answers.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Answerer {
    pub(crate) name: String,
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) cluster: Option<String>,
}

/// Why a server does not do what it is asked.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Refusal {
    #[serde(default)]
    pub(crate) description: String,
}

/// Whether a server is well: the answer to `HEALTHZ`.
#[derive(Debug, Deserialize)]
pub(crate) struct Health {
    status: String,
    #[serde(default)]
    error: Option<String>,
}

impl Health {
    /// Why it is not, in its words.
    pub(crate) fn trouble(&self) -> Option<&str> {
        (self.status != "ok").then(|| self.error.as_deref().filter(|words| !words.is_empty()).unwrap_or(&self.status))
    }
}

/// A group of servers that elect a leader, as one of them sees it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct MetaGroup {
    #[serde(default)]
    pub(crate) leader: String,
    #[serde(default, rename = "cluster_size")]
    pub(crate) size: usize,
}

/// How long after an answer the next one may take: a server on another continent answers within this.
const QUIET: Duration = Duration::from_millis(750);

/// Asks the one server that the connection landed on.
///
/// # Errors
/// [`AskError`].
pub(crate) async fn ask_one<T: DeserializeOwned>(
    run: &Run,
    connection: &Connection,
    what: &str,
    options: &Json,
) -> Result<Answer<T>, AskError> {
    let subject = format!("$SYS.REQ.SERVER.{}.{what}", connection.server_id());
    connection.ask_for(run, &subject, body(options)).await
}

/// Asks all servers of the system, and returns the answers by the servers' public keys: when `expected` servers have answered, or when
/// no more come.
///
/// # Errors
/// [`AskError`].
pub(crate) async fn ask_all<T: DeserializeOwned>(
    run: &Run,
    connection: &Connection,
    what: &str,
    options: &Json,
    expected: usize,
) -> Result<BTreeMap<String, Answer<T>>, AskError> {
    let subject = format!("$SYS.REQ.SERVER.PING.{what}");
    let target = format!("{subject} on {}", connection.server());
    run.io().request(&target, gather(run, connection, subject, options, expected)).await
}

async fn gather<T: DeserializeOwned>(
    run: &Run,
    connection: &Connection,
    subject: String,
    options: &Json,
    expected: usize,
) -> Result<BTreeMap<String, Answer<T>>, AskError> {
    let before = connection.complaints().count();
    let quoted = format!("\"{subject}\"");
    let inbox = connection.inbox();
    let mut answers = connection.listen(inbox.clone()).await?;
    connection.send(subject.clone(), inbox, None, body(options)).await?;
    let mut until = Instant::now() + answer_within(run);
    let mut all = BTreeMap::new();
    while all.len() < expected {
        let next = tokio::select! {
            biased;
            next = timeout_at(until, answers.next()) => next,
            complaint = connection.complaints().about(before, |words| words.contains(&quoted)) => return Err(complaint),
        };
        let Ok(Some(message)) = next else { break };
        if message.status == Some(async_nats::StatusCode::NO_RESPONDERS) {
            return Err(AskError::Nobody { subject });
        }
        let answer: Answer<T> = read(&subject, &message)?;
        all.insert(answer.server.id.clone(), answer);
        until = until.min(Instant::now() + QUIET);
    }
    Ok(all)
}

fn body(options: &Json) -> Vec<u8> {
    if options.is_null() { Vec::new() } else { options.to_string().into_bytes() }
}
