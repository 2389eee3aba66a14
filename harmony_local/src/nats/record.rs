//! What is written down of a process when it is started, beside its configuration. The server itself is found without it.

use std::path::{Path, PathBuf};

use harmony::provider::{Failure, ProviderError};
use harmony_io::{Io, IoResult, Mode, ProcessId, StartTime};
use serde::{Deserialize, Serialize};

use super::directory::STORE;
use super::process::{ProcessIdentity, RecordState};

pub(super) const FILE: &str = "process.json";

/// The record of a process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(super) process: u32,
    pub(super) started: u64,
    pub(super) program: PathBuf,
    pub(super) startup_digest: String,
    pub(super) certificates_digest: String,
    /// What the file system knows the store by that it was started on; nothing if there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) store: Option<u64>,
}

/// A process of this machine that is a certain server.
pub(crate) struct Found {
    pub(super) process: ProcessId,
    pub(super) started: StartTime,
    pub(super) state: RecordState,
    /// What is known of how it was started; nothing, if the record is gone.
    pub(super) record: Option<Record>,
}

impl Record {
    pub(super) fn path(identity: &ProcessIdentity) -> PathBuf {
        identity.beside(FILE)
    }

    pub(super) fn write(&self, io: &Io, identity: &ProcessIdentity) -> Result<(), ProviderError> {
        let text = serde_json::to_vec_pretty(self)
            .map_err(|error| ProviderError::refused(format!("failed to record {identity}"), error))?;
        Ok(io.write_file(&Self::path(identity), &text, Mode::Private)?)
    }

    /// The record as it stands; a damaged one is none.
    fn read(io: &Io, path: &Path) -> Result<Option<Self>, ProviderError> {
        Ok(io.find_file(path)?.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
    }
}

impl Found {
    /// The process.
    pub(crate) fn process(&self) -> ProcessId {
        self.process
    }

    /// Whether it is stopped (SIGSTOP).
    pub(crate) fn is_stopped(&self, io: &Io) -> IoResult<bool> {
        io.is_stopped(self.process, self.started)
    }

    /// Whether the store that the process was started on is no longer the one at its path. It then keeps writing into files that
    /// nobody can find any more, until it is started again.
    pub(super) fn lost_its_store(&self, io: &Io, identity: &ProcessIdentity) -> Result<bool, ProviderError> {
        let started_on =
            self.record.as_ref().filter(|_| self.state == RecordState::NamesThisProcess).and_then(|record| record.store);
        Ok(started_on.is_some() && started_on != store_of(io, identity)?)
    }
}

/// What the file system knows a server's store by, if it has one.
pub(super) fn store_of(io: &Io, identity: &ProcessIdentity) -> Result<Option<u64>, ProviderError> {
    Ok(io.find_entry(&identity.beside(STORE))?.map(|entry| entry.number))
}

/// The process that is this server, by its record, else by the arguments that only it was started with.
pub(crate) fn find(io: &Io, identity: &ProcessIdentity) -> Result<Option<Found>, ProviderError> {
    let record = Record::read(io, &Record::path(identity))?;
    if let Some(named) = &record {
        let (process, started) = (ProcessId(named.process), StartTime(named.started));
        if io.find_process(process)? == Some(started) && is_server(io, process, identity)? {
            return Ok(Some(Found { process, started, state: RecordState::NamesThisProcess, record }));
        }
    }
    let mut running = io.find_processes_with(&identity.arguments())?;
    running.sort_by_key(|process| process.0);
    if running.len() > 1 {
        let numbers: Vec<String> = running.iter().map(ToString::to_string).collect();
        let failure = Failure::new(format!("{} processes run as {identity}", running.len()), numbers.join(", "));
        return Err(ProviderError::Refused(failure.with_hint("stop all but one of them")));
    }
    let Some(process) = running.pop() else { return Ok(None) };
    let Some(started) = io.find_process(process)? else { return Ok(None) };
    Ok(Some(Found { process, started, state: RecordState::NamesAnotherProcess, record }))
}

/// A record may have been made to name any process, even with its right start.
fn is_server(io: &Io, process: ProcessId, identity: &ProcessIdentity) -> Result<bool, ProviderError> {
    Ok(io.has_arguments(process, &identity.arguments())?)
}
