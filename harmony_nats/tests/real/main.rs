//! What the client makes of real servers, which each test starts for itself.

mod accounts;
mod buckets;
mod connecting;
mod fixture;
mod proofs;
mod servers;
mod streams;
