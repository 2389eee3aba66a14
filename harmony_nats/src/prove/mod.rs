//! Carrying out the proofs.

mod by_site;
mod credential;
mod gateways;
mod members;
mod permissions;
mod servers;
mod sites;
mod system;
