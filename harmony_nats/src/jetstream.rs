//! The JetStream API: requests in JSON, answers with numbered errors.

use harmony::provider::{Failure, ProviderError};
use harmony::run::Run;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use crate::ask::AskError;
use crate::connection::{Connection, read};

/// The API's numbers of errors that mean something of their own here (nats-server: `server/errors.json`).
pub(crate) mod code {
    /// No servers fit the placement; also said by a meta leader that does not know all its peers yet.
    pub(crate) const NO_PEERS: u32 = 10005;
    /// JetStream has no leader, or is busy.
    pub(crate) const UNAVAILABLE: u32 = 10008;
    /// Not enough room now.
    pub(crate) const INSUFFICIENT: u32 = 10023;
    /// The account is not known.
    pub(crate) const NO_ACCOUNT: u32 = 10035;
    /// The account has no JetStream.
    pub(crate) const NOT_FOR_ACCOUNT: u32 = 10039;
    /// A stream of this name has another configuration.
    pub(crate) const NAME_IN_USE: u32 = 10058;
    /// No such stream.
    pub(crate) const NO_STREAM: u32 = 10059;
    /// The sequence that was expected is not the last one.
    pub(crate) const WRONG_SEQUENCE: u32 = 10071;
    /// The servers have no JetStream.
    pub(crate) const NOT_ENABLED: u32 = 10076;
    /// All servers that hold the stream are down.
    pub(crate) const OFFLINE: u32 = 10118;
    /// Too many requests at once.
    pub(crate) const TOO_MANY: u32 = 10167;
}

/// An error of the API.
#[derive(Debug, Clone, Deserialize, thiserror::Error)]
#[error("the server says: {description} (JetStream error {number})")]
pub(crate) struct ApiError {
    /// Its number, one of [`code`] or another.
    #[serde(rename = "err_code", default)]
    pub(crate) number: u32,
    /// The server's words.
    #[serde(default)]
    pub(crate) description: String,
}

/// Why a call gave nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum CallError {
    /// The API says no.
    #[error(transparent)]
    Api(ApiError),
    /// The API says nothing.
    #[error(transparent)]
    Ask(#[from] AskError),
}

impl CallError {
    /// The API's number, if it said one.
    pub(crate) fn number(&self) -> Option<u32> {
        match self {
            Self::Api(error) => Some(error.number),
            Self::Ask(_) => None,
        }
    }

    /// The same as the failure of `what`.
    pub(crate) fn failed(self, what: String) -> ProviderError {
        match self {
            Self::Api(error) => refused(&error, what),
            Self::Ask(error) => error.failed(what),
        }
    }
}

/// Calls the API: `verb` is what stands behind `$JS.API.`.
///
/// # Errors
/// [`CallError`].
pub(crate) async fn call<T: DeserializeOwned>(
    run: &Run,
    connection: &Connection,
    verb: &str,
    body: &Json,
) -> Result<T, CallError> {
    #[derive(Deserialize)]
    struct Envelope {
        error: Option<ApiError>,
    }
    let subject = format!("$JS.API.{verb}");
    let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    let answer = connection.ask(run, &subject, body).await?;
    let envelope: Envelope = read(&subject, &answer)?;
    match envelope.error {
        Some(error) => Err(CallError::Api(error)),
        None => Ok(read(&subject, &answer)?),
    }
}

fn refused(error: &ApiError, what: String) -> ProviderError {
    let mut failure = Failure::new(what, error);
    failure.hint = hint(error).map(str::to_owned);
    match error.number {
        code::UNAVAILABLE | code::INSUFFICIENT | code::TOO_MANY => ProviderError::RetryLater(failure),
        code::NAME_IN_USE | code::WRONG_SEQUENCE => ProviderError::Conflict(failure),
        code::OFFLINE => ProviderError::Unreachable(failure),
        _ => ProviderError::Refused(failure),
    }
}

fn hint(error: &ApiError) -> Option<&'static str> {
    match error.number {
        code::NO_PEERS | 10074 => Some(
            "its replicas need as many JetStream servers inside one cluster: lower `replicas`, or place it in a cluster that has them",
        ),
        10010 => Some("the server is not in a cluster: lower `replicas`, or give it no cluster"),
        10028 | 10047 => Some(
            "the server has no more room for it: make some on its disk, give JetStream more in its Score, or lower the size that is \
             asked for",
        ),
        10052 => Some("the server cannot change this in place: take it away with what it holds, and apply again"),
        10065 => Some("another stream of the account has one of these subjects: remove it, or choose other subjects"),
        10120 => Some("give the account a limit for this number of replicas"),
        code::NOT_FOR_ACCOUNT | code::NO_ACCOUNT => Some("give the account JetStream"),
        code::NOT_ENABLED => Some("give the servers JetStream"),
        _ => None,
    }
}
