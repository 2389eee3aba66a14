//! What places can do, in the industry's words. A capability is pure: it writes into the stage what a Score needs on that place.

mod certificates;
#[cfg(feature = "k8s")]
mod kubernetes;
mod listener;
mod nats;
#[cfg(feature = "k8s")]
mod nats_on_kubernetes;
mod secrets;

pub use certificates::CertificateAuthorities;
#[cfg(feature = "k8s")]
pub use kubernetes::Kubernetes;
pub use listener::{Endpoint, Listener, ListenersWanted, Reach};
pub use nats::{CredentialFile, Nats, NatsJetstream, NatsSite, NatsSupercluster, Placement, ServerArrangement, ServerPaths};
#[cfg(feature = "k8s")]
pub use nats_on_kubernetes::NatsOnKubernetes;
pub use secrets::KeepsSecrets;
