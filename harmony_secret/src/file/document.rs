//! The text of the file, and what it guarantees.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::cipher::{Argon2id, Key, KeyId};
use super::error::EncryptedFileError;
use crate::json::{self, Misfit, MisfitKind};
use crate::name::SecretName;
use crate::value::SecretValue;

const FORMAT: &str = "harmony-secrets/v1";
const FAMILY: &str = "harmony-secrets/";

/// The file, as it is written.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Document {
    format: String,
    pub(crate) key: KeyHeader,
    seal: String,
    secrets: BTreeMap<SecretName, String>,
}

/// Which key the file needs.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeyHeader {
    pub(crate) id: KeyId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) argon2id: Option<Argon2id>,
}

#[derive(Deserialize)]
struct Format {
    format: String,
}

impl Document {
    pub(crate) fn empty(key: KeyHeader) -> Self {
        Self { format: FORMAT.to_owned(), key, seal: String::new(), secrets: BTreeMap::new() }
    }

    pub(crate) fn read(path: &Path, text: &[u8]) -> Result<Self, EncryptedFileError> {
        let malformed = |source| EncryptedFileError::Malformed { path: path.to_owned(), source };
        let Format { format } = json::read(text).map_err(malformed)?;
        if format == FORMAT {
            return json::read(text).map_err(malformed);
        }
        if format.starts_with(FAMILY) {
            return Err(EncryptedFileError::OtherFormat { path: path.to_owned(), format, known: FORMAT });
        }
        Err(malformed(Misfit { kind: MisfitKind::Shape, line: 1, column: 1 }))
    }

    /// Refuses entries that are not those which were sealed together, naming the damaged one if it is one.
    pub(crate) fn require_seal(&self, path: &Path, key: &Key) -> Result<(), EncryptedFileError> {
        if key.decrypt(&self.seal, &self.seal_context()).is_some() {
            return Ok(());
        }
        self.require_entries(path, key)?;
        Err(EncryptedFileError::SealBroken { path: path.to_owned() })
    }

    pub(crate) fn require_entries(&self, path: &Path, key: &Key) -> Result<(), EncryptedFileError> {
        self.secrets.keys().try_for_each(|name| self.find(path, key, name).map(|_| ()))
    }

    pub(crate) fn find(&self, path: &Path, key: &Key, name: &SecretName) -> Result<Option<SecretValue>, EncryptedFileError> {
        let Some(encrypted) = self.secrets.get(name) else { return Ok(None) };
        match key.decrypt(encrypted, &entry_context(name)) {
            Some(value) => Ok(Some(value)),
            None => Err(EncryptedFileError::EntryDamaged { path: path.to_owned(), name: name.clone() }),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.secrets.is_empty()
    }

    pub(crate) fn names(&self) -> Vec<SecretName> {
        self.secrets.keys().cloned().collect()
    }

    /// Says whether the value could be encrypted.
    pub(crate) fn put(&mut self, key: &Key, name: &SecretName, value: &SecretValue) -> Option<()> {
        let encrypted = key.encrypt(value.expose_bytes(), &entry_context(name))?;
        self.secrets.insert(name.clone(), encrypted);
        Some(())
    }

    pub(crate) fn remove(&mut self, name: &SecretName) -> bool {
        self.secrets.remove(name).is_some()
    }

    /// The text of the file, sealed anew; `None` if it cannot be.
    pub(crate) fn seal(&mut self, key: &Key) -> Option<Vec<u8>> {
        self.seal = key.encrypt(&[], &self.seal_context())?;
        let mut text = serde_json::to_vec_pretty(self).ok()?;
        text.push(b'\n');
        Some(text)
    }

    /// Neither names nor base64 contain a zero byte, so no two lists of entries give the same bytes.
    fn seal_context(&self) -> Vec<u8> {
        let mut context = format!("{FORMAT} seal\0").into_bytes();
        for (name, encrypted) in &self.secrets {
            for part in [name.as_str(), encrypted] {
                context.extend_from_slice(part.as_bytes());
                context.push(0);
            }
        }
        context
    }
}

fn entry_context(name: &SecretName) -> Vec<u8> {
    format!("{FORMAT} secret\0{name}").into_bytes()
}
