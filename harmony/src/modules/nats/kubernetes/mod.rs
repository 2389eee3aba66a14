//! NATS on a Kubernetes cluster: what only Kubernetes has to know of servers that are otherwise the same everywhere.
//!
//! Entry point: [`NatsK8sScore`], the neutral [`NatsScore`](super::score::NatsScore) with such settings. What it does not say is as the
//! topology has it, which plays a `NatsScore` with the same defaults. It deliberately makes no object: how servers become pods is the
//! adapter's (`harmony_k8s`).

mod check;
mod exposure;
mod interpret;
mod pods;
mod score;
mod settings;

pub use exposure::Exposure;
pub use pods::{Amounts, Spread, Strictness, TaintEffect, Toleration};
pub use score::NatsK8sScore;
pub use settings::{NatsK8sSettings, Packaging};
