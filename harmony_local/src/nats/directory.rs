//! The directories of a server.

use harmony::resource::Resource;
use serde::{Deserialize, Serialize};

use super::last_words::{LOG, OUTPUT};
use super::record;
use crate::kind::{Contents, DirectoryKind, FilePath, NoOutputs};

/// The name of a server's store, in its directory.
pub(crate) const STORE: &str = "store";

/// A server's directory, with its configuration. With it goes what running the server left there: its logs, and the record of its process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NatsServerDirectory {
    /// Where it is.
    pub path: FilePath,
}

impl Resource for NatsServerDirectory {
    const KIND: &'static str = "nats-server-directory/v1";
    const NOUN: &'static str = "directory of nats-server";
    const ADOPTS: bool = true;
    type Identity = FilePath;
    type Access = ();
    type Outputs = NoOutputs;

    fn identity(&self) -> FilePath {
        self.path.clone()
    }
}

impl DirectoryKind for NatsServerDirectory {
    const CONTENTS: Contents = Contents::Files(&[record::FILE, LOG, OUTPUT]);

    fn at(path: FilePath) -> Self {
        Self { path }
    }
}

/// The directory of a server's JetStream store. All in it is the server's, and goes with it: what would be lost is said by the buckets,
/// the streams and the contents of the accounts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NatsStore {
    /// Where it is.
    pub path: FilePath,
}

impl Resource for NatsStore {
    const KIND: &'static str = "nats-store/v1";
    const NOUN: &'static str = "JetStream store";
    const ADOPTS: bool = true;
    type Identity = FilePath;
    type Access = ();
    type Outputs = NoOutputs;

    fn identity(&self) -> FilePath {
        self.path.clone()
    }
}

impl DirectoryKind for NatsStore {
    const CONTENTS: Contents = Contents::All;

    fn at(path: FilePath) -> Self {
        Self { path }
    }
}
