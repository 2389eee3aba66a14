//! What every place with a client of NATS holds and proves by it, wherever the servers stand.
//!
//! Entry point: [`HasNatsClient`]. It deliberately says nothing of servers, in which places differ.

use std::sync::Arc;

use super::assets::{AccountContents, KvBucket, ServerMembership, Stream};
use super::client::NatsClient;
use super::proof::{
    CredentialRefused, CredentialWorks, GatewaysReachEveryCluster, KvReachesEverySite, PermissionsHold, ServersAgree,
    SystemAccountHoldsNoData,
};
use crate::proof::Prover;
use crate::provider::Provider;
use crate::topology::{Hosts, Proves, Providers, Topology};

/// A place with a client of NATS. By it the place holds buckets, streams, accounts' contents and memberships, and carries out the proofs. A
/// place that does so by other means leaves this trait out, and says what it hosts and proves itself.
#[diagnostic::on_unimplemented(
    message = "topology `{Self}` has no client of NATS",
    note = "give it a client with `.with_nats(harmony_nats::client())`, or choose a topology in docs/reference/capabilities.md"
)]
pub trait HasNatsClient: Topology {
    /// The client.
    fn nats_client(&self) -> Arc<dyn NatsClient>;
}

macro_rules! hosts {
    ($($kind:ty),* $(,)?) => {
        $(impl<T: HasNatsClient> Hosts<$kind> for T {
            fn provider(&self) -> Arc<dyn Provider<$kind>> {
                self.nats_client()
            }
        })*

        /// Adds the providers of all that `place` holds by its client of NATS.
        pub fn register_nats(place: &impl HasNatsClient, providers: &mut Providers) {
            $(providers.host::<$kind>(place);)*
        }
    };
}

hosts!(KvBucket, Stream, AccountContents, ServerMembership);

macro_rules! proves {
    ($($proof:ty),* $(,)?) => {
        $(impl<T: HasNatsClient> Proves<$proof> for T {
            fn prover(&self) -> Arc<dyn Prover<$proof>> {
                self.nats_client()
            }
        })*
    };
}

proves!(
    ServersAgree,
    GatewaysReachEveryCluster,
    KvReachesEverySite,
    SystemAccountHoldsNoData,
    CredentialWorks,
    CredentialRefused,
    PermissionsHold,
);
