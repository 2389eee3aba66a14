//! What Harmony says to NATS servers: the one crate that speaks their protocol.
//!
//! Entry point: [`client`], which a site program gives to its places. It hosts buckets, streams and the contents of accounts, looks
//! after running servers through their system account, and carries out the proofs of [`harmony::modules::nats::proof`]. Requests go
//! through the fault layer of [`harmony::run::Run::io`].
//!
//! It deliberately keeps no connection that nobody uses, retries nothing that the engine would try again, and asks the servers, never
//! our own files.

mod account;
mod ask;
mod bucket;
mod client;
mod config;
mod connect;
mod connection;
mod jetstream;
mod membership;
mod prove;
mod server;
mod share;
mod stream;
mod streams;
mod system;
mod trust;
mod way;

pub use client::{NatsConnections, client};
