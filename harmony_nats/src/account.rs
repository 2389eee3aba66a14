//! What others have put into an account.

use async_trait::async_trait;
use harmony::modules::nats::access::NatsAccess;
use harmony::modules::nats::assets::{AccountContents, AccountIdentity, Nothing};
use harmony::provider::{Known, Live, Observation, Provider, ProviderError};
use harmony::run::Run;
use serde_json::Value as Json;

use crate::ask::AskError;
use crate::client::NatsConnections;
use crate::config::is_ours;
use crate::connection::Connection;
use crate::jetstream::{CallError, code};
use crate::streams::{self, Info};

#[async_trait]
impl Provider<AccountContents> for NatsConnections {
    async fn observe(
        &self,
        run: &Run,
        at: &NatsAccess,
        wanted: &[Known<AccountContents>],
    ) -> Result<Vec<Observation<AccountContents>>, ProviderError> {
        // A server that does not know the user may have no such account, or another key for that user: it is not for us to say that the
        // account is empty.
        let connection = self.shared.connection(run, at).await?;
        let holds = in_words(&foreign(run, &connection).await?);
        let there = |known: &Known<AccountContents>| {
            let state = AccountContents { identity: known.identity.clone() };
            Observation::There(Box::new(Live { state, outputs: Nothing {}, holds: holds.clone() }))
        };
        Ok(wanted.iter().map(there).collect())
    }

    async fn apply(
        &self,
        _run: &Run,
        _at: &NatsAccess,
        _desired: &AccountContents,
        _live: Option<&Live<AccountContents>>,
    ) -> Result<Nothing, ProviderError> {
        // The account is made with the servers' configuration, and its contents by others.
        Ok(Nothing {})
    }

    async fn delete(&self, run: &Run, at: &NatsAccess, _identity: &AccountIdentity) -> Result<(), ProviderError> {
        let connection = self.shared.connection(run, at).await?;
        for stream in foreign(run, &connection).await? {
            streams::remove(run, &connection, name(&stream)).await?;
        }
        Ok(())
    }
}

/// The streams of the account that Harmony has not made; none if the account cannot have any.
async fn foreign(run: &Run, connection: &Connection) -> Result<Vec<Info>, ProviderError> {
    match streams::list(run, connection).await {
        Ok(streams) => Ok(streams.into_iter().filter(|stream| !is_ours(&stream.config)).collect()),
        Err(error) if matches!(error.number(), Some(code::NOT_FOR_ACCOUNT | code::NOT_ENABLED)) => Ok(Vec::new()),
        Err(CallError::Ask(AskError::Nobody { .. })) if !connection.has_jetstream() => Ok(Vec::new()),
        Err(error) => Err(error.failed(format!("failed to list the account's streams as {}", connection.whereabouts()))),
    }
}

fn in_words(streams: &[Info]) -> Option<String> {
    let one = |stream: &Info| {
        let messages = stream.messages();
        format!("stream {} ({messages} message{})", name(stream), if messages == 1 { "" } else { "s" })
    };
    (!streams.is_empty()).then(|| streams.iter().map(one).collect::<Vec<_>>().join(", "))
}

fn name(stream: &Info) -> &str {
    stream.config.get("name").and_then(Json::as_str).unwrap_or_default()
}
