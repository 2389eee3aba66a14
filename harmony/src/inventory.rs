//! What exists outside and a run may use.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use harmony_types::{HostPort, NonBlank};

/// Things that exist, are not managed here, and may be used: endpoints by name. Plain data, empty for most programs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Inventory {
    endpoints: BTreeMap<String, HostPort>,
}

impl Inventory {
    /// Nothing outside is used.
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }

    /// The same with an endpoint that exists under `name`.
    #[must_use]
    pub fn with_endpoint(mut self, name: &NonBlank, endpoint: HostPort) -> Self {
        self.endpoints.insert(name.as_str().to_owned(), endpoint);
        self
    }

    /// The endpoint of that name, if there is one.
    #[must_use]
    pub fn find_endpoint(&self, name: &str) -> Option<&HostPort> {
        self.endpoints.get(name)
    }
}
