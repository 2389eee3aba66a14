//! The settings that buckets and streams share.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Why a number is not such a setting.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{given} is no {what}: {rule}")]
pub struct LimitError {
    /// What was given.
    pub given: u8,
    /// What it should have been, without article.
    pub what: &'static str,
    /// The rule it breaks.
    pub rule: &'static str,
}

/// How many copies a stream has inside its one cluster: 1 to 5 (the server's own limit); an odd number, because an even one survives no
/// more failures than the odd one below it. Default 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "u8", into = "u8")]
pub struct Replicas(u8);

impl Replicas {
    /// One copy.
    pub const ONE: Self = Self(1);
    /// Three copies: one may be lost.
    pub const THREE: Self = Self(3);
    /// Five copies: two may be lost.
    pub const FIVE: Self = Self(5);

    /// So many copies.
    ///
    /// # Errors
    /// [`LimitError`] unless it is 1, 3 or 5.
    pub fn new(count: u8) -> Result<Self, LimitError> {
        match count {
            1 | 3 | 5 => Ok(Self(count)),
            given => Err(LimitError { given, what: "number of replicas", rule: "1, 3 or 5" }),
        }
    }

    /// The number.
    #[must_use]
    pub fn count(self) -> u8 {
        self.0
    }
}

impl Default for Replicas {
    fn default() -> Self {
        Self::ONE
    }
}

/// How many values of a key a bucket keeps: 1 to 64 (ADR-8 of NATS). Default 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "u8", into = "u8")]
pub struct History(u8);

impl History {
    /// So many values.
    ///
    /// # Errors
    /// [`LimitError`] unless it is 1 to 64.
    pub fn new(count: u8) -> Result<Self, LimitError> {
        match count {
            1..=64 => Ok(Self(count)),
            given => Err(LimitError { given, what: "length of a key's history", rule: "1 to 64" }),
        }
    }

    /// The number.
    #[must_use]
    pub fn count(self) -> u8 {
        self.0
    }
}

impl Default for History {
    fn default() -> Self {
        Self(1)
    }
}

macro_rules! number {
    ($type:ident) => {
        impl TryFrom<u8> for $type {
            type Error = LimitError;

            fn try_from(count: u8) -> Result<Self, LimitError> {
                Self::new(count)
            }
        }

        impl From<$type> for u8 {
            fn from(value: $type) -> Self {
                value.0
            }
        }
    };
}

number!(Replicas);
number!(History);

/// Where messages rest. Default: files.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Storage {
    /// On disk.
    #[default]
    File,
    /// In memory: gone when all servers that hold it stop.
    Memory,
}

/// Whether messages are compressed at rest. Default: not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Compression {
    /// As they are.
    #[default]
    Off,
    /// With S2, a fast relative of Snappy.
    S2,
}

/// When a stream's messages go. Default: by its limits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Retention {
    /// When a limit is reached.
    #[default]
    Limits,
    /// When every consumer has acknowledged them.
    Interest,
    /// When one consumer has acknowledged them.
    WorkQueue,
}

/// What a full stream does. Default: drops its oldest message.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Discard {
    /// Drops the oldest message.
    #[default]
    Old,
    /// Refuses the new one.
    New,
}

/// No outputs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nothing {}
