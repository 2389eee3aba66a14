//! Running NATS servers as pods that a Score says more of.

use super::kubernetes::Kubernetes;
use super::listener::ListenersWanted;
use super::nats::{CredentialFile, NatsJetstream, Placement, ServerArrangement};
use crate::address::Address;
use crate::error::ArrangeError;
use crate::modules::nats::kubernetes::NatsK8sSettings;
use crate::modules::nats::proof::Member;
use crate::stage::Stage;

/// Runs NATS servers as pods of a Kubernetes cluster. What `settings` do not say is as this place has it for every other system: without any
/// these methods do what those of [`Nats`](super::Nats) do.
#[diagnostic::on_unimplemented(
    message = "topology `{Self}` does not run NATS servers as pods",
    note = "say `NatsScore`, which plays anywhere, or choose a topology in docs/reference/capabilities.md that is a Kubernetes cluster \
            with a client of NATS, such as `K8sAnywhereTopology::from_context(…).with_nats(harmony_nats::client())`"
)]
pub trait NatsOnKubernetes: NatsJetstream + Kubernetes {
    /// Says where a server will stand and how it is dialled, as [`Nats::arrange_placement`](super::Nats::arrange_placement) does.
    ///
    /// # Errors
    /// [`ArrangeError::Unsupported`] if the cluster cannot have such a server.
    fn arrange_pod_placement(
        &self,
        settings: &NatsK8sSettings,
        server: &Member,
        wanted: ListenersWanted,
        stage: &mut Stage,
    ) -> Result<Placement, ArrangeError>;

    /// Adds the server's objects, and returns the address of what is ready when the server is.
    ///
    /// # Errors
    /// [`ArrangeError::Unsupported`] if the cluster cannot run it.
    fn arrange_pod(
        &self,
        settings: &NatsK8sSettings,
        server: &ServerArrangement,
        stage: &mut Stage,
    ) -> Result<Address, ArrangeError>;

    /// Adds a Secret with the credential in each namespace that asks for it.
    ///
    /// # Errors
    /// [`ArrangeError`] if two credentials would be handed out under one name.
    fn arrange_client_secrets(
        &self,
        settings: &NatsK8sSettings,
        credential: &CredentialFile,
        stage: &mut Stage,
    ) -> Result<(), ArrangeError>;
}

const _: fn(&dyn NatsOnKubernetes) = |_| {};
