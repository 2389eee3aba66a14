//! NATS servers in clusters: what they mean, what an API server takes of them, and how they live in pods.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on ends")]

mod exposed;
mod fixture;
mod meaning;
mod objects;
mod pods;
mod rolling;
mod score;
mod sites;
mod watched;
