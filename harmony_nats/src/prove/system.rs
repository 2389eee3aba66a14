//! The system account cannot hold data.

use async_trait::async_trait;
use harmony::modules::nats::proof::SystemAccountHoldsNoData;
use harmony::proof::{Evidence, Prover};
use harmony::provider::{Failure, ProviderError};
use harmony::run::Run;
use serde_json::{Value as Json, json};

use crate::ask::AskError;
use crate::client::NatsConnections;
use crate::jetstream::{CallError, call, code};
use crate::streams;

/// The stream that the proof tries to make. Nobody else's has this name, and it is gone at once if it can be made.
const STREAM: &str = SystemAccountHoldsNoData::STREAM;

#[async_trait]
impl Prover<SystemAccountHoldsNoData> for NatsConnections {
    async fn prove(&self, run: &Run, proof: &SystemAccountHoldsNoData) -> Result<Evidence, ProviderError> {
        let connection = self.shared.connection(run, &proof.access).await?;
        let whereabouts = connection.whereabouts();
        let what = format!("the system account of {} may hold data: tried to create a stream as {whereabouts}", proof.system);
        let stream = json!({ "name": STREAM, "subjects": [format!("{STREAM}.>")], "storage": "memory" });
        let words = match call::<Json>(run, &connection, &format!("STREAM.CREATE.{STREAM}"), &stream).await {
            Err(CallError::Api(error))
                if matches!(error.number, code::NOT_FOR_ACCOUNT | code::NOT_ENABLED | code::NO_ACCOUNT) =>
            {
                error.to_string()
            }
            // A server whose JetStream is not there for the account does not even listen.
            Err(CallError::Ask(error @ AskError::Nobody { .. })) => error.to_string(),
            Err(error) => return Err(error.failed(what)),
            Ok(_) => {
                streams::remove(run, &connection, STREAM).await?;
                let failure = Failure::new(what, "the server made it (it has been deleted again)");
                return Err(ProviderError::Refused(failure.with_hint("take JetStream from the system account")));
            }
        };
        let how = format!("tried to create a stream as {whereabouts}: {words}");
        Ok(Evidence { checks: 1, how, measured: Vec::new() })
    }
}
