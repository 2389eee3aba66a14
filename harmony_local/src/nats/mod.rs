//! NATS servers as processes of this machine: started so that they outlive the program, found again, reloaded or restarted, stopped.

mod binary;
mod directory;
mod process;
mod record;
mod store;
mod supervisor;

pub(crate) use binary::{Binaries, failed};
pub use binary::{BinaryOutputs, BinaryVersion, NatsServerBinary};
pub use directory::NatsServerDirectory;
pub(crate) use directory::ServerDirectories;
pub use process::{NatsServerProcess, ProcessIdentity, RecordState, Switch};
pub use store::NatsStore;
pub(crate) use store::Stores;
pub(crate) use supervisor::{LOG, Supervisor};
