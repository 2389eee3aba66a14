//! JSON of secrets: written into memory that is wiped, and read without quoting it in errors.

use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use crate::value::{SecretValue, SecretWriter};

/// JSON that is not what was expected: where, never what, because the words of the parser quote the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{kind} at line {line}, column {column}")]
pub struct Misfit {
    /// What is wrong there.
    pub kind: MisfitKind,
    /// The line, from 1.
    pub line: usize,
    /// The column in bytes, from 1.
    pub column: usize,
}

/// What is wrong with the JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum MisfitKind {
    /// It is not JSON.
    Syntax,
    /// It ends too early.
    End,
    /// It is JSON, but a field is missing, unknown, or of another type.
    Shape,
}

impl fmt::Display for MisfitKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Syntax => "not JSON",
            Self::End => "an early end",
            Self::Shape => "a missing, unknown or ill-typed field",
        })
    }
}

/// Why a value cannot be written as JSON is not told: the value's own code may quote it.
#[derive(Debug)]
pub(crate) struct Unwritable;

pub(crate) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Misfit> {
    serde_json::from_slice(bytes).map_err(|error| Misfit {
        kind: match error.classify() {
            Category::Eof => MisfitKind::End,
            Category::Data => MisfitKind::Shape,
            Category::Syntax | Category::Io => MisfitKind::Syntax,
        },
        line: error.line(),
        column: error.column(),
    })
}

pub(crate) fn write<T: Serialize + ?Sized>(value: &T) -> Result<SecretValue, Unwritable> {
    let mut writer = SecretWriter::default();
    serde_json::to_writer(&mut writer, value).map_err(|_| Unwritable)?;
    Ok(writer.finish())
}
