//! One cluster on one place.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One NATS cluster on one place; a cluster of one is a single server. It declares the system that other Scores name.
///
/// Default: one server. With JetStream the count is odd, because an even one survives no more losses than the odd one below it.
///
/// ```
/// use harmony::modules::nats::score::NatsScore;
///
/// let score = NatsScore::new("nats").with_servers(3).with_tag(1, "az:a").with_tag(2, "az:b").with_tag(3, "az:c");
/// assert_eq!(serde_json::to_value(&score).unwrap()["servers"], 3);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[must_use]
pub struct NatsScore {
    pub(crate) system: String,
    #[serde(default = "one")]
    pub(crate) servers: u8,
    /// The servers' tags, by the server's number.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) tags: BTreeMap<u8, BTreeSet<String>>,
}

fn one() -> u8 {
    1
}

impl NatsScore {
    /// The system `name` (an RFC 1123 label): one server, which is called `<name>-1`, in the cluster `<name>`.
    pub fn new(name: &str) -> Self {
        Self { system: name.to_owned(), servers: one(), tags: BTreeMap::new() }
    }

    /// The same with so many servers, called `<name>-1`, `<name>-2`, and so on.
    pub fn with_servers(mut self, count: u8) -> Self {
        self.servers = count;
        self
    }

    /// The same with a tag on the server with this number, counted from 1: lower-case letters, digits, `:`, `-`, `_` and `.`.
    pub fn with_tag(mut self, server: u8, tag: &str) -> Self {
        self.tags.entry(server).or_default().insert(tag.to_owned());
        self
    }
}
