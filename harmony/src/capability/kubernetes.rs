//! Holding objects of a Kubernetes API.

use crate::modules::k8s::object::{K8sHoldingObject, K8sNamespace, K8sObject, K8sSecret};
use crate::topology::Hosts;

/// Holds objects of a Kubernetes API.
#[diagnostic::on_unimplemented(
    message = "topology `{Self}` holds no Kubernetes objects",
    note = "choose a topology in docs/reference/capabilities.md that is a Kubernetes cluster, such as `K8sAnywhereTopology`"
)]
pub trait Kubernetes: Hosts<K8sObject> + Hosts<K8sSecret> + Hosts<K8sHoldingObject> + Hosts<K8sNamespace> {
    /// Where an object goes that says no namespace.
    fn default_namespace(&self) -> &str;
}
