//! Which state of the objects of a Ledger a writer knows.

use serde::{Deserialize, Serialize};

/// What a writer has found or written last.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Known {
    /// The version of the first object; empty if it is not there.
    pub(super) resource: String,
    /// The names of the further ones.
    pub(super) parts: Vec<String>,
    /// How many batches of lines there are.
    pub(super) batches: usize,
    /// How long they are in all.
    pub(super) bytes: usize,
}

impl Known {
    pub(super) fn read(version: Option<&String>) -> Self {
        version.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    }

    pub(super) fn text(&self) -> Option<String> {
        serde_json::to_string(self).ok()
    }
}
