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
    /// How many bytes were free for the store when it was started; nothing if there was room enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) little_room: Option<u64>,
}

/// A server that started with less room than this may have been started on a disk that was full: 256 MiB.
const LITTLE: u64 = 256 << 20;
/// So many times as much room as it started with is worth a restart.
const MORE: u64 = 4;

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

    /// Whether there was next to no room on its disk when the process was started, and now there is. A server that is given no limit takes
    /// three quarters of what is free when it starts as its limit, and keeps it.
    pub(super) fn has_outgrown_its_room(&self, io: &Io, identity: &ProcessIdentity) -> Result<bool, ProviderError> {
        let Some(before) = self.own_record().and_then(|record| record.little_room) else { return Ok(false) };
        Ok(free_of(io, identity)?.is_some_and(|now| now / MORE > before))
    }

    /// The record, if it is of this process.
    fn own_record(&self) -> Option<&Record> {
        self.record.as_ref().filter(|_| self.state == RecordState::NamesThisProcess)
    }

    /// Whether the store that the process was started on is no longer the one at its path. It then keeps writing into files that
    /// nobody can find any more, until it is started again.
    pub(super) fn lost_its_store(&self, io: &Io, identity: &ProcessIdentity) -> Result<bool, ProviderError> {
        let started_on = self.own_record().and_then(|record| record.store);
        Ok(started_on.is_some() && started_on != store_of(io, identity)?)
    }
}

/// What the file system knows a server's store by, if it has one.
pub(super) fn store_of(io: &Io, identity: &ProcessIdentity) -> Result<Option<u64>, ProviderError> {
    Ok(io.find_entry(&identity.beside(STORE))?.map(|entry| entry.number))
}

/// How many bytes are free for a server's store, if it has one and they are few.
pub(super) fn little_room_of(io: &Io, identity: &ProcessIdentity) -> Result<Option<u64>, ProviderError> {
    Ok(free_of(io, identity)?.filter(|free| *free < LITTLE))
}

fn free_of(io: &Io, identity: &ProcessIdentity) -> Result<Option<u64>, ProviderError> {
    Ok(io.find_free_space(&identity.beside(STORE))?)
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
