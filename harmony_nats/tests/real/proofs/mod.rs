//! The proofs: each passes where it should, and fails where it should.

mod credential;
mod permissions;
mod sites;
mod supercluster;
mod system;
