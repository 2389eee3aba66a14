//! The types of values known later.

use std::fmt;
use std::marker::PhantomData;

use data_encoding::BASE64;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::quote::Syntax;
use crate::address::Address;

/// An output of the resource at an address. Its text is `laptop/nats/port#number`, with ` (sensitive)` behind it for a secret.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Reference {
    /// The resource.
    pub of: Address,
    /// The output's name.
    pub output: String,
    /// Whether its value is a secret.
    pub sensitive: bool,
}

const SENSITIVE: &str = " (sensitive)";

/// Why a text is not a reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a reference: write `ADDRESS#OUTPUT`")]
pub struct ReferenceError {
    /// What was given.
    pub text: String,
}

impl TryFrom<String> for Reference {
    type Error = ReferenceError;

    fn try_from(text: String) -> Result<Self, ReferenceError> {
        let (reference, sensitive) = text.strip_suffix(SENSITIVE).map_or((text.as_str(), false), |public| (public, true));
        // An address may hold `#`, the name of an output cannot.
        let parts = reference.rsplit_once('#').and_then(|(of, output)| Some((of.parse().ok()?, output.to_owned())));
        match parts {
            Some((of, output)) => Ok(Self { of, output, sensitive }),
            None => Err(ReferenceError { text }),
        }
    }
}

impl From<Reference> for String {
    fn from(Reference { of, output, sensitive }: Reference) -> Self {
        format!("{of}#{output}{}", if sensitive { SENSITIVE } else { "" })
    }
}

/// A value that the engine computes when what it needs is known. The set is closed and serialisable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Later {
    /// The parts one after another.
    Text(Vec<Part>),
    /// The text as a literal of a syntax, with its quotes.
    Quote {
        /// The syntax it is written into.
        syntax: Syntax,
        /// What is quoted.
        of: Box<Later>,
    },
    /// Standard base64 (RFC 4648 section 4) of the text's bytes.
    Base64(Box<Later>),
    /// `sha256:…` of the text's bytes. A digest of a secret is not treated as one: digest only texts that cannot be guessed.
    Digest(Box<Later>),
    /// An output as it is.
    #[serde(untagged)]
    Output(Reference),
}

/// A part of a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// Known now.
    Literal(String),
    /// Known later.
    Later(Later),
}

impl Later {
    /// Whether the computed value is a secret.
    #[must_use]
    pub fn is_sensitive(&self) -> bool {
        match self {
            Self::Output(reference) => reference.sensitive,
            Self::Text(parts) => parts.iter().any(|part| matches!(part, Part::Later(later) if later.is_sensitive())),
            Self::Quote { of, .. } | Self::Base64(of) => of.is_sensitive(),
            Self::Digest(_) => false,
        }
    }

    /// Calls `visit` with every reference in it.
    pub fn visit<'a>(&'a self, visit: &mut impl FnMut(&'a Reference)) {
        match self {
            Self::Output(reference) => visit(reference),
            Self::Text(parts) => parts.iter().for_each(|part| {
                if let Part::Later(later) = part {
                    later.visit(visit);
                }
            }),
            Self::Quote { of, .. } | Self::Base64(of) | Self::Digest(of) => of.visit(visit),
        }
    }

    pub(super) fn visit_mut(&mut self, visit: &mut impl FnMut(&mut Reference)) {
        match self {
            Self::Output(reference) => visit(reference),
            Self::Text(parts) => parts.iter_mut().for_each(|part| {
                if let Part::Later(later) = part {
                    later.visit_mut(visit);
                }
            }),
            Self::Quote { of, .. } | Self::Base64(of) | Self::Digest(of) => of.visit_mut(visit),
        }
    }
}

/// A value of a spec: known now, or later.
#[derive(Clone, PartialEq, Eq)]
pub enum Value<T> {
    /// Known, and no secret.
    Known(T),
    /// Known, and a secret. Only the engine makes these, for a provider to read.
    Secret(T),
    /// Known when another resource is.
    Later(Later),
}

/// A text that may be known later.
pub type Text = Value<String>;

/// A value was read before it was known: the engine resolves all of them before a provider applies, so only an observation or a
/// preview meets this.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the value is known only after apply")]
pub struct Unresolved;

impl<T> Value<T> {
    /// The value, if it is known.
    ///
    /// # Errors
    /// [`Unresolved`] if it is known only later.
    pub fn get(&self) -> Result<&T, Unresolved> {
        match self {
            Self::Known(value) | Self::Secret(value) => Ok(value),
            Self::Later(_) => Err(Unresolved),
        }
    }

    /// Whether the value is a secret, known or not.
    #[must_use]
    pub fn is_sensitive(&self) -> bool {
        match self {
            Self::Known(_) => false,
            Self::Secret(_) => true,
            Self::Later(later) => later.is_sensitive(),
        }
    }
}

impl Text {
    /// The text as a literal of `syntax`, with its quotes.
    #[must_use]
    pub fn quoted(self, syntax: Syntax) -> Self {
        match self {
            Self::Known(text) => Self::Known(syntax.quote(&text)),
            Self::Secret(text) => Self::Secret(syntax.quote(&text)),
            Self::Later(later) => Self::Later(Later::Quote { syntax, of: Box::new(later) }),
        }
    }

    /// Standard base64 of the text's bytes.
    #[must_use]
    pub fn base64(self) -> Self {
        match self {
            Self::Known(text) => Self::Known(BASE64.encode(text.as_bytes())),
            Self::Secret(text) => Self::Secret(BASE64.encode(text.as_bytes())),
            Self::Later(later) => Self::Later(Later::Base64(Box::new(later))),
        }
    }

    /// The digest of the text's bytes, `sha256:…`; not a secret even if the text is.
    #[must_use]
    pub fn digest(self) -> Self {
        match self {
            Self::Known(text) | Self::Secret(text) => Self::Known(harmony_types::Digest::of(text.as_bytes()).to_string()),
            Self::Later(later) => Self::Later(Later::Digest(Box::new(later))),
        }
    }

    /// The parts one after another; neighbouring literals become one.
    #[must_use]
    pub fn concatenated(parts: Vec<Part>) -> Self {
        let mut merged: Vec<Part> = Vec::with_capacity(parts.len());
        for part in parts {
            match (merged.last_mut(), part) {
                (_, Part::Literal(text)) if text.is_empty() => {}
                (Some(Part::Literal(before)), Part::Literal(text)) => before.push_str(&text),
                (_, part) => merged.push(part),
            }
        }
        match merged.pop() {
            None => Self::Known(String::new()),
            Some(Part::Literal(text)) if merged.is_empty() => Self::Known(text),
            // An output alone may be a number; as a part of a text it becomes one.
            Some(Part::Later(later)) if merged.is_empty() && !matches!(later, Later::Output(_)) => Self::Later(later),
            Some(last) => {
                merged.push(last);
                Self::Later(Later::Text(merged))
            }
        }
    }
}

/// What can stand in [`text!`](crate::text!): anything with a text form, and values known later.
pub trait IntoParts {
    /// Adds itself to the parts of a text.
    fn into_parts(self, parts: &mut Vec<Part>);
}

impl IntoParts for &str {
    fn into_parts(self, parts: &mut Vec<Part>) {
        parts.push(Part::Literal(self.to_owned()));
    }
}

impl IntoParts for String {
    fn into_parts(self, parts: &mut Vec<Part>) {
        parts.push(Part::Literal(self));
    }
}

impl<T: fmt::Display> IntoParts for &Value<T> {
    fn into_parts(self, parts: &mut Vec<Part>) {
        match self {
            Value::Known(value) | Value::Secret(value) => parts.push(Part::Literal(value.to_string())),
            Value::Later(Later::Text(inner)) => parts.extend(inner.iter().cloned()),
            Value::Later(later) => parts.push(Part::Later(later.clone())),
        }
    }
}

impl<T: fmt::Display> IntoParts for Value<T> {
    fn into_parts(self, parts: &mut Vec<Part>) {
        (&self).into_parts(parts);
    }
}

/// A text of parts, each a `&str`, a `String` or a [`Value`]: `text!["nats://", &host, ":", port]`.
#[macro_export]
macro_rules! text {
    [$($part:expr),* $(,)?] => {{
        let mut parts = ::std::vec::Vec::new();
        $($crate::value::IntoParts::into_parts($part, &mut parts);)*
        $crate::value::Text::concatenated(parts)
    }};
}

impl<T> From<T> for Value<T> {
    fn from(value: T) -> Self {
        Self::Known(value)
    }
}

impl From<&str> for Text {
    fn from(value: &str) -> Self {
        Self::Known(value.to_owned())
    }
}

impl<T: fmt::Debug> fmt::Debug for Value<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(value) => value.fmt(f),
            Self::Secret(_) => f.write_str("(sensitive)"),
            Self::Later(later) => later.fmt(f),
        }
    }
}

pub(super) const LATER: &str = "$later";
pub(super) const SECRET: &str = "$secret";

impl<T: Serialize> Serialize for Value<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Known(value) => value.serialize(serializer),
            Self::Secret(value) => serializer.collect_map([(SECRET, value)]),
            Self::Later(later) => serializer.collect_map([(LATER, later)]),
        }
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Value<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        let mut json = serde_json::Value::deserialize(deserializer)?;
        let inner = |key: &str, json: &mut serde_json::Value| match json {
            serde_json::Value::Object(map) if map.len() == 1 => map.remove(key),
            _ => None,
        };
        if let Some(later) = inner(LATER, &mut json) {
            serde_json::from_value(later).map(Self::Later).map_err(D::Error::custom)
        } else if let Some(value) = inner(SECRET, &mut json) {
            // The text of a serde error can hold the value it fell over.
            serde_json::from_value(value).map(Self::Secret).map_err(|_| D::Error::custom("a secret value has the wrong type"))
        } else {
            serde_json::from_value(json).map(Self::Known).map_err(D::Error::custom)
        }
    }
}

/// An output that a kind offers to others, by name and type.
pub struct Output<R, T> {
    name: &'static str,
    sensitive: bool,
    kind: PhantomData<fn() -> (R, T)>,
}

impl<R, T> Output<R, T> {
    /// The field `name` of the kind's outputs.
    #[must_use]
    pub const fn public(name: &'static str) -> Self {
        Self { name, sensitive: false, kind: PhantomData }
    }

    /// The field `name` of the kind's outputs, which is a secret.
    #[must_use]
    pub const fn sensitive(name: &'static str) -> Self {
        Self { name, sensitive: true, kind: PhantomData }
    }

    pub(crate) fn of(&self, address: &Address) -> Value<T> {
        Value::Later(Later::Output(Reference { of: address.clone(), output: self.name.to_owned(), sensitive: self.sensitive }))
    }
}
