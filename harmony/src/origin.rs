//! Where in the site program something was said.

use std::fmt;
use std::panic::Location;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A Score, and the line of the program that added it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Origin {
    /// The Score's name.
    pub score: String,
    /// The source file, as the compiler names it.
    pub file: String,
    /// The line in it, from 1.
    pub line: u32,
}

impl Origin {
    pub(crate) fn at(score: &str, location: &Location<'_>) -> Self {
        Self { score: score.to_owned(), file: location.file().to_owned(), line: location.line() }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}:{})", self.score, self.file, self.line)
    }
}
