//! The lock beside a small file, which is held only while that is written.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use harmony_io::{Io, IoResult, Lock, LockError};

/// Longer than any write of a small file takes; a holder that is stopped keeps its lock for ever.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(10);

/// Takes the lock of the file at `path`, which is beside it.
///
/// # Errors
/// [`LockError`] if it is still held after 10 s, or cannot be used.
pub(crate) async fn wait_for_lock(io: &Io, path: &Path) -> Result<Lock, LockError> {
    let (lock, holder) = (lock_of(path), holder());
    let deadline = Instant::now() + PATIENCE;
    loop {
        match io.lock(&lock, &holder) {
            Err(LockError::Held { .. }) if Instant::now() < deadline => tokio::time::sleep(PAUSE).await,
            taken_or_failed => return taken_or_failed,
        }
    }
}

/// Takes away what a writer that was killed has left of a file that is not there: what it had begun to write, and its lock. Where the
/// file is, or somebody is about to make it, everything stays.
///
/// # Errors
/// [`IoError`](harmony_io::IoError) if something cannot be looked at or removed.
pub(crate) fn ensure_no_remains(io: &Io, path: &Path) -> IoResult<()> {
    let lock = lock_of(path);
    if io.find_entry(path)?.is_some() || io.find_entry(&lock)?.is_none() {
        return Ok(());
    }
    let held = match io.lock(&lock, &holder()) {
        Ok(held) => held,
        Err(LockError::Failed(error)) => return Err(error),
        Err(_) => return Ok(()),
    };
    // Whoever held it until now may have made the file.
    if io.find_entry(path)?.is_some() {
        return Ok(());
    }
    io.ensure_no_file(path)?;
    held.remove(io)
}

fn holder() -> String {
    format!("process {}, writing secrets", std::process::id())
}

fn lock_of(path: &Path) -> PathBuf {
    let mut lock = OsString::from(path);
    lock.push(".lock");
    lock.into()
}
