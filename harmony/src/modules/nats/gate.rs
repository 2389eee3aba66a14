//! The gate between the servers of a system: when, after one was restarted, the next one may be.
//!
//! Entry point: [`wait_until_settled`], for whatever restarts servers one after another. It deliberately restarts nothing itself.

use std::fmt::Display;

use super::access::NatsAccess;
use super::client::{NatsClient, ServerState};
use crate::provider::ProviderError;
use crate::run::{Looked, Run};

/// Waits until a server that was restarted has caught up: until then a second one down would stop what has three copies. `access` names the
/// server, and `before` is what it said of itself when it was last well; `None` if nobody could ask it.
///
/// # Errors
/// [`ProviderError`] if it does not catch up before the deadline of the run, with the last reason.
pub async fn wait_until_settled(
    client: &dyn NatsClient,
    run: &Run,
    access: &NatsAccess,
    server: &(impl Display + Sync),
    before: Option<&ServerState>,
) -> Result<(), ProviderError> {
    let look = || async {
        let now = client.look_at_server(run, access).await?;
        let why = before.map_or_else(|| now.unsettled(), |before| now.unsettled_since(before));
        Ok(why.map_or(Looked::Found(()), Looked::NotYet))
    };
    run.wait_for(&format!("{server} to catch up"), look).await
}
