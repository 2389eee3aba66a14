//! What is known of a secret that nobody has provided.

use std::fmt;

use crate::name::SecretName;

/// A secret that no source has: its name, what it consists of, and every way to provide it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no secret `{name}`")]
pub struct MissingSecret {
    /// Its name.
    pub name: SecretName,
    /// The fields of its JSON, sorted; empty if it is plain text or bytes.
    pub fields: Vec<String>,
    /// The ways to provide it, in the order in which the sources are asked.
    pub ways: Vec<WayToProvide>,
}

/// One way to provide a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum WayToProvide {
    /// Set this environment variable.
    Variable(String),
    /// Put it into the store that is described so.
    Store(String),
    /// Run the program in a terminal and answer.
    Terminal,
}

impl MissingSecret {
    /// Every way to provide it, in one sentence.
    #[must_use]
    pub fn hint(&self) -> String {
        if self.ways.is_empty() {
            return "no source can hold it: give the program a source of secrets".to_owned();
        }
        let ways: Vec<String> = self.ways.iter().map(ToString::to_string).collect();
        let shape = match self.fields.as_slice() {
            [] => String::new(),
            fields => format!(" (JSON with the fields `{}`)", fields.join("`, `")),
        };
        format!("provide it{shape}: {}", ways.join(", or "))
    }
}

impl fmt::Display for WayToProvide {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(variable) => write!(f, "set the environment variable `{variable}`"),
            Self::Store(store) => write!(f, "put it into {store}"),
            Self::Terminal => f.write_str("run this in a terminal and answer"),
        }
    }
}
