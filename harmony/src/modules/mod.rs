//! What Harmony knows of the industry's things: one module each, with its Scores, its validated model and its rendering.

#[cfg(feature = "k8s")]
pub mod k8s;
pub mod nats;
pub mod secret;
pub mod tls;
