//! Leases: how runs on several machines exclude each other, so that one that died or was stopped holds up nobody for long.
//!
//! Entry point: [`Lease`], given to a [`Site`](crate::topology::Site). A lease is one small record in a [`LeaseStore`] that all machines
//! share; it is changed by comparing and swapping. Its holder renews it while its run goes on, and stops beginning anything new before it
//! could have run out. Whoever wants it watches it for a whole duration on its own clock: wall clocks of two machines are never compared,
//! those in the record are for people. Each taking gets a higher number, with which every later write is fenced.
//!
//! A store for a cluster is a `coordination.k8s.io/Lease`: [`Version`] is its `resourceVersion`, [`LeaseRecord`] its `spec`, the number its
//! `leaseTransitions`. That one lives with the cluster's crate; here are one in memory and one in a directory.
//!
//! It deliberately does not keep two processes of one machine apart: the lock of the operating system does that, and sees at once that a
//! holder has died.

mod error;
mod file;
mod held;
mod memory;
mod record;
mod standing;
mod store;
mod take;
mod terms;

pub use error::LeaseError;
pub use file::FileLeaseStore;
pub use memory::MemoryLeaseStore;
pub use record::{LeaseRecord, Stored, Version, WallTime};
pub use store::LeaseStore;
pub use terms::{DURATION, Lease};

pub(crate) use held::Held;
pub(crate) use standing::{Gained, Standing};
