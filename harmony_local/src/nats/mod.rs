//! NATS servers as processes of this machine: started so that they outlive the program, found again, reloaded or restarted, stopped.

mod binary;
mod directory;
mod last_words;
mod process;
mod record;
mod supervisor;
mod written;

pub(crate) use binary::{Binaries, failed};
pub use binary::{BinaryOutputs, BinaryVersion, NatsServerBinary};
pub(crate) use directory::STORE;
pub use directory::{NatsServerDirectory, NatsStore};
pub(crate) use last_words::LOG;
pub use process::{NatsServerProcess, ProcessIdentity, RecordState};
pub(crate) use record::find;
pub(crate) use supervisor::{READY_WITHIN, Supervisor};
pub(crate) use written::find_written_port;
