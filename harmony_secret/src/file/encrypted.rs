//! The store.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use harmony_io::{Io, Lock, Mode};

use super::cipher::Key;
use super::document::Document;
use super::error::EncryptedFileError;
use super::keys::{KeySource, Keys, NewKey};
use super::waiting::{ensure_no_remains, wait_for_lock};
use crate::environment::Environment;
use crate::error::SecretError;
use crate::missing::WayToProvide;
use crate::name::SecretName;
use crate::store::{Access, Removal, SecretNotice, SecretStore};
use crate::value::SecretValue;

/// Secrets in one encrypted file, written whole or not at all, mode 0600. A file that is not there is an empty store, and needs
/// no key; one that is there is an error unless its key can be had and everything in it is as it was written.
///
/// Several programs may use one file at once: each read sees the newest one, writes exclude each other by the lock file
/// `FILE.lock` (which is not for committing). The key is the first that fits of its [`KeySource`]s.
pub struct EncryptedFile {
    path: PathBuf,
    keys: Keys,
    opened: Mutex<Option<Arc<Opened>>>,
    notices: Mutex<Vec<SecretNotice>>,
}

/// The file as it was when it was last looked at, checked.
struct Opened {
    text: Vec<u8>,
    document: Document,
    key: Key,
}

/// What an edit did.
enum Edited {
    Changed,
    Unchanged,
}

impl EncryptedFile {
    /// The file at `path`, with the [usual](KeySource::usual) sources of its key. Nothing is read yet.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>, io: Io, environment: Environment) -> Self {
        let path = path.into();
        // A bare file name has an empty path above it, which no directory is named by.
        let path = if path.parent() == Some(Path::new("")) { Path::new(".").join(path) } else { path };
        Self { keys: Keys::new(path.clone(), io, environment), path, opened: Mutex::default(), notices: Mutex::default() }
    }

    /// Tries these sources of the key instead, in this order.
    #[must_use]
    pub fn with_key_sources(mut self, sources: Vec<KeySource>) -> Self {
        self.keys.sources = sources;
        self
    }

    /// Accepts the entries as they are, if each is sound: for a person who has merged two versions of the file and sees that
    /// no entry is missing. A file that is not there stays so.
    ///
    /// # Errors
    /// [`SecretError::EncryptedFile`] if the file or one of its entries is damaged, or its key cannot be had.
    pub async fn seal_anew(&self) -> Result<(), SecretError> {
        let find = || self.keys.io.find_file(&self.path).map_err(EncryptedFileError::from);
        if find()?.is_none() {
            return Ok(());
        }
        let _lock = self.lock().await?;
        if let Some(text) = find()? {
            let mut document = Document::read(&self.path, &text)?;
            let key = self.keys.key_for(&document.key)?;
            document.require_entries(&self.path, &key)?;
            self.write(&mut document, &key)?;
        }
        Ok(())
    }

    /// The file as it is now; `None` if it is not there.
    fn open(&self) -> Result<Option<Arc<Opened>>, EncryptedFileError> {
        let Some(text) = self.keys.io.find_file(&self.path)? else { return Ok(None) };
        if let Some(opened) = self.opened().as_ref().filter(|opened| opened.text == text) {
            return Ok(Some(Arc::clone(opened)));
        }
        let document = Document::read(&self.path, &text)?;
        let key = self.keys.key_for(&document.key)?;
        document.require_seal(&self.path, &key)?;
        let opened = Arc::new(Opened { text, document, key });
        *self.opened() = Some(Arc::clone(&opened));
        Ok(Some(opened))
    }

    /// Edits the file while no other program does; one that is not there is begun.
    async fn edit<R>(
        &self,
        edit: impl FnOnce(&mut Document, &Key) -> Result<(Edited, R), EncryptedFileError> + Send,
    ) -> Result<R, EncryptedFileError> {
        // What cannot be opened is not to be written; and then not even a lock file should be left.
        if self.open()?.is_none() {
            self.ensure_directory()?;
        }
        let lock = self.lock().await?;
        let (mut document, key) = match self.open()? {
            Some(opened) => (opened.document.clone(), opened.key.clone()),
            None => self.begin().await?,
        };
        let (edited, result) = edit(&mut document, &key)?;
        match edited {
            Edited::Changed if document.is_empty() => {
                // A file that is not there is an empty store; what was made is taken away whole, the lock last.
                self.keys.io.ensure_no_file(&self.path)?;
                lock.remove(&self.keys.io)?;
            }
            Edited::Changed => self.write(&mut document, &key)?,
            Edited::Unchanged => {}
        }
        Ok(result)
    }

    async fn begin(&self) -> Result<(Document, Key), EncryptedFileError> {
        let NewKey { header, key, notice } = self.keys.key_for_new().await?;
        self.notices().extend(notice);
        Ok((Document::empty(header), key))
    }

    fn write(&self, document: &mut Document, key: &Key) -> Result<(), EncryptedFileError> {
        let text = document.seal(key).ok_or_else(|| self.too_long())?;
        Ok(self.keys.io.write_file(&self.path, &text, Mode::Private)?)
    }

    async fn lock(&self) -> Result<Lock, EncryptedFileError> {
        let locked = |source| EncryptedFileError::Locked { path: self.path.clone(), source };
        wait_for_lock(&self.keys.io, &self.path).await.map_err(locked)
    }

    fn ensure_directory(&self) -> Result<(), EncryptedFileError> {
        match self.path.parent() {
            Some(directory) => Ok(self.keys.io.ensure_directory(directory, Mode::Private)?),
            None => Ok(()),
        }
    }

    fn too_long(&self) -> EncryptedFileError {
        EncryptedFileError::TooLong { path: self.path.clone() }
    }

    fn opened(&self) -> MutexGuard<'_, Option<Arc<Opened>>> {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn notices(&self) -> MutexGuard<'_, Vec<SecretNotice>> {
        self.notices.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for EncryptedFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EncryptedFile").field("path", &self.path).field("keys", &self.keys.sources).finish_non_exhaustive()
    }
}

#[async_trait]
impl SecretStore for EncryptedFile {
    fn describe(&self) -> String {
        format!("encrypted file `{}`", self.path.display())
    }

    fn access(&self) -> Access {
        Access::ReadWrite
    }

    fn way_to_provide(&self, _: &SecretName) -> Option<WayToProvide> {
        Some(WayToProvide::Store(self.describe()))
    }

    async fn find(&self, name: &SecretName) -> Result<Option<SecretValue>, SecretError> {
        match self.open()? {
            Some(opened) => Ok(opened.document.find(&self.path, &opened.key, name)?),
            None => Ok(None),
        }
    }

    async fn names(&self) -> Result<Vec<SecretName>, SecretError> {
        Ok(self.open()?.map(|opened| opened.document.names()).unwrap_or_default())
    }

    async fn put(&self, name: &SecretName, value: &SecretValue) -> Result<(), SecretError> {
        let put = |document: &mut Document, key: &Key| {
            if document.find(&self.path, key, name)?.as_ref() == Some(value) {
                return Ok((Edited::Unchanged, ()));
            }
            document.put(key, name, value).ok_or_else(|| self.too_long())?;
            Ok((Edited::Changed, ()))
        };
        Ok(self.edit(put).await?)
    }

    async fn put_if_absent(&self, name: &SecretName, value: &SecretValue) -> Result<SecretValue, SecretError> {
        let put = |document: &mut Document, key: &Key| {
            if let Some(kept) = document.find(&self.path, key, name)? {
                return Ok((Edited::Unchanged, kept));
            }
            document.put(key, name, value).ok_or_else(|| self.too_long())?;
            Ok((Edited::Changed, value.clone()))
        };
        Ok(self.edit(put).await?)
    }

    async fn remove(&self, name: &SecretName) -> Result<Removal, SecretError> {
        if self.open()?.is_none() {
            return Ok(Removal::WasAbsent);
        }
        let remove = |document: &mut Document, _: &Key| match document.remove(name) {
            true => Ok((Edited::Changed, Removal::Removed)),
            false => Ok((Edited::Unchanged, Removal::WasAbsent)),
        };
        Ok(self.edit(remove).await?)
    }

    async fn ensure_no_remains(&self) -> Result<(), SecretError> {
        let identities = self.keys.sources.iter().filter_map(|source| match source {
            KeySource::Identity(path) => Some(path),
            _ => None,
        });
        for path in identities.chain([&self.path]) {
            ensure_no_remains(&self.keys.io, path).map_err(EncryptedFileError::from)?;
        }
        Ok(())
    }

    fn take_notices(&self) -> Vec<SecretNotice> {
        std::mem::take(&mut *self.notices())
    }
}
