//! What is proven of a NATS system, over the protocol. Data; the prover is the [`NatsClient`](super::client::NatsClient).

mod credential;
mod system;

pub use credential::{CredentialRefused, CredentialWorks, Expectation, PermissionsHold, Probe, SiteAccess};
pub use system::{GatewaysReachEveryCluster, KvReachesEverySite, Member, ServersAgree, SystemAccountHoldsNoData};
