//! NATS servers as pods.
//!
//! Entry point: [`K8sAnywhereTopology::with_nats`](crate::K8sAnywhereTopology::with_nats), after which the Scores of NATS play on a cluster as
//! they do anywhere else. Each server is a StatefulSet of one pod with a Secret, a volume and a name of its own, so that the engine changes one
//! after another; [`NatsServerPod`] is what waits for it. With an [`Exposure`] they serve sites on other places, too. It deliberately has no
//! opinion of its own on what a server's configuration says: that is the neutral model's.

mod capability;
mod exposure;
mod manifests;
mod placement;
mod pod;
mod settings;
mod supervisor;

pub use harmony::modules::nats::kubernetes::Exposure;
pub use pod::{NatsServerPod, ServerPodIdentity};
pub use settings::NATS_IMAGE;
pub(crate) use supervisor::ServerPods;
