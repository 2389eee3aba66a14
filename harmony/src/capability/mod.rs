//! What places can do, in the industry's words. A capability is pure: it writes into the stage what a Score needs on that place.

mod certificates;
#[cfg(feature = "k8s")]
mod kubernetes;
mod nats;
mod secrets;

pub use certificates::CertificateAuthorities;
#[cfg(feature = "k8s")]
pub use kubernetes::Kubernetes;
pub use nats::{
    CredentialFile, Listener, ListenersWanted, Nats, NatsJetstream, NatsSite, NatsSupercluster, Placement, ServerArrangement,
    ServerPaths,
};
pub use secrets::KeepsSecrets;
