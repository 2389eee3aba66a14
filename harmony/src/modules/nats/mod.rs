//! NATS: clusters, superclusters, JetStream, accounts, credentials, buckets and streams.
//!
//! What users say is in [`score`]; [`spec`] puts it together into one validated model of a system and refuses what cannot work;
//! [`permission`] derives what users may do from their grants; [`render`] writes a server's configuration. All of it is pure. It
//! deliberately does no input or output: that is what the [`NatsClient`](client::NatsClient) and the places are for.

pub mod access;
pub mod assets;
mod built;
pub mod client;
mod credentials;
pub mod gate;
pub mod hosting;
mod interpret;
#[cfg(feature = "k8s")]
pub mod kubernetes;
pub mod permission;
pub mod proof;
pub mod render;
mod rotation;
pub mod score;
pub mod spec;

pub use built::BuiltSystem;
pub use credentials::{CredentialsError, NatsCredentials};
