//! Carrying out the proofs.

mod credential;
mod gateways;
mod members;
mod permissions;
mod servers;
mod sites;
mod system;
