//! Why a lease is not held.

use super::record::WallTime;
use crate::provider::ProviderError;

/// Why a lease was not taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LeaseError {
    /// Another living run holds it.
    #[error("{store} is held by {holder}, since {since} until {until} unless it is renewed")]
    Held {
        /// Which lease.
        store: String,
        /// Who holds it, in its own words.
        holder: String,
        /// Since when, by the holder's clock.
        since: WallTime,
        /// Until when if it is not renewed, by the holder's clock.
        until: WallTime,
    },
    /// The store could not be used.
    #[error("failed to take {store}")]
    Store {
        /// Which lease.
        store: String,
        /// Why.
        source: ProviderError,
    },
}

impl LeaseError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Held { .. } => Some("wait for that run to end; if it dies, its lease runs out by itself".to_owned()),
            Self::Store { source, .. } => source.hint().map(str::to_owned),
        }
    }
}
