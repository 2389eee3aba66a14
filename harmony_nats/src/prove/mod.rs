//! Carrying out the proofs.

mod by_site;
mod credential;
mod gateways;
mod members;
mod permissions;
mod refused;
mod servers;
mod sites;
mod system;
