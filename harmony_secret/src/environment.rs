//! Secrets and settings from environment variables.

use std::ffi::OsString;
use std::fmt;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;

use crate::error::SecretError;
use crate::missing::WayToProvide;
use crate::name::SecretName;
use crate::store::{Access, Removal, SecretStore};
use crate::value::SecretValue;

/// The variable with the key of an encrypted file: 32 bytes in base64.
pub(crate) const KEY_VARIABLE: &str = "HARMONY_SECRET_KEY";
/// The variable with the passphrase of an encrypted file.
pub(crate) const PASSPHRASE_VARIABLE: &str = "HARMONY_SECRET_PASSPHRASE";
const PREFIX: &str = "HARMONY_SECRET_";

/// How environment variables are looked up: as the process has them, unless a test says otherwise. One that is set to nothing
/// counts as not set, because that is what a build service sets for a secret it does not have.
#[derive(Clone)]
pub struct Environment(Arc<Lookup>);

type Lookup = dyn Fn(&str) -> Option<OsString> + Send + Sync;

impl Environment {
    /// The variables that `lookup` tells.
    #[must_use]
    pub fn new(lookup: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        Self(Arc::new(move |variable| lookup(variable).map(OsString::from)))
    }

    /// The variables of this process.
    #[must_use]
    pub fn of_process() -> Self {
        Self(Arc::new(|variable| std::env::var_os(variable)))
    }

    pub(crate) fn find(&self, variable: &str) -> Option<SecretValue> {
        let value = (self.0)(variable).filter(|value| !value.is_empty())?;
        Some(SecretValue::from(value.into_vec()))
    }

    pub(crate) fn find_absolute_path(&self, variable: &str) -> Option<PathBuf> {
        (self.0)(variable).map(PathBuf::from).filter(|path| path.is_absolute())
    }
}

impl Default for Environment {
    fn default() -> Self {
        Self::of_process()
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Environment((sensitive))")
    }
}

/// Secrets that are given to the program as environment variables; read only.
///
/// The variable of a secret is `HARMONY_SECRET_` and the name in capitals, with `_` for `/`, `-` and `.`: `nats-east/admin` is read
/// from `HARMONY_SECRET_NATS_EAST_ADMIN`. So names that differ only there share a variable. The secrets `key` and `passphrase`
/// cannot be given so: their variables are those of [`EncryptedFile`](crate::EncryptedFile)'s own key.
///
/// A typed secret is given as JSON. [`names`](SecretStore::names) is always empty, because a variable does not tell the name.
#[derive(Debug, Clone, Default)]
pub struct EnvironmentStore {
    environment: Environment,
}

impl EnvironmentStore {
    /// The secrets in `environment`.
    #[must_use]
    pub fn new(environment: Environment) -> Self {
        Self { environment }
    }

    /// The variable that provides `name`; `None` if none may.
    #[must_use]
    pub fn variable(name: &SecretName) -> Option<String> {
        let variable = format!("{PREFIX}{}", name.as_str().to_uppercase().replace(['/', '-', '.'], "_"));
        (variable != KEY_VARIABLE && variable != PASSPHRASE_VARIABLE).then_some(variable)
    }

    fn refuse(&self) -> SecretError {
        SecretError::ReadOnly { store: self.describe() }
    }
}

#[async_trait]
impl SecretStore for EnvironmentStore {
    fn describe(&self) -> String {
        format!("environment variables `{PREFIX}*`")
    }

    fn access(&self) -> Access {
        Access::ReadOnly
    }

    fn way_to_provide(&self, name: &SecretName) -> Option<WayToProvide> {
        Self::variable(name).map(WayToProvide::Variable)
    }

    async fn find(&self, name: &SecretName) -> Result<Option<SecretValue>, SecretError> {
        Ok(Self::variable(name).and_then(|variable| self.environment.find(&variable)))
    }

    async fn names(&self) -> Result<Vec<SecretName>, SecretError> {
        Ok(Vec::new())
    }

    async fn put(&self, _: &SecretName, _: &SecretValue) -> Result<(), SecretError> {
        Err(self.refuse())
    }

    async fn put_if_absent(&self, _: &SecretName, _: &SecretValue) -> Result<SecretValue, SecretError> {
        Err(self.refuse())
    }

    async fn remove(&self, _: &SecretName) -> Result<Removal, SecretError> {
        Err(self.refuse())
    }
}
