//! The validated model of a NATS system: what the Scores say together, and what follows from it.
//!
//! Entry points: [`assemble`] makes a [`SystemSpec`] of the fragments that Scores contribute; [`ServerSpec`] is one server's
//! configuration, which a place fills in with its ports and files and [`check_servers`] checks. Every refusal names its [`Rule`].
//! It deliberately knows no place: no port, no path, no key.

mod accounts;
mod agree;
mod assemble;
mod fragment;
mod holdings;
mod jetstream;
mod layout;
mod limits;
mod names;
mod notes;
mod placement;
mod rule;
mod server;
mod server_check;
mod subject;
mod system;
#[cfg(test)]
mod tests;

pub use assemble::assemble;
pub use fragment::{NatsFragment, NatsSystem};
pub use jetstream::JetstreamSettings;
pub use names::{OPERATOR, PROOF_BUCKET, PROVER, PROVISIONER, SYSTEM_ACCOUNT};
pub use rule::Rule;
pub use server::{
    AccountBlock, ClientListener, ClusterBlock, GatewayBlock, JetstreamBlock, LogLevel, Monitoring, RemoteGateway, Route,
    ServerSpec, TlsFiles, UserBlock, UserProof,
};
pub use server_check::check_servers;
pub use subject::{matches, overlap};
pub use system::{
    AccountLimits, AccountRole, AccountSpec, BucketSpec, ClusterRole, ClusterSpec, ServerLayout, StreamSpec, SystemSpec,
    UserRole, UserSpec,
};
