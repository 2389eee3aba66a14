//! Directories of this machine.

use std::path::Path;

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

/// A kind that is a directory: its spec is its path.
pub(crate) trait DirectoryKind: Resource<Identity = FilePath, Access = (), Outputs = NoOutputs> {
    /// The directory at `path`.
    fn at(path: FilePath) -> Self;

    /// What goes with it when it is taken away.
    const CONTENTS: Contents;
}

/// What goes with a directory that is taken away.
pub(crate) enum Contents {
    /// Only these files of its own; with anything else in it, it stays.
    Files(&'static [&'static str]),
    /// Everything.
    All,
}

impl DirectoryKind for LocalDirectory {
    const CONTENTS: Contents = Contents::Files(&[]);

    fn at(path: FilePath) -> Self {
        Self { path }
    }
}

/// Makes directories, and takes them away.
pub(crate) struct Directories;

#[async_trait]
impl<D: DirectoryKind> Provider<D> for Directories {
    async fn observe(&self, run: &Run, (): &(), wanted: &[Known<D>]) -> Result<Vec<Observation<D>>, ProviderError> {
        wanted.iter().map(|known| look(run, &known.identity)).collect()
    }

    async fn apply(&self, run: &Run, (): &(), desired: &D, _: Option<&Live<D>>) -> Result<NoOutputs, ProviderError> {
        run.io().ensure_directory(&desired.identity().0, Mode::Private)?;
        Ok(NoOutputs {})
    }

    async fn delete(&self, run: &Run, (): &(), path: &FilePath) -> Result<(), ProviderError> {
        match D::CONTENTS {
            Contents::All => run.io().ensure_no_tree(&path.0)?,
            Contents::Files(names) => {
                names.iter().try_for_each(|name| run.io().ensure_no_file(&path.0.join(name)))?;
                remove_empty(run, &path.0)?;
            }
        }
        Ok(())
    }
}

fn look<D: DirectoryKind>(run: &Run, path: &FilePath) -> Result<Observation<D>, ProviderError> {
    match run.io().find_entry(&path.0)? {
        None => Ok(Observation::Absent),
        Some(entry) if entry.kind == EntryKind::Directory => Ok(Observation::there(D::at(path.clone()), NoOutputs {})),
        Some(_) => Err(ProviderError::refused(format!("failed to use `{path}`"), "it is not a directory")),
    }
}

fn remove_empty(run: &Run, path: &Path) -> Result<(), ProviderError> {
    match run.io().ensure_no_directory(path) {
        Err(error) if error.is_not_empty() => {
            let inside = run.io().list_directory(path)?;
            let names: Vec<String> = inside.iter().take(NAMED).map(|entry| format!("`{}`", entry.path.display())).collect();
            run.remark(format!("left `{}`, because something else is in it: {}", path.display(), names.join(", ")));
            Ok(())
        }
        removed => Ok(removed?),
    }
}

/// How many of the things that keep a directory are named.
const NAMED: usize = 5;
