//! What a primitive can fail with.

use std::io;
use std::path::Path;

use crate::faults::Operation;

/// A primitive that the operating system refused: which, on what, and why.
#[derive(Debug, thiserror::Error)]
#[error("failed to {operation} `{target}`")]
pub struct IoError {
    /// The primitive that failed.
    pub operation: Operation,
    /// The path, program or process it was about; never a secret.
    pub target: String,
    /// The words of the operating system.
    pub source: io::Error,
}

/// The result of a primitive.
pub type IoResult<T> = Result<T, IoError>;

impl IoError {
    pub(crate) fn new(operation: Operation, target: &Path, source: io::Error) -> Self {
        Self::named(operation, &target.display().to_string(), source)
    }

    pub(crate) fn named(operation: Operation, target: &str, source: io::Error) -> Self {
        Self { operation, target: target.to_owned(), source }
    }

    /// What a user can do about it, if the kind of failure tells.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self.source.kind() {
            io::ErrorKind::PermissionDenied => Some("check the owner and the mode of the path and of the directory above it"),
            io::ErrorKind::StorageFull => Some("free some space on that file system and run the command again"),
            io::ErrorKind::ReadOnlyFilesystem => Some("choose a writable place with HARMONY_STATE_DIR"),
            io::ErrorKind::AlreadyExists => Some("something else stands there: remove it, or choose another place"),
            io::ErrorKind::NotADirectory => Some("a part of the path is a file: remove it, or choose another place"),
            io::ErrorKind::NotFound => Some("check that the path is spelled as it is on this machine"),
            io::ErrorKind::TimedOut
            | io::ErrorKind::Interrupted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe => Some("run the command again: it looks at what is there and goes on from that"),
            _ => None,
        }
    }
}
