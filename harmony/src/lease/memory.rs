//! A lease in the memory of one program.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::record::{LeaseRecord, Stored, Version};
use super::store::LeaseStore;
use crate::provider::{Failure, ProviderError};

/// A lease in memory: for runs of one program, and for tests. Clones are the same lease.
#[derive(Debug, Clone, Default)]
pub struct MemoryLeaseStore(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    stored: Option<Stored>,
    swaps: u64,
}

impl MemoryLeaseStore {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl LeaseStore for MemoryLeaseStore {
    fn name(&self) -> String {
        "the lease in memory".to_owned()
    }

    async fn find(&self) -> Result<Option<Stored>, ProviderError> {
        Ok(self.state().stored.clone())
    }

    async fn swap(&self, expected: Option<&Version>, record: &LeaseRecord) -> Result<Version, ProviderError> {
        let mut state = self.state();
        if state.stored.as_ref().map(|stored| &stored.version) != expected {
            let failure = Failure::new("failed to write the lease in memory", "it was written meanwhile");
            return Err(ProviderError::Conflict(failure));
        }
        state.swaps += 1;
        let version = Version(state.swaps.to_string());
        state.stored = Some(Stored { version: version.clone(), record: record.clone() });
        Ok(version)
    }
}
