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

/// The whole; what is written borrows its entries.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Contents<E = Entry> {
    pub(super) format: u32,
    pub(super) serial: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) identity: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) home: Option<Home>,
    #[serde(default = "Vec::new")]
    pub(super) entries: Vec<E>,
    #[serde(default)]
    pub(super) proofs: BTreeMap<Address, String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) underway: Vec<Underway>,
}

impl Contents {
    /// What nobody has written yet.
    pub(super) fn empty() -> Self {
        Self {
            format: FORMAT,
            serial: 0,
            identity: None,
            home: None,
            entries: Vec::new(),
            proofs: BTreeMap::new(),
            underway: Vec::new(),
        }
    }
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
    let newer = |found: u32| LedgerError::Newer { ledger: ledger.to_owned(), found };
    match serde_json::from_slice::<Contents>(bytes) {
        Ok(contents) if contents.format > FORMAT => Err(newer(contents.format)),
        Ok(contents) => Ok(contents),
        // What a newer format says otherwise than this one is no damage.
        Err(source) => match serde_json::from_slice(bytes) {
            Ok(Version { format }) if format > FORMAT => Err(newer(format)),
            _ => Err(LedgerError::Damaged { ledger: ledger.to_owned(), place: "its JSON".to_owned(), source }),
        },
    }
}
