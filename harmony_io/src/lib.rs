//! The only way to the outside: files, processes and requests, each through a numbered point where a fault can be injected.
//!
//! Entry point: [`Io`]. A program holds one, made by [`Io::real`]; a test makes one with [`Io::with_faults`] and decides at every
//! point whether the world fails, answers late, or the process dies there. Nothing here knows what is written: it is bytes.
//!
//! It deliberately does no caching, no retries and no logging of contents.

mod door;
mod error;
mod faults;
mod files;
mod host;
mod inspect;
mod lock;
mod permit;
mod process;
mod temporary;

pub use door::Door;
pub use error::{IoError, IoResult};
pub use faults::{Faults, Injected, Io, Moment, Operation, Point};
pub use files::{Entry, EntryKind, Mode};
pub use host::time_since_boot;
pub use inspect::Status;
pub use lock::{Lock, LockError};
pub use permit::Permit;
pub use process::{Finished, ProcessId, Signal, StartTime};
