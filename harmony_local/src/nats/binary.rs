//! The nats-server program, installed where this machine has none that will do.

use std::fmt;

use async_trait::async_trait;
use harmony::provider::{Failure, Known, Live, Observation, Provider, ProviderError};
use harmony::resource::Resource;
use harmony::run::Run;
use harmony::value::Output;
use semver::Version;
use serde::{Deserialize, Serialize};

use crate::kind::FilePath;
use crate::nats_server::{Found, NatsServerError, Search, find, install};

/// The pinned nats-server program in the user's cache, which other site programs use too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NatsServerBinary {
    /// Its version.
    pub version: BinaryVersion,
}

/// A version of the program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BinaryVersion(pub Version);

impl fmt::Display for BinaryVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Where the program is.
#[derive(Clone, Serialize, Deserialize)]
pub struct BinaryOutputs {
    /// Its path.
    pub path: FilePath,
}

impl NatsServerBinary {
    /// The program's path.
    pub const PATH: Output<Self, String> = Output::public("path");
}

impl Resource for NatsServerBinary {
    const KIND: &'static str = "nats-server-binary/v1";
    const NOUN: &'static str = "nats-server program";
    const ADOPTS: bool = true;
    const SHARED: bool = true;
    type Identity = BinaryVersion;
    type Access = ();
    type Outputs = BinaryOutputs;

    fn identity(&self) -> BinaryVersion {
        self.version.clone()
    }
}

/// Finds and installs the program.
pub(crate) struct Binaries {
    pub(crate) search: Search,
}

#[async_trait]
impl Provider<NatsServerBinary> for Binaries {
    async fn observe(
        &self,
        run: &Run,
        (): &(),
        wanted: &[Known<NatsServerBinary>],
    ) -> Result<Vec<Observation<NatsServerBinary>>, ProviderError> {
        let mut found = Vec::with_capacity(wanted.len());
        for known in wanted {
            found.push(match find(run.io(), &self.search).await.map_err(failed)? {
                Found::Installed { path, version, .. } if version == known.identity.0 => {
                    let path = FilePath(path);
                    Observation::there(NatsServerBinary { version: known.identity.clone() }, BinaryOutputs { path })
                }
                _ => Observation::Absent,
            });
        }
        Ok(found)
    }

    async fn apply(
        &self,
        run: &Run,
        (): &(),
        _: &NatsServerBinary,
        _: Option<&Live<NatsServerBinary>>,
    ) -> Result<BinaryOutputs, ProviderError> {
        let installed = install(run.io(), &self.search, &|what| run.progress(what)).await.map_err(failed)?;
        Ok(BinaryOutputs { path: FilePath(installed.path) })
    }

    async fn delete(&self, _: &Run, (): &(), _: &BinaryVersion) -> Result<(), ProviderError> {
        Ok(())
    }
}

/// What the search for the program failed with, for the engine.
pub(crate) fn failed(error: NatsServerError) -> ProviderError {
    let hint = error.hint();
    let mut failure = Failure::new("failed to find or install nats-server", harmony::explain::chain(&error));
    failure.hint = hint;
    ProviderError::Refused(failure)
}
