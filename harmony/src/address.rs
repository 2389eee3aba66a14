//! What the program calls a thing.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where the program says a thing: `place/scope/…/name`, segments joined by `/`. Addresses connect the things of one program; what
/// the world calls a thing is its identity, so renaming an address changes nothing in the world. Cheap to clone: a run names each thing in
/// many places.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct Address(Arc<str>);

/// Why a text is not an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an address")]
pub struct AddressError {
    /// What was given.
    pub text: String,
}

impl Address {
    /// The address's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address of `segment` below this one.
    ///
    /// # Errors
    /// [`AddressError`] if `segment` is empty, or holds white space, a control character, or a `/` at an end or doubled.
    pub fn join(&self, segment: &str) -> Result<Self, AddressError> {
        format!("{}/{segment}", self.0).parse()
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let visible = |c: char| !c.is_whitespace() && !c.is_control();
        if text.split('/').all(|segment| !segment.is_empty() && segment.chars().all(visible)) {
            Ok(Self(text.into()))
        } else {
            Err(AddressError { text: text.to_owned() })
        }
    }
}

impl TryFrom<String> for Address {
    type Error = AddressError;

    fn try_from(text: String) -> Result<Self, AddressError> {
        text.parse()
    }
}

impl From<Address> for String {
    fn from(address: Address) -> Self {
        address.0.as_ref().to_owned()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}
