//! Who holds a lock: what it writes about itself, and what others make of it.

use std::fmt;
use std::time::SystemTime;

use harmony_io::{Io, IoError, ProcessId, StartTime};
use serde::{Deserialize, Serialize};

use crate::lease::WallTime;

/// A run, as others see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Holder {
    program: String,
    process: u32,
    /// In clock ticks since the machine started: the number of a process is used again.
    started: u64,
    host: String,
    user: String,
}

impl Holder {
    /// This process.
    pub(super) fn of_this_process(io: &Io, host: Option<&str>) -> Result<Self, IoError> {
        let (process, started) = io.own_process()?;
        let host = host.map_or_else(|| io.host_name(), |host| Ok(host.to_owned()))?;
        let program = std::env::args().next().unwrap_or_default();
        let program = program.rsplit('/').next().filter(|name| !name.is_empty()).unwrap_or("a program").to_owned();
        Ok(Self { program, process: process.0, started: started.0, host, user: io.user_name()? })
    }

    pub(super) fn host(&self) -> &str {
        &self.host
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { program, process, host, user, .. } = self;
        write!(f, "`{program}`, process {process} of {user} on {host}")
    }
}

/// What the file of a lock says.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Words {
    #[serde(flatten)]
    holder: Holder,
    since: WallTime,
    /// The run's fencing number, where no lease gives one.
    pub(super) fence: u64,
}

impl Words {
    /// Of a run that begins now, after one that left `before`. Its number is higher than that one's, and than those of runs whose words are
    /// gone because everything was taken away: it is not below the microseconds of Unix time.
    pub(super) fn now(holder: &Holder, before: &str) -> Self {
        let last = serde_json::from_str(before).map_or(0, |before: Self| before.fence);
        let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let clock = u64::try_from(since_1970.as_micros()).unwrap_or(u64::MAX);
        Self { holder: holder.clone(), since: WallTime::now(), fence: last.saturating_add(1).max(clock) }
    }

    pub(super) fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// A lock that is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// By whom, for people.
    pub by: String,
    /// Since when, by the holder's clock; unknown of a run that has not yet said it.
    pub since: Option<WallTime>,
    /// The process, if it is one of this machine and is stopped (SIGSTOP): it goes on holding the lock.
    pub stopped: Option<ProcessId>,
}

impl Taken {
    /// What the words in a lock's file tell.
    pub(super) fn read(io: &Io, words: &str) -> Self {
        let Ok(Words { holder, since, .. }) = serde_json::from_str(words) else {
            return Self { by: words.to_owned(), since: None, stopped: None };
        };
        let process = ProcessId(holder.process);
        // The start time tells a process of another machine, or of another container, that happens to have this number.
        let is_stopped = io.is_stopped(process, StartTime(holder.started)).unwrap_or(false);
        Self { by: holder.to_string(), since: Some(since), stopped: is_stopped.then_some(process) }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> String {
        match self.stopped {
            Some(process) => format!(
                "let it go on with `kill -CONT {process}`, or end it with `kill -KILL {process}`: the lock is free then, and the next run \
                 goes on from what is there"
            ),
            None => "wait for that run to end; a run that died frees the lock by itself".to_owned(),
        }
    }
}

impl fmt::Display for Taken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.by)?;
        if let Some(since) = self.since {
            write!(f, ", since {since} until it ends")?;
        }
        if self.stopped.is_some() {
            f.write_str("; that process is stopped (SIGSTOP)")?;
        }
        Ok(())
    }
}
