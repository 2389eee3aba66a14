//! Where the key of an encrypted file comes from.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use harmony_io::Io;

use super::cipher::{Argon2id, Key};
use super::document::KeyHeader;
use super::error::{EncryptedFileError, KeyError};
use super::identity::{Identity, ensure_identity, find_identity};
use crate::environment::{Environment, KEY_VARIABLE, PASSPHRASE_VARIABLE};
use crate::store::SecretNotice;
use crate::value::SecretValue;

/// A place that a key can come from.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeySource {
    /// The environment variable `HARMONY_SECRET_KEY`: 32 bytes in base64, for build services.
    KeyVariable,
    /// The environment variable `HARMONY_SECRET_PASSPHRASE`, from which the key is derived with Argon2id.
    PassphraseVariable,
    /// A file with a key, mode 0600, outside the checkout. It is made by the first write that finds no key, never by a read.
    Identity(PathBuf),
}

impl KeySource {
    /// The usual order: the two variables, then the identity in `$XDG_CONFIG_HOME/harmony/identity`, or else in
    /// `~/.config/harmony/identity`; no identity if neither `XDG_CONFIG_HOME` nor `HOME` is an absolute path.
    #[must_use]
    pub fn usual(environment: &Environment) -> Vec<Self> {
        let configuration = environment
            .find_absolute_path("XDG_CONFIG_HOME")
            .or_else(|| environment.find_absolute_path("HOME").map(|home| home.join(".config")));
        let identity = configuration.map(|directory| Self::Identity(directory.join("harmony").join("identity")));
        [Self::KeyVariable, Self::PassphraseVariable].into_iter().chain(identity).collect()
    }

    fn describe(&self) -> String {
        match self {
            Self::KeyVariable => format!("`{KEY_VARIABLE}`"),
            Self::PassphraseVariable => format!("`{PASSPHRASE_VARIABLE}`"),
            Self::Identity(path) => format!("the identity `{}`", path.display()),
        }
    }
}

/// The sources of one file's key, in the order in which they are tried.
pub(crate) struct Keys {
    /// The encrypted file.
    file: PathBuf,
    pub(crate) io: Io,
    environment: Environment,
    pub(crate) sources: Vec<KeySource>,
    derived: Mutex<Option<(Argon2id, Key)>>,
}

/// What a new file is encrypted with.
pub(crate) struct NewKey {
    pub(crate) header: KeyHeader,
    pub(crate) key: Key,
    pub(crate) notice: Option<SecretNotice>,
}

impl Keys {
    pub(crate) fn new(file: PathBuf, io: Io, environment: Environment) -> Self {
        let sources = KeySource::usual(&environment);
        Self { file, io, environment, sources, derived: Mutex::new(None) }
    }

    /// The first key that is the one in `header`.
    pub(crate) fn key_for(&self, header: &KeyHeader) -> Result<Key, EncryptedFileError> {
        let mut tried = Vec::new();
        for source in &self.sources {
            match self.find(source, header.argon2id.as_ref())? {
                Some(key) if key.id() == header.id => return Ok(key),
                Some(_) => tried.push(source.describe()),
                None => {}
            }
        }
        if tried.is_empty() {
            return Err(self.no_key());
        }
        let made_from = if header.argon2id.is_some() { KeySource::PassphraseVariable } else { KeySource::KeyVariable };
        Err(EncryptedFileError::WrongKey { path: self.file.clone(), key: header.id.clone(), tried: tried.join(", "), made_from })
    }

    /// The first key that can be had; an identity is made if it comes to that.
    pub(crate) async fn key_for_new(&self) -> Result<NewKey, EncryptedFileError> {
        let argon2id = Argon2id::with_new_salt();
        for source in &self.sources {
            let (key, notice) = match source {
                KeySource::Identity(path) => match ensure_identity(&self.io, path).await? {
                    Identity::Found(key) => (Some(key), None),
                    Identity::Made(key) => (Some(key), Some(SecretNotice::IdentityMade { path: path.clone() })),
                },
                variable => (self.find(variable, Some(&argon2id))?, None),
            };
            if let Some(key) = key {
                let argon2id = (*source == KeySource::PassphraseVariable).then_some(argon2id);
                return Ok(NewKey { header: KeyHeader { id: key.id(), argon2id }, key, notice });
            }
        }
        Err(self.no_key())
    }

    fn find(&self, source: &KeySource, argon2id: Option<&Argon2id>) -> Result<Option<Key>, KeyError> {
        match source {
            KeySource::KeyVariable => match self.environment.find(KEY_VARIABLE) {
                Some(text) => Key::find_in(&text).ok_or(KeyError::KeyVariableMalformed).map(Some),
                None => Ok(None),
            },
            KeySource::PassphraseVariable => match (self.environment.find(PASSPHRASE_VARIABLE), argon2id) {
                (Some(passphrase), Some(argon2id)) => self.derive(&passphrase, argon2id).map(Some),
                _ => Ok(None),
            },
            KeySource::Identity(path) => find_identity(&self.io, path),
        }
    }

    /// Derives once for each salt: it is slow on purpose, and the environment of a program does not change.
    fn derive(&self, passphrase: &SecretValue, argon2id: &Argon2id) -> Result<Key, KeyError> {
        let mut derived = self.derived.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, key)) = derived.as_ref().filter(|(of, _)| of == argon2id) {
            return Ok(key.clone());
        }
        let key = argon2id.derive(passphrase).ok_or_else(|| KeyError::CostsRefused { path: self.file.clone() })?;
        *derived = Some((argon2id.clone(), key.clone()));
        Ok(key)
    }

    fn no_key(&self) -> EncryptedFileError {
        let identity = self.sources.iter().find_map(|source| match source {
            KeySource::Identity(path) => Some(path.clone()),
            _ => None,
        });
        EncryptedFileError::NoKey { path: self.file.clone(), identity }
    }
}
