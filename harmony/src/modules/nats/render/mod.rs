//! Writing a server's configuration.
//!
//! Entry point: [`conf`]. It renders a [`ServerSpec`](super::spec::ServerSpec) once into a small typed tree, and that tree three ways: as
//! the text of `nats.conf`, as the digest that the server itself computes of what it reads, and as a digest of only what a running
//! server cannot take over, so that a place can decide between a reload and a restart. It deliberately writes no file.

mod blocks;
mod reload;
mod tree;
mod write;

pub use blocks::ROUTES_FILE;
pub use reload::is_reloadable;
pub use write::{RenderedConf, conf};
