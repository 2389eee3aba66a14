//! The port to a place where secrets are kept.

use std::fmt;
use std::path::PathBuf;

use async_trait::async_trait;

use crate::error::SecretError;
use crate::missing::WayToProvide;
use crate::name::SecretName;
use crate::value::SecretValue;

/// A place where secrets are kept. One that cannot answer (unreachable, locked by another key, damaged) fails; it never says that
/// a secret is absent which it cannot see. Reading changes nothing anywhere.
#[async_trait]
pub trait SecretStore: Send + Sync {
    /// What and where it is, for people: ``encrypted file `secrets.json` ``.
    fn describe(&self) -> String;

    /// Whether it can be written.
    fn access(&self) -> Access;

    /// How somebody can provide the secret here; `None` if this store cannot hold it.
    fn way_to_provide(&self, name: &SecretName) -> Option<WayToProvide>;

    /// The secret; `None` only if it is certainly not here.
    ///
    /// # Errors
    /// [`SecretError`] if the store cannot tell.
    async fn find(&self, name: &SecretName) -> Result<Option<SecretValue>, SecretError>;

    /// The names of all secrets here, sorted.
    ///
    /// # Errors
    /// [`SecretError`] if the store cannot tell.
    async fn names(&self) -> Result<Vec<SecretName>, SecretError>;

    /// Keeps the secret, in place of what was kept under that name.
    ///
    /// # Errors
    /// [`SecretError::ReadOnly`] if nothing can be kept here; else what the store failed with.
    async fn put(&self, name: &SecretName, value: &SecretValue) -> Result<(), SecretError>;

    /// Keeps the secret if there is none under that name, in one step even if others write too. Returns what is kept then.
    ///
    /// # Errors
    /// As for [`put`](Self::put).
    async fn put_if_absent(&self, name: &SecretName, value: &SecretValue) -> Result<SecretValue, SecretError>;

    /// Removes the secret, and says whether it was there.
    ///
    /// # Errors
    /// As for [`put`](Self::put).
    async fn remove(&self, name: &SecretName) -> Result<Removal, SecretError>;

    /// Takes away what writers that were killed have left, if nothing is kept here; a store that keeps something stays as it is.
    ///
    /// # Errors
    /// [`SecretError`] if something that was left cannot be taken away.
    async fn ensure_no_remains(&self) -> Result<(), SecretError> {
        Ok(())
    }

    /// What the user must be told and has not been told yet.
    fn take_notices(&self) -> Vec<SecretNotice> {
        Vec::new()
    }
}

/// What can be done with a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Secrets are provided by other means.
    ReadOnly,
    /// Secrets can be put and removed.
    ReadWrite,
}

/// What removing a secret found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// It was there and is gone.
    Removed,
    /// It was not there.
    WasAbsent,
}

/// Something that a store did and that its user must know.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SecretNotice {
    /// A new identity was made, because there was no key for the first write.
    IdentityMade {
        /// Its file.
        path: PathBuf,
    },
}

impl fmt::Display for SecretNotice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::IdentityMade { path } => {
                write!(
                    f,
                    "made the identity `{}`: keep a copy in a safe place, without it the secrets cannot be read",
                    path.display()
                )
            }
        }
    }
}
