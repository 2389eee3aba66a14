//! A file of this machine.

use std::fmt;
use std::path::PathBuf;

use async_trait::async_trait;
use harmony::provider::{Known, Live, Observation, Provider, ProviderError};
use harmony::resource::Resource;
use harmony::run::Run;
use harmony::value::Text;
use harmony_io::{EntryKind, Mode};
use serde::{Deserialize, Serialize};

/// A file with exactly this content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalFile {
    /// Where it is.
    pub path: FilePath,
    /// Who may read it.
    pub access: Access,
    /// What is in it, UTF-8.
    pub content: Text,
}

/// Who may read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Access {
    /// Only its owner: 0600.
    Private,
    /// Everybody: 0644.
    Public,
    /// Somebody has given it another mode. Never, in a wish.
    Other,
}

/// An absolute path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FilePath(pub PathBuf);

impl fmt::Display for FilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.display().fmt(f)
    }
}

/// A file is its content; it offers nothing more.
#[derive(Clone, Serialize, Deserialize)]
pub struct NoOutputs {}

impl Resource for LocalFile {
    const KIND: &'static str = "local-file/v1";
    const NOUN: &'static str = "file";
    type Identity = FilePath;
    type Access = ();
    type Outputs = NoOutputs;

    fn identity(&self) -> FilePath {
        self.path.clone()
    }
}

/// Reads, writes and removes files.
pub(crate) struct Files;

fn look(run: &Run, path: &FilePath) -> Result<Observation<LocalFile>, ProviderError> {
    let Some(entry) = run.io().find_entry(&path.0)? else { return Ok(Observation::Absent) };
    if entry.kind != EntryKind::File {
        return Err(ProviderError::refused(format!("failed to read `{path}`"), "it is not a file"));
    }
    let Some(bytes) = run.io().find_file(&path.0)? else { return Ok(Observation::Absent) };
    let access = match entry.mode {
        Some(Mode::Private) => Access::Private,
        Some(Mode::Readable) => Access::Public,
        _ => Access::Other,
    };
    // What is not UTF-8 is not what we wrote; that it differs is all that matters.
    let content = Text::from(String::from_utf8_lossy(&bytes).into_owned());
    Ok(Observation::there(LocalFile { path: path.clone(), access, content }, NoOutputs {}))
}

#[async_trait]
impl Provider<LocalFile> for Files {
    async fn observe(
        &self,
        run: &Run,
        (): &(),
        wanted: &[Known<LocalFile>],
    ) -> Result<Vec<Observation<LocalFile>>, ProviderError> {
        wanted.iter().map(|known| look(run, &known.identity)).collect()
    }

    async fn apply(
        &self,
        run: &Run,
        (): &(),
        desired: &LocalFile,
        _: Option<&Live<LocalFile>>,
    ) -> Result<NoOutputs, ProviderError> {
        let mode = match desired.access {
            Access::Public => Mode::Readable,
            Access::Private | Access::Other => Mode::Private,
        };
        run.io().write_file(&desired.path.0, desired.content.get()?.as_bytes(), mode)?;
        Ok(NoOutputs {})
    }

    async fn delete(&self, run: &Run, (): &(), path: &FilePath) -> Result<(), ProviderError> {
        Ok(run.io().ensure_no_file(&path.0)?)
    }
}
