//! What an encrypted file can fail with.

use std::path::PathBuf;

use harmony_io::{IoError, LockError};

use super::cipher::KeyId;
use super::keys::KeySource;
use crate::json::Misfit;
use crate::name::SecretName;

/// Why the file could not be read or written. None of these means that a secret is absent.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EncryptedFileError {
    /// The operating system refused.
    #[error(transparent)]
    Io(#[from] IoError),
    /// Another process went on writing it.
    #[error("failed to lock `{path}` for writing", path = path.display())]
    Locked {
        /// The file.
        path: PathBuf,
        /// Who holds the lock, or why it cannot be used.
        source: LockError,
    },
    /// A newer version wrote it.
    #[error("`{path}` has the format `{format}`, this version reads `{known}`", path = path.display())]
    OtherFormat {
        /// The file.
        path: PathBuf,
        /// Its format.
        format: String,
        /// The format that is known here.
        known: &'static str,
    },
    /// It is cut short, has been edited badly, or is something else.
    #[error("`{path}` is not a file of encrypted secrets", path = path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where.
        source: Misfit,
    },
    /// No source of keys has any.
    #[error("no key for `{path}`", path = path.display())]
    NoKey {
        /// The file.
        path: PathBuf,
        /// Where an identity was looked for.
        identity: Option<PathBuf>,
    },
    /// There are keys, and none of them is the file's.
    #[error("`{path}` is encrypted for the key `{key}`, which is not the one of {tried}", path = path.display())]
    WrongKey {
        /// The file.
        path: PathBuf,
        /// The key it is encrypted for.
        key: KeyId,
        /// The sources that have another key.
        tried: String,
        /// The variable that could provide the right one.
        made_from: KeySource,
    },
    /// A source of keys failed.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// An entry was altered, or moved here from another name or file.
    #[error("the entry `{name}` of `{path}` is not what was kept under this name", path = path.display())]
    EntryDamaged {
        /// The file.
        path: PathBuf,
        /// The entry.
        name: SecretName,
    },
    /// Each entry is sound, but they were not written together: one was cut out, added or put back.
    #[error("the entries of `{path}` are not those that were written together", path = path.display())]
    SealBroken {
        /// The file.
        path: PathBuf,
    },
    /// A value is longer than the cipher can take.
    #[error("the secrets for `{path}` are too long to be encrypted", path = path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
    },
}

/// Why a source of keys failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The operating system refused.
    #[error(transparent)]
    Io(#[from] IoError),
    /// Another process went on making the identity.
    #[error("failed to lock the identity `{path}` for making it", path = path.display())]
    Locked {
        /// The identity.
        path: PathBuf,
        /// Who holds the lock, or why it cannot be used.
        source: LockError,
    },
    /// The variable has something else.
    #[error("the environment variable `HARMONY_SECRET_KEY` is not 32 bytes in base64")]
    KeyVariableMalformed,
    /// The file asks for a derivation that is not sound, or too costly.
    #[error("the salt or the costs in `{path}` for its passphrase are out of bounds", path = path.display())]
    CostsRefused {
        /// The file.
        path: PathBuf,
    },
    /// Others can read the identity, or it is a link.
    #[error("the identity `{path}` is not a plain file that only its owner can read (mode 0600)", path = path.display())]
    IdentityNotPrivate {
        /// The identity.
        path: PathBuf,
    },
    /// It is not an identity.
    #[error("`{path}` is not an identity", path = path.display())]
    IdentityMalformed {
        /// The identity.
        path: PathBuf,
    },
}

impl EncryptedFileError {
    /// What a user can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Io(error) => return error.hint().map(str::to_owned),
            Self::Key(error) => return error.hint(),
            Self::Locked { source, .. } => return lock_hint(source),
            Self::OtherFormat { .. } => "use the version of the program that wrote it, or a newer one".to_owned(),
            Self::Malformed { .. } | Self::EntryDamaged { .. } => {
                "restore it from version control; after a merge, take every line of `secrets` whole".to_owned()
            }
            Self::NoKey { identity, .. } => three_ways(identity.as_ref()),
            Self::WrongKey { made_from: KeySource::PassphraseVariable, .. } => {
                "it was made with a passphrase: set `HARMONY_SECRET_PASSPHRASE` to the same one".to_owned()
            }
            Self::WrongKey { .. } => {
                "set `HARMONY_SECRET_KEY` to the key in the second line of the identity that made it".to_owned()
            }
            Self::SealBroken { .. } => {
                "restore it from version control; if it was merged and has every entry that it should, seal it anew".to_owned()
            }
            Self::TooLong { .. } => return None,
        })
    }
}

impl KeyError {
    /// What a user can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Io(error) => return error.hint().map(str::to_owned),
            Self::Locked { source, .. } => return lock_hint(source),
            Self::KeyVariableMalformed => "make one with `head -c 32 /dev/urandom | base64`".to_owned(),
            Self::CostsRefused { .. } => "restore the file from version control".to_owned(),
            Self::IdentityNotPrivate { path } => {
                format!("run `chmod 600 {}`; if others could read it, make new secrets", path.display())
            }
            Self::IdentityMalformed { .. } => "restore it from your copy; without it the secrets cannot be read".to_owned(),
        })
    }
}

fn three_ways(identity: Option<&PathBuf>) -> String {
    let identity = match identity {
        Some(path) => format!("put the identity that made it at `{}` (mode 0600)", path.display()),
        None => "set `HOME` so that an identity can be found".to_owned(),
    };
    format!("set `HARMONY_SECRET_KEY` (32 bytes in base64), or set `HARMONY_SECRET_PASSPHRASE`, or {identity}")
}

fn lock_hint(error: &LockError) -> Option<String> {
    match error {
        LockError::Failed(error) => error.hint().map(str::to_owned),
        _ => Some("wait for that process, or end it".to_owned()),
    }
}
