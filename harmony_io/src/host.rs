//! This machine and this process, in the words by which others can tell them apart.

use std::time::Duration;

use nix::time::{ClockId, clock_gettime};
use nix::unistd::{Uid, User, gethostname};

use crate::error::{IoError, IoResult};
use crate::faults::{Io, Operation};
use crate::process::{ProcessId, StartTime};

impl Io {
    /// The name of this machine, as it calls itself.
    ///
    /// # Errors
    /// [`IoError`] if the machine does not say it.
    pub fn host_name(&self) -> IoResult<String> {
        self.run(Operation::Read, "the host's name", || Ok(gethostname()?.to_string_lossy().into_owned()))
    }

    /// The name of the user that this process acts for; its number where no name is known.
    ///
    /// # Errors
    /// [`IoError`] if the list of users cannot be read.
    pub fn user_name(&self) -> IoResult<String> {
        let user = Uid::effective();
        let found = self.run(Operation::Read, "the user's name", || Ok(User::from_uid(user)?))?;
        Ok(found.map_or_else(|| format!("user {user}"), |found| found.name))
    }

    /// This process, and when it started.
    ///
    /// # Errors
    /// [`IoError`] if `/proc` cannot be read.
    pub fn own_process(&self) -> IoResult<(ProcessId, StartTime)> {
        let process = ProcessId(std::process::id());
        let unseen = || IoError::named(Operation::Read, &format!("process {process}"), std::io::ErrorKind::NotFound.into());
        Ok((process, self.find_process(process)?.ok_or_else(unseen)?))
    }
}

/// The time since this machine started, also that in which it slept (`CLOCK_BOOTTIME`, clock_gettime(2)): unlike
/// [`Instant`](std::time::Instant) it tells a laptop that was closed for an hour that an hour has passed. Zero where there is no such clock.
#[must_use]
pub fn time_since_boot() -> Duration {
    clock_gettime(ClockId::CLOCK_BOOTTIME).map(Duration::from).unwrap_or_default()
}
