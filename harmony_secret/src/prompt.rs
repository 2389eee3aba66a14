//! The port to a person who can be asked for secrets.

use std::fmt;
use std::io;

use crate::name::SecretName;
use crate::value::SecretValue;

/// Asks a person. A command line implements it for its terminal; [`NoTerminal`] is for programs that have none.
///
/// Asking blocks the thread, so do it before work is under way.
pub trait Prompt: Send + Sync {
    /// Asks one question, without showing the answer while it is typed, nor ever after. An adapter may
    /// [check](Question::check) the answer and ask again.
    ///
    /// # Errors
    /// [`PromptError`] if there is nobody to ask, or no answer.
    fn ask(&self, question: &Question) -> Result<SecretValue, PromptError>;
}

/// Nobody can be asked.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoTerminal;

impl Prompt for NoTerminal {
    fn ask(&self, _: &Question) -> Result<SecretValue, PromptError> {
        Err(PromptError::NoTerminal)
    }
}

/// A question for one field of a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The secret.
    pub secret: SecretName,
    /// The field, as the JSON names it.
    pub field: String,
    /// What the field's doc comment says.
    pub description: Option<String>,
    /// What can be answered.
    pub kind: AnswerKind,
    /// Whether it must be.
    pub need: Need,
}

/// What can be answered to a question.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum AnswerKind {
    /// Any text.
    Text,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// `yes` or `no`.
    Decision,
    /// One of these words.
    Choice(Vec<String>),
    /// A value that has to be written as JSON.
    Json,
}

/// Whether a field must be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// It must.
    Required,
    /// An empty answer leaves it out.
    Optional,
}

/// An answer that does not fit its question; the answer is not told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the answer for `{field}` is not {expected}")]
pub struct AnswerError {
    /// The field.
    pub field: String,
    /// What can be answered.
    pub expected: AnswerKind,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PromptError {
    /// There is no terminal, so nobody can be asked.
    #[error("there is no terminal to ask in")]
    NoTerminal,
    /// The person gave up.
    #[error("the question was cancelled")]
    Cancelled,
    /// The answer cannot be used.
    #[error(transparent)]
    Unfit(#[from] AnswerError),
    /// The terminal failed.
    #[error("failed to ask in the terminal")]
    Failed(#[from] io::Error),
}

impl PromptError {
    /// What a user can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Unfit(_) | Self::Cancelled => Some("run it again and answer; nothing has been kept".to_owned()),
            Self::NoTerminal => Some("run it in a terminal".to_owned()),
            Self::Failed(_) => None,
        }
    }
}

impl fmt::Display for AnswerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text => f.write_str("a text of at least one character"),
            Self::Integer => f.write_str("a whole number"),
            Self::Number => f.write_str("a number"),
            Self::Decision => f.write_str("`yes` or `no`"),
            Self::Choice(words) => write!(f, "one of `{}`", words.join("`, `")),
            Self::Json => f.write_str("JSON"),
        }
    }
}
