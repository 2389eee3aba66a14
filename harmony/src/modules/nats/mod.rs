//! NATS: clusters, superclusters, JetStream, accounts, credentials, buckets and streams.

pub mod access;
pub mod assets;
pub mod client;
pub mod proof;
