//! Kubernetes clusters as places.
//!
//! Entry point: [`K8sAnywhereTopology`], a cluster that a kubeconfig's context or a pod's service account names. This is the only crate
//! that speaks to API servers. It watches nothing, keeps nothing between runs but the lease and the Ledger of a program that asks for it, and knows no
//! Score.

mod api;
mod claims;
mod compare;
mod connection;
mod discovery;
mod explain;
mod fields;
pub mod nats;
mod objects;
mod ownership;
mod place;
mod ready;
mod redaction;
mod review;
mod sign;
mod state;
mod topology;
mod tunnel;
mod wait;

pub use harmony::modules::nats::client::{WithNats, WithoutNats};
pub use place::K8sPlace;
pub use topology::{Distribution, K8sAnywhereTopology, K8sFacts};
pub use tunnel::Tunnels;
