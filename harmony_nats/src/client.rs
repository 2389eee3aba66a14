//! The port's implementation, as one value.

use std::sync::Arc;

use async_trait::async_trait;
use harmony::modules::nats::access::NatsAccess;
use harmony::modules::nats::client::{NatsClient, ServerState, WayToServers};
use harmony::provider::ProviderError;
use harmony::run::Run;

use crate::connect::NoConnection;
use crate::connection::Connection;
use crate::server;
use crate::share::Shared;

/// Speaks to NATS servers. Cheap to clone; clones share the connections that are in use. A connection is closed when the last operation
/// that uses it has ended.
#[derive(Clone, Default)]
pub struct NatsConnections {
    pub(crate) shared: Shared,
    /// Held while a server leaves.
    pub(crate) leaving: Arc<tokio::sync::Mutex<()>>,
}

impl std::fmt::Debug for NatsConnections {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NatsConnections").finish_non_exhaustive()
    }
}

/// A client of NATS, to give to the places of a site program.
#[must_use]
pub fn client() -> NatsConnections {
    NatsConnections::default()
}

impl NatsConnections {
    /// A connection to look after a server. One that cannot be trusted is there, but not ours to ask.
    async fn operator(&self, run: &Run, access: &NatsAccess) -> Result<Arc<Connection>, ProviderError> {
        self.shared.connection(run, access).await.map_err(|why| match why {
            NoConnection::Untrusted(failure) => ProviderError::NotPermitted(failure),
            NoConnection::Other(error) => error,
        })
    }
}

#[async_trait]
impl NatsClient for NatsConnections {
    fn take_way(&self, way: Arc<dyn WayToServers>) {
        self.shared.ways.take(way);
    }

    async fn look_at_server(&self, run: &Run, access: &NatsAccess) -> Result<ServerState, ProviderError> {
        server::look(run, &*self.operator(run, access).await?).await
    }

    async fn find_unsettled_neighbour(&self, run: &Run, access: &NatsAccess) -> Result<Option<String>, ProviderError> {
        server::find_unsettled_neighbour(run, &*self.operator(run, access).await?).await
    }

    async fn reload_server(&self, run: &Run, access: &NatsAccess) -> Result<(), ProviderError> {
        server::reload(run, &*self.operator(run, access).await?).await
    }
}
