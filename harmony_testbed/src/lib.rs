//! Real Kubernetes clusters for tests, without a container registry.
//!
//! What problem: whether an object is accepted, defaulted, refused, watched and collected as expected is known by a real API server only.
//! Entry points, by what a test needs:
//!
//! - [`ControlPlane`]: etcd, API server and controller manager on loopback addresses; needs no root and starts in seconds. Its
//!   [`AuditLog`] tells which requests were really made.
//! - [`Cluster`]: the same with a node on which pods run, in namespaces of the kernel without any way out; needs root.
//! - [`Clusters`]: several of these that reach each other by the addresses of their nodes.
//!
//! [`Programs`] is what they consist of: built once from pinned Go modules, and kept in the user's cache directory. Everything that is
//! started ends with the process that started it, however that ends, and leaves nothing behind. [`available`] turns the lack of
//! something on this machine into a test that is reported as not run.
//!
//! It deliberately knows nothing of Harmony's own crates: it is the outside.

mod api;
mod audit;
mod authority;
mod availability;
mod census;
mod child;
mod cluster;
mod control_plane;
mod error;
mod given;
mod image;
mod kubeconfig;
mod kubectl;
mod layout;
mod network;
mod node;
mod node_files;
mod programs;
mod requirements;
mod room;
mod toolchain;
mod waiting;

pub use audit::{AuditEvent, AuditLevel, AuditLog, AuditTrail, AuditUser, Mark, ObjectReference};
pub use availability::available;
pub use census::Census;
pub use cluster::{Cluster, Clusters};
pub use control_plane::{ControlPlane, ControlPlaneOptions};
pub use error::TestbedError;
pub use image::Image;
pub use kubectl::Kubectl;
pub use programs::{Application, NodePrograms, Programs};
pub use requirements::{MissingRequirements, find_missing_requirements};
