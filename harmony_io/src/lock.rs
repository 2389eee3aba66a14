//! A lock of the operating system: a dead holder's is free at once, a stopped holder's never.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::error::IoError;
use crate::faults::{Io, Operation};

/// A held lock; dropping it frees it. The file stays and says who held it last.
#[derive(Debug)]
pub struct Lock {
    path: PathBuf,
    _file: File,
}

/// The pause between two tries of [`Io::lock_within`]; what is locked there is held for milliseconds.
const PAUSE: Duration = Duration::from_millis(2);

impl Lock {
    /// Frees the lock and removes its file. Whoever opened the file before finds that it is no longer the one at its path.
    ///
    /// # Errors
    /// [`IoError`] if the file cannot be removed; the lock is free all the same.
    pub fn remove(self, io: &Io) -> Result<(), IoError> {
        io.ensure_no_file(&self.path)
    }
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
        self.lock_as(path, |_| holder.to_owned())
    }

    /// As [`Io::lock`], taking a lock that is held only while a small file is written: tries again until `patience` is over.
    ///
    /// # Errors
    /// As [`Io::lock`]; [`LockError::Held`] if it is still held after that time, as by a holder that was stopped.
    pub fn lock_within(&self, path: &Path, holder: &str, patience: Duration) -> Result<Lock, LockError> {
        let deadline = Instant::now() + patience;
        loop {
            match self.lock(path, holder) {
                Err(LockError::Held { .. }) if Instant::now() < deadline => std::thread::sleep(PAUSE),
                taken_or_failed => return taken_or_failed,
            }
        }
    }

    /// As [`Io::lock`], for a holder whose words depend on those of the one before; it is given an empty text if there was none.
    ///
    /// # Errors
    /// As [`Io::lock`].
    pub fn lock_as(&self, path: &Path, holder: impl FnOnce(&str) -> String) -> Result<Lock, LockError> {
        let mut file = loop {
            let mut file = self.run(Operation::Lock, &path.display().to_string(), || {
                OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
            })?;
            match file.try_lock() {
                Ok(()) if is_at(&file, path) => break file,
                // Its last holder removed it while we opened it: a lock on it would exclude nobody.
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    return Err(LockError::Held { path: path.to_owned(), holder: holder_in(&mut file) });
                }
                Err(TryLockError::Error(source)) => return Err(IoError::new(Operation::Lock, path, source).into()),
            }
        };
        let mut before = String::new();
        // What is no text was not written by a holder: it tells nothing.
        let _ = file.read_to_string(&mut before);
        let holder = holder(before.trim());
        self.run(Operation::Write, &path.display().to_string(), || {
            file.rewind().and_then(|()| file.set_len(0)).and_then(|()| file.write_all(holder.as_bytes()))
        })?;
        Ok(Lock { path: path.to_owned(), _file: file })
    }
}

/// Whether the open file is the one that stands at the path.
fn is_at(file: &File, path: &Path) -> bool {
    match (file.metadata(), std::fs::metadata(path)) {
        (Ok(opened), Ok(there)) => (opened.dev(), opened.ino()) == (there.dev(), there.ino()),
        _ => false,
    }
}

fn holder_in(file: &mut File) -> String {
    let mut holder = String::new();
    match file.read_to_string(&mut holder) {
        Ok(_) if !holder.trim().is_empty() => holder.trim().to_owned(),
        _ => "a process that has not said its name".to_owned(),
    }
}
