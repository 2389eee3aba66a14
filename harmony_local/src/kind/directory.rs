//! A directory of this machine.

use async_trait::async_trait;
use harmony::provider::{Known, Live, Observation, Provider, ProviderError};
use harmony::resource::Resource;
use harmony::run::Run;
use harmony_io::{EntryKind, Mode};
use serde::{Deserialize, Serialize};

use super::file::{FilePath, NoOutputs};

/// A directory that only its owner may enter. It is taken away when it is empty; what others put into it stays, and it with that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalDirectory {
    /// Where it is.
    pub path: FilePath,
}

impl Resource for LocalDirectory {
    const KIND: &'static str = "local-directory/v1";
    const NOUN: &'static str = "directory";
    const ADOPTS: bool = true;
    type Identity = FilePath;
    type Access = ();
    type Outputs = NoOutputs;

    fn identity(&self) -> FilePath {
        self.path.clone()
    }
}

/// Makes directories, and removes them when they are empty.
pub(crate) struct Directories;

#[async_trait]
impl Provider<LocalDirectory> for Directories {
    async fn observe(
        &self,
        run: &Run,
        (): &(),
        wanted: &[Known<LocalDirectory>],
    ) -> Result<Vec<Observation<LocalDirectory>>, ProviderError> {
        let look = |known: &Known<LocalDirectory>| {
            let path = &known.identity;
            match run.io().find_entry(&path.0)? {
                None => Ok(Observation::Absent),
                Some(entry) if entry.kind == EntryKind::Directory => {
                    Ok(Observation::there(LocalDirectory { path: path.clone() }, NoOutputs {}))
                }
                Some(_) => Err(ProviderError::refused(format!("failed to use `{path}`"), "it is not a directory")),
            }
        };
        wanted.iter().map(look).collect()
    }

    async fn apply(
        &self,
        run: &Run,
        (): &(),
        desired: &LocalDirectory,
        _: Option<&Live<LocalDirectory>>,
    ) -> Result<NoOutputs, ProviderError> {
        run.io().ensure_directory(&desired.path.0, Mode::Private)?;
        Ok(NoOutputs {})
    }

    async fn delete(&self, run: &Run, (): &(), path: &FilePath) -> Result<(), ProviderError> {
        remove_directory(run, path)
    }
}

/// Removes a directory that is empty; one that is not stays, and what is in it is named.
pub(crate) fn remove_directory(run: &Run, path: &FilePath) -> Result<(), ProviderError> {
    match run.io().ensure_no_directory(&path.0) {
        Err(error) if error.is_not_empty() => {
            let inside = run.io().list_directory(&path.0)?;
            let names: Vec<String> = inside.iter().take(NAMED).map(|entry| format!("`{}`", entry.path.display())).collect();
            run.remark(format!("left `{path}`, because something else is in it: {}", names.join(", ")));
            Ok(())
        }
        removed => Ok(removed?),
    }
}

/// How many of the things that keep a directory are named.
const NAMED: usize = 5;
