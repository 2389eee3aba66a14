//! Where in the site program something was said.

use std::fmt;
use std::ops::Deref;
use std::panic::Location;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A Score, and the line of the program that added it. Cheap to clone: every thing of a run says where it comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(from = "Line", into = "Line")]
#[schemars(with = "Line")]
pub struct Origin(Arc<Line>);

/// A Score, and a line of the program.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Origin")]
pub struct Line {
    /// The Score's name.
    pub score: String,
    /// The source file, as the compiler names it.
    pub file: String,
    /// The line in it, from 1.
    pub line: u32,
}

impl Origin {
    /// The Score `score`, said in that line of that file.
    #[must_use]
    pub fn new(score: &str, file: &str, line: u32) -> Self {
        Line { score: score.to_owned(), file: file.to_owned(), line }.into()
    }

    pub(crate) fn at(score: &str, location: &Location<'_>) -> Self {
        Self::new(score, location.file(), location.line())
    }
}

impl Deref for Origin {
    type Target = Line;

    fn deref(&self) -> &Line {
        &self.0
    }
}

impl From<Line> for Origin {
    fn from(line: Line) -> Self {
        Self(Arc::new(line))
    }
}

impl From<Origin> for Line {
    fn from(origin: Origin) -> Self {
        Arc::unwrap_or_clone(origin.0)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}:{})", self.score, self.file, self.line)
    }
}
