//! The lease and the Ledger of a site program as objects of a cluster, so that its runs find what was made, and exclude each other, wherever
//! they run.
//!
//! Entry point: [`K8sAnywhereTopology::with_state_in`](crate::K8sAnywhereTopology::with_state_in). The lease is a
//! `coordination.k8s.io/v1` Lease, the Ledger a ConfigMap, with more of them where it is large: no secret is in a Ledger. Secrets are not kept
//! here.

mod keeping;
mod lease;
mod ledger;
mod pack;
mod parts;
mod version;

pub(crate) use keeping::Keeping;
pub(crate) use lease::K8sLeaseStore;
pub(crate) use ledger::K8sLedgerStore;
