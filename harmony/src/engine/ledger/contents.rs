//! The form in which a Ledger is written.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::entry::{Entry, Key};
use super::error::LedgerError;
use crate::address::Address;
use crate::engine::home::Home;
use crate::procedure::Underway;

/// The format that this program writes. An older one is read, a newer one refused. Format 1 said neither who it is nor where it is at
/// home: what is read of it is at home where it is read, and gets its identity with the next write.
pub const FORMAT: u32 = 2;

/// The whole.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Contents {
    pub(super) format: u32,
    pub(super) serial: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) identity: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) home: Option<Home>,
    #[serde(default)]
    pub(super) entries: Vec<Entry>,
    #[serde(default)]
    pub(super) proofs: BTreeMap<Address, String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) underway: Vec<Underway>,
}

/// One line of the journal.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Line {
    Made { key: Key, kept: Option<Json>, held: Option<String> },
    Gone { key: Key },
    Proved { proof: Address, digest: String },
}

/// Reads it; `ledger` is what people call where it was found.
pub(super) fn parse(ledger: &str, bytes: &[u8]) -> Result<Contents, LedgerError> {
    #[derive(Deserialize)]
    struct Version {
        format: u32,
    }
    let damaged = |source| LedgerError::Damaged { ledger: ledger.to_owned(), place: "its JSON".to_owned(), source };
    let Version { format } = serde_json::from_slice(bytes).map_err(damaged)?;
    if format > FORMAT {
        return Err(LedgerError::Newer { ledger: ledger.to_owned(), found: format });
    }
    serde_json::from_slice(bytes).map_err(damaged)
}
