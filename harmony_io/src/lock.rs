//! A lock of the operating system: a dead holder's is free at once, a stopped holder's never.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::error::IoError;
use crate::faults::{Io, Operation};

/// A held lock; dropping it frees it. The file stays and says who held it last.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Why a lock was not taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LockError {
    /// Another living process holds it.
    #[error("`{path}` is locked by {holder}")]
    Held {
        /// The lock's file.
        path: PathBuf,
        /// What the holder wrote about itself.
        holder: String,
    },
    /// The lock's file could not be used.
    #[error(transparent)]
    Failed(#[from] IoError),
}

impl Io {
    /// Takes the lock at `path` for `holder` (a line for people: who, since when), or says who has it. Does not wait.
    ///
    /// # Errors
    /// [`LockError::Held`] if another process has it; [`LockError::Failed`] if its file cannot be used.
    pub fn lock(&self, path: &Path, holder: &str) -> Result<Lock, LockError> {
        let mut file = self.run(Operation::Lock, &path.display().to_string(), || {
            OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
        })?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(LockError::Held { path: path.to_owned(), holder: holder_in(&mut file) }),
            Err(TryLockError::Error(source)) => return Err(IoError::new(Operation::Lock, path, source).into()),
        }
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| file.write_all(holder.as_bytes()))
            .map_err(|source| IoError::new(Operation::Write, path, source))?;
        Ok(Lock { _file: file })
    }
}

fn holder_in(file: &mut File) -> String {
    let mut holder = String::new();
    match file.read_to_string(&mut holder) {
        Ok(_) if !holder.trim().is_empty() => holder.trim().to_owned(),
        _ => "a process that has not said its name".to_owned(),
    }
}
