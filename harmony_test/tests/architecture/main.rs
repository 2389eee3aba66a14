//! The rules of this workspace that a machine can check, over `cargo metadata` and the text of the tracked files.
//!
//! Each rule is a pure function from what is there to the [`Violation`](repository::Violation)s found. Beside each stands a test that it is kept here
//! and one that it finds what it forbids: a rule that cannot fail is no rule. It deliberately does not parse Rust: a rule that needs more
//! than lines and words belongs into clippy.

#![allow(clippy::unwrap_used, reason = "all of this is test code, also where no test attribute stands on it")]

mod dependencies;
mod io_layer;
mod names;
mod promises;
mod repository;
mod shape;
mod texts;
