//! Names of secrets. A name is no secret: it is shown, logged and committed.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The name under which a secret is kept: segments of `a-z`, `0-9`, `-`, `_` and `.`, joined by `/`; 1 to 200 bytes.
/// No segment is empty, `.` or `..`, so that a name can also be a path in any store.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SecretName(String);

/// A text that is not the name of a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not the name of a secret")]
pub struct NameError {
    /// The text.
    pub text: String,
    /// The rule it breaks.
    #[source]
    pub fault: NameFault,
}

/// The rule that a text breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameFault {
    /// Longer than [`SecretName::LONGEST`].
    #[error("it is longer than 200 bytes")]
    TooLong,
    /// Another character than those allowed.
    #[error("it has a character other than `a-z`, `0-9`, `-`, `_`, `.` and `/`")]
    Character,
    /// Nothing before, between or behind the slashes.
    #[error("it has an empty segment")]
    EmptySegment,
    /// A segment that a file system would follow elsewhere.
    #[error("it has a segment `.` or `..`")]
    DotSegment,
}

impl SecretName {
    /// The longest name, in bytes.
    pub const LONGEST: usize = 200;

    /// Whether `text` is the name of a secret; usable while compiling.
    #[must_use]
    pub const fn is_valid(text: &str) -> bool {
        fault_in(text.as_bytes()).is_none()
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

const fn fault_in(text: &[u8]) -> Option<NameFault> {
    if text.len() > SecretName::LONGEST {
        return Some(NameFault::TooLong);
    }
    let (mut at, mut start) = (0, 0);
    while at <= text.len() {
        if at == text.len() || text[at] == b'/' {
            if at == start {
                return Some(NameFault::EmptySegment);
            }
            if text[start] == b'.' && (at == start + 1 || at == start + 2 && text[start + 1] == b'.') {
                return Some(NameFault::DotSegment);
            }
            start = at + 1;
        } else if !matches!(text[at], b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.') {
            return Some(NameFault::Character);
        }
        at += 1;
    }
    None
}

impl FromStr for SecretName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        text.to_owned().try_into()
    }
}

impl TryFrom<String> for SecretName {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        match fault_in(text.as_bytes()) {
            None => Ok(Self(text)),
            Some(fault) => Err(NameError { text, fault }),
        }
    }
}

impl From<SecretName> for String {
    fn from(name: SecretName) -> Self {
        name.0
    }
}

impl fmt::Display for SecretName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> Option<NameFault> {
        text.parse::<SecretName>().err().map(|error| error.fault)
    }

    #[test]
    fn names_are_paths_of_plain_segments() {
        for text in ["a", "nats-east/admin", "a.b_c-d/0", "...", "a/..b", &"x".repeat(200)] {
            assert_eq!(fault(text), None, "{text}");
        }
        for text in ["", "/a", "a/", "a//b", "/"] {
            assert_eq!(fault(text), Some(NameFault::EmptySegment), "{text}");
        }
        for text in [".", "..", "a/./b", "../a", "a/.."] {
            assert_eq!(fault(text), Some(NameFault::DotSegment), "{text}");
        }
        for text in ["A", "a b", "é", "a\\b", "a\n", "a\0"] {
            assert_eq!(fault(text), Some(NameFault::Character), "{text}");
        }
        assert_eq!(fault(&"x".repeat(201)), Some(NameFault::TooLong));
    }

    #[test]
    fn serde_goes_through_the_rule() {
        let name: SecretName = serde_json::from_str("\"nats/admin\"").unwrap();
        assert_eq!(serde_json::to_string(&name).unwrap(), "\"nats/admin\"");
        assert!(serde_json::from_str::<SecretName>("\"../admin\"").is_err());
    }
}
