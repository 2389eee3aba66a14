//! The directory of a server: its configuration, and what it writes beside it while it runs.

use async_trait::async_trait;
use harmony::provider::{Known, Live, Observation, Provider, ProviderError};
use harmony::resource::Resource;
use harmony::run::Run;
use harmony_io::Mode;
use serde::{Deserialize, Serialize};

use super::record;
use super::supervisor::{LOG, OUTPUT};
use crate::kind::{FilePath, NoOutputs, remove_directory};

/// A server's directory. With it goes what running the server left there: its logs, and the record of its process. What others put into
/// it stays, and it with that.
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

/// Makes and removes the directories of servers.
pub(crate) struct ServerDirectories;

#[async_trait]
impl Provider<NatsServerDirectory> for ServerDirectories {
    async fn observe(
        &self,
        run: &Run,
        (): &(),
        wanted: &[Known<NatsServerDirectory>],
    ) -> Result<Vec<Observation<NatsServerDirectory>>, ProviderError> {
        let look = |known: &Known<NatsServerDirectory>| match run.io().find_entry(&known.identity.0)? {
            None => Ok(Observation::Absent),
            Some(_) => Ok(Observation::there(NatsServerDirectory { path: known.identity.clone() }, NoOutputs {})),
        };
        wanted.iter().map(look).collect()
    }

    async fn apply(
        &self,
        run: &Run,
        (): &(),
        desired: &NatsServerDirectory,
        _: Option<&Live<NatsServerDirectory>>,
    ) -> Result<NoOutputs, ProviderError> {
        run.io().ensure_directory(&desired.path.0, Mode::Private)?;
        Ok(NoOutputs {})
    }

    async fn delete(&self, run: &Run, (): &(), path: &FilePath) -> Result<(), ProviderError> {
        for left in [record::FILE, LOG, OUTPUT] {
            run.io().ensure_no_file(&path.0.join(left))?;
        }
        remove_directory(run, path)
    }
}
