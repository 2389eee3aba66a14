//! A running nats-server.

use std::fmt;
use std::path::PathBuf;

use harmony::modules::nats::access::NatsAccess;
use harmony::modules::nats::client::JetstreamMode;
use harmony::resource::{FieldChange, Impact, Resource};
use harmony::value::Text;
use harmony_types::ServerName;
use serde::{Deserialize, Serialize};

use crate::kind::{FilePath, NoOutputs};

/// A nats-server process that runs with a configuration, whoever started it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NatsServerProcess {
    /// Which server.
    #[serde(flatten)]
    pub identity: ProcessIdentity,
    /// The program that it was started from.
    pub program: Text,
    /// The digest, as the server computes it, of the configuration that it uses.
    pub config_digest: Text,
    /// The digest of what it reads only when it starts.
    pub startup_digest: Text,
    /// The digest of the certificates that it was last told to read.
    pub certificates_digest: Text,
    /// Whether it has JetStream, and with whom.
    pub jetstream: JetstreamMode,
    /// What the record of it says.
    pub record: RecordState,
}

/// What a server is known by on its machine.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ProcessIdentity {
    /// Its name.
    pub server: ServerName,
    /// The configuration file that it was started with: nothing else on the machine is started with that one.
    pub config_file: FilePath,
}

impl ProcessIdentity {
    /// A file beside the configuration.
    pub(super) fn beside(&self, name: &str) -> PathBuf {
        self.config_file.0.with_file_name(name)
    }

    /// The arguments that it is started with.
    pub(super) fn arguments(&self) -> [PathBuf; 2] {
        [PathBuf::from("-c"), self.config_file.0.clone()]
    }
}

impl fmt::Display for ProcessIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.server.fmt(f)
    }
}

/// What the record of a process says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RecordState {
    /// The process that runs.
    NamesThisProcess,
    /// Another process, or nothing.
    NamesAnotherProcess,
}

impl Resource for NatsServerProcess {
    const KIND: &'static str = "nats-server-process/v1";
    const NOUN: &'static str = "nats-server";
    const STANDS_ALONE: bool = true;
    type Identity = ProcessIdentity;
    type Access = NatsAccess;
    type Outputs = NoOutputs;

    fn identity(&self) -> ProcessIdentity {
        self.identity.clone()
    }

    fn impact(change: &FieldChange) -> Impact {
        if change.path == "/jetstream" { JetstreamMode::impact(change) } else { Impact::Update }
    }
}
