//! Where a server keeps its streams.

use async_trait::async_trait;
use harmony::provider::{Known, Live, Observation, Provider, ProviderError};
use harmony::resource::Resource;
use harmony::run::Run;
use harmony_io::Mode;
use serde::{Deserialize, Serialize};

use crate::kind::{FilePath, NoOutputs};

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

/// Makes and removes stores.
pub(crate) struct Stores;

#[async_trait]
impl Provider<NatsStore> for Stores {
    async fn observe(
        &self,
        run: &Run,
        (): &(),
        wanted: &[Known<NatsStore>],
    ) -> Result<Vec<Observation<NatsStore>>, ProviderError> {
        let look = |known: &Known<NatsStore>| match run.io().find_entry(&known.identity.0)? {
            None => Ok(Observation::Absent),
            Some(_) => Ok(Observation::there(NatsStore { path: known.identity.clone() }, NoOutputs {})),
        };
        wanted.iter().map(look).collect()
    }

    async fn apply(
        &self,
        run: &Run,
        (): &(),
        desired: &NatsStore,
        _: Option<&Live<NatsStore>>,
    ) -> Result<NoOutputs, ProviderError> {
        run.io().ensure_directory(&desired.path.0, Mode::Private)?;
        Ok(NoOutputs {})
    }

    async fn delete(&self, run: &Run, (): &(), path: &FilePath) -> Result<(), ProviderError> {
        Ok(run.io().ensure_no_tree(&path.0)?)
    }
}
