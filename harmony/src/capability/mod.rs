//! What places can do, in the industry's words. A capability is pure: it writes into the stage what a Score needs on that place.

mod certificates;
mod nats;
mod secrets;

pub use certificates::CertificateAuthorities;
pub use nats::{
    CredentialFile, Listener, ListenersWanted, Nats, NatsJetstream, NatsSite, NatsSupercluster, Placement, ServerArrangement,
    ServerPaths,
};
pub use secrets::KeepsSecrets;
