//! Waiting for a lock that is held only while a small file is written.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use harmony_io::{Io, Lock, LockError};

/// Longer than any write of a small file takes; a holder that is stopped keeps its lock for ever.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(10);

/// Takes the lock of the file at `path`, which is beside it.
///
/// # Errors
/// [`LockError`] if it is still held after 10 s, or cannot be used.
pub(crate) async fn wait_for_lock(io: &Io, path: &Path) -> Result<Lock, LockError> {
    let lock = lock_of(path);
    let holder = format!("process {}, writing secrets", std::process::id());
    let deadline = Instant::now() + PATIENCE;
    loop {
        match io.lock(&lock, &holder) {
            Err(LockError::Held { .. }) if Instant::now() < deadline => tokio::time::sleep(PAUSE).await,
            taken_or_failed => return taken_or_failed,
        }
    }
}

fn lock_of(path: &Path) -> PathBuf {
    let mut lock = OsString::from(path);
    lock.push(".lock");
    lock.into()
}
