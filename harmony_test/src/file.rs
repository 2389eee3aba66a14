//! A kind with a real provider: a file.

use std::path::PathBuf;

use async_trait::async_trait;
use harmony::provider::{Known, Live, Observation, Provider, ProviderError};
use harmony::resource::Resource;
use harmony::run::Run;
use harmony::value::Text;
use harmony_io::Mode;
use serde::{Deserialize, Serialize};

/// A file of this machine, for its owner only. The directory above it must be there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FileOnDisk {
    /// Where, absolute.
    pub path: PathBuf,
    /// What is in it.
    pub contents: Text,
}

impl Resource for FileOnDisk {
    const KIND: &'static str = "file-on-disk/v1";
    const NOUN: &'static str = "file";
    type Identity = String;
    type Access = ();
    type Outputs = ();

    fn identity(&self) -> String {
        self.path.display().to_string()
    }
}

/// Reads, writes and removes files.
pub struct FilesOnDisk;

#[async_trait]
impl Provider<FileOnDisk> for FilesOnDisk {
    async fn observe(
        &self,
        run: &Run,
        (): &(),
        wanted: &[Known<FileOnDisk>],
    ) -> Result<Vec<Observation<FileOnDisk>>, ProviderError> {
        let look = |known: &Known<FileOnDisk>| {
            let path = PathBuf::from(&known.identity);
            let Some(bytes) = run.io().find_file(&path)? else { return Ok(Observation::Absent) };
            let contents = String::from_utf8_lossy(&bytes).into_owned().into();
            Ok(Observation::there(FileOnDisk { path, contents }, ()))
        };
        wanted.iter().map(look).collect()
    }

    async fn apply(&self, run: &Run, (): &(), desired: &FileOnDisk, _: Option<&Live<FileOnDisk>>) -> Result<(), ProviderError> {
        run.io().write_file(&desired.path, desired.contents.get()?.as_bytes(), Mode::Private)?;
        Ok(())
    }

    async fn delete(&self, run: &Run, (): &(), identity: &String) -> Result<(), ProviderError> {
        Ok(run.io().ensure_no_file(&PathBuf::from(identity))?)
    }
}
