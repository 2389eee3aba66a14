//! A client of NATS whose servers are in memory.

use std::sync::Arc;

use async_trait::async_trait;
use harmony::modules::nats::access::NatsAccess;
use harmony::modules::nats::assets::{AccountContents, KvBucket, ServerMembership, Stream};
use harmony::modules::nats::client::{NatsClient, ServerState, WayToServers};
use harmony::proof::{Evidence, Proof, Prover};
use harmony::provider::{Known, Live, Observation, Provider, ProviderError};
use harmony::resource::Resource;
use harmony::run::Run;
use harmony_local::nats::NatsServerProcess;

use super::provider::MemoryProvider;
use super::things::Things;

/// Holds what a server holds, and proves whatever is asked while a server is there.
pub(super) struct MemoryClient(pub(super) Things);

/// The kinds that a client looks after are those of [`MemoryProvider`].
macro_rules! holds {
    ($($kind:ty),*) => {
        $(#[async_trait]
        impl Provider<$kind> for MemoryClient {
            async fn observe(
                &self,
                run: &Run,
                at: &NatsAccess,
                wanted: &[Known<$kind>],
            ) -> Result<Vec<Observation<$kind>>, ProviderError> {
                MemoryProvider::<$kind>::new(&self.0).observe(run, at, wanted).await
            }

            async fn apply(
                &self,
                run: &Run,
                at: &NatsAccess,
                desired: &$kind,
                live: Option<&Live<$kind>>,
            ) -> Result<<$kind as Resource>::Outputs, ProviderError> {
                MemoryProvider::<$kind>::new(&self.0).apply(run, at, desired, live).await
            }

            async fn delete(
                &self,
                run: &Run,
                at: &NatsAccess,
                identity: &<$kind as Resource>::Identity,
            ) -> Result<(), ProviderError> {
                MemoryProvider::<$kind>::new(&self.0).delete(run, at, identity).await
            }
        })*
    };
}

holds!(KvBucket, Stream, AccountContents, ServerMembership);

#[async_trait]
impl<P: Proof> Prover<P> for MemoryClient {
    async fn prove(&self, run: &Run, proof: &P) -> Result<Evidence, ProviderError> {
        let prove = async {
            match self.0.has_any(NatsServerProcess::KIND) {
                true => Ok(Evidence { checks: 1, how: "by asking memory".to_owned(), measured: Vec::new() }),
                false => Err(ProviderError::unreachable("failed to prove it", "no server answers")),
            }
        };
        run.io().request(&format!("proof that {}", proof.claim()), prove).await
    }
}

#[async_trait]
impl NatsClient for MemoryClient {
    /// What is in memory is reached without a way.
    fn take_way(&self, _: Arc<dyn WayToServers>) {}

    async fn look_at_server(&self, _: &Run, _: &NatsAccess) -> Result<ServerState, ProviderError> {
        Err(ProviderError::refused("failed to look at a server", "its process is looked at in memory"))
    }

    async fn find_unsettled_neighbour(&self, _: &Run, _: &NatsAccess) -> Result<Option<String>, ProviderError> {
        Err(ProviderError::refused("failed to look at servers", "their processes are looked at in memory"))
    }

    async fn reload_server(&self, _: &Run, _: &NatsAccess) -> Result<(), ProviderError> {
        Err(ProviderError::refused("failed to reload a server", "its process is changed in memory"))
    }
}
