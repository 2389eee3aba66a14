//! What places can do, in the industry's words. A capability is pure: it writes into the stage what a Score needs on that place.

mod nats;

pub use nats::{
    CredentialFile, Listener, ListenersWanted, Nats, NatsJetstream, NatsSite, NatsSupercluster, Placement, ServerArrangement,
    ServerPaths,
};
