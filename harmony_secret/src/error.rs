//! What working with secrets can fail with.

use std::error::Error;

use crate::file::EncryptedFileError;
use crate::json::Misfit;
use crate::missing::MissingSecret;
use crate::name::{NameError, SecretName};
use crate::prompt::PromptError;

/// Why a secret was not found, kept or removed. No text of it, nor of its causes, holds a value.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// Every source was asked and none has it.
    #[error(transparent)]
    Missing(#[from] MissingSecret),
    /// A secret's type has a name that cannot be one.
    #[error(transparent)]
    Name(#[from] NameError),
    /// What is kept under the name is not the JSON that the program's type is read from.
    #[error("the secret `{name}` from {origin} is not what the program expects")]
    Unfit {
        /// The secret.
        name: SecretName,
        /// The store that has it, or the answers of the user.
        origin: String,
        /// The fields that are expected, sorted.
        fields: Vec<String>,
        /// Where it does not fit.
        source: Misfit,
    },
    /// The program's type cannot be written as JSON.
    #[error("the secret `{name}` cannot be written as JSON")]
    Unwritable {
        /// The secret.
        name: SecretName,
    },
    /// The user was asked, and there is no answer.
    #[error("no answer for the secret `{name}`")]
    NotAnswered {
        /// The secret.
        name: SecretName,
        /// Why.
        source: PromptError,
    },
    /// The store only reads.
    #[error("{store} cannot be written")]
    ReadOnly {
        /// The store.
        store: String,
    },
    /// None of the sources can be written.
    #[error("none of the sources of secrets can be written ({sources})")]
    NoWritableStore {
        /// The sources.
        sources: String,
    },
    /// A source that is asked earlier has the secret, so what would be written could never be read.
    #[error("the secret `{name}` comes from {by}, which hides whatever is written")]
    Hidden {
        /// The secret.
        name: SecretName,
        /// The source.
        by: String,
    },
    /// The encrypted file failed.
    #[error(transparent)]
    EncryptedFile(#[from] EncryptedFileError),
    /// Another store failed; whether it has the secret is not known.
    #[error("failed to use {store}")]
    Down {
        /// The store.
        store: String,
        /// What failed, in the words of its adapter.
        source: Box<dyn Error + Send + Sync>,
    },
}

impl SecretError {
    /// What a user can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Missing(missing) => Some(missing.hint()),
            Self::Name(_) => Some("correct `#[secret(name = \"...\")]` of the type".to_owned()),
            Self::Unfit { fields, .. } => Some(format!("it must be a JSON object with the fields `{}`", fields.join("`, `"))),
            Self::Unwritable { .. } => Some("write its serde derives so that it becomes a JSON object".to_owned()),
            Self::NotAnswered { source, .. } => source.hint(),
            Self::ReadOnly { .. } | Self::NoWritableStore { .. } => {
                Some("give the program a store that can be written, such as an encrypted file, as a further source".to_owned())
            }
            Self::Hidden { by, .. } => Some(format!("change it in {by}, or take it away there")),
            Self::EncryptedFile(error) => error.hint(),
            Self::Down { .. } => None,
        }
    }
}
