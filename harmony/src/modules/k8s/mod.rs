//! Objects of a Kubernetes API: what they are called, what of them is ours, and Scores for any of them.
//!
//! Entry points: [`K8sResourceScore`](score::K8sResourceScore) for objects that a program says itself, typed or as YAML, and
//! [`Object`](object::Object), the resource that all of them become. This module speaks to no API server: that is the adapter's
//! (`harmony_k8s`).

pub mod identity;
mod interpret;
pub mod manifest;
pub mod object;
pub mod score;

pub use interpret::{arrange_object, share_object};
