//! How the Scores of a NATS system are played: the one that declares it lowers the assembled model to servers, secrets and proofs; the
//! one that gives it JetStream adds what lives in it.

mod assets;
mod declare;
mod identity;
mod places;
mod proofs;
mod scores;
mod servers;

pub(super) use identity::user_secret;
#[cfg(feature = "k8s")]
pub(super) use places::Places;
#[cfg(feature = "k8s")]
pub(super) use scores::declare;
