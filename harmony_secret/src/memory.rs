//! A store that forgets everything with the program, for tests.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use crate::error::SecretError;
use crate::missing::WayToProvide;
use crate::name::SecretName;
use crate::store::{Access, Removal, SecretStore};
use crate::value::SecretValue;

/// Secrets in memory, for tests.
#[derive(Default)]
pub struct MemoryStore {
    secrets: Mutex<BTreeMap<SecretName, SecretValue>>,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn secrets(&self) -> MutexGuard<'_, BTreeMap<SecretName, SecretValue>> {
        self.secrets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.secrets().keys()).finish()
    }
}

#[async_trait]
impl SecretStore for MemoryStore {
    fn describe(&self) -> String {
        "memory".to_owned()
    }

    fn access(&self) -> Access {
        Access::ReadWrite
    }

    fn way_to_provide(&self, _: &SecretName) -> Option<WayToProvide> {
        Some(WayToProvide::Store(self.describe()))
    }

    async fn find(&self, name: &SecretName) -> Result<Option<SecretValue>, SecretError> {
        Ok(self.secrets().get(name).cloned())
    }

    async fn names(&self) -> Result<Vec<SecretName>, SecretError> {
        Ok(self.secrets().keys().cloned().collect())
    }

    async fn put(&self, name: &SecretName, value: &SecretValue) -> Result<(), SecretError> {
        self.secrets().insert(name.clone(), value.clone());
        Ok(())
    }

    async fn put_if_absent(&self, name: &SecretName, value: &SecretValue) -> Result<SecretValue, SecretError> {
        Ok(self.secrets().entry(name.clone()).or_insert_with(|| value.clone()).clone())
    }

    async fn remove(&self, name: &SecretName) -> Result<Removal, SecretError> {
        Ok(if self.secrets().remove(name).is_some() { Removal::Removed } else { Removal::WasAbsent })
    }
}
