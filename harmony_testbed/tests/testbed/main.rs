//! The testbed itself: it stands, it answers, and it goes without a trace.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on ends")]

mod control_plane;
mod nodes;
mod traces;
