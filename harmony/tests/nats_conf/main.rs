//! What is rendered for NATS servers, read by the server itself: its own check, its own digest, its own permissions.
//!
//! The tests that need a `nats-server` look for it at `HARMONY_NATS_SERVER`, then in `PATH`; without one they say that they were not run.

#[cfg(test)]
mod client;
#[cfg(test)]
mod conf;
#[cfg(test)]
mod permissions;
#[cfg(test)]
mod program;
#[cfg(test)]
mod system;
