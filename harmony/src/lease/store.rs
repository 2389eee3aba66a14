//! Where a lease is kept.

use async_trait::async_trait;

use super::record::{LeaseRecord, Stored, Version};
use crate::provider::ProviderError;

/// One record that several machines share, changed by comparing and swapping.
#[async_trait]
pub trait LeaseStore: Send + Sync {
    /// What it is and where, for people: ``the lease in `/shared/lease` ``. No secret.
    fn name(&self) -> String;

    /// The record as it is now; `None` if none was ever written. What a swap has written that ended before is seen.
    ///
    /// # Errors
    /// [`ProviderError`] if the store does not answer or does not understand what it holds.
    async fn find(&self) -> Result<Option<Stored>, ProviderError>;

    /// Writes `record` if the stored one still is `expected` (`None`: if there is none), and says its version.
    ///
    /// # Errors
    /// [`ProviderError::Conflict`] if it is another one now: nothing has been written then. After any other error it may have been.
    async fn swap(&self, expected: Option<&Version>, record: &LeaseRecord) -> Result<Version, ProviderError>;
}

const _: fn(&dyn LeaseStore) = |_| {};
