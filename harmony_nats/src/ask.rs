//! Why a request has no answer.

use std::time::Duration;

use harmony::provider::{Failure, ProviderError};
use harmony_io::IoError;

/// How often is asked what changes nothing, while nobody answers. Silence is what is heard while a stream, or all of JetStream, has no
/// leader, and an election was seen to take 9 s: three times as long as an answer is waited for.
pub(crate) const QUESTIONS: usize = 3;

/// Why a request has no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum AskError {
    /// The server says that nobody listens there.
    #[error("nobody listens on `{subject}`")]
    Nobody {
        /// Where it was sent.
        subject: String,
    },
    /// Somebody may listen, and did not answer.
    #[error("no answer on `{subject}` within {:.1} s", waited.as_secs_f64())]
    Silence {
        /// Where it was sent.
        subject: String,
        /// How long an answer was waited for.
        waited: Duration,
    },
    /// The server did not let it through.
    #[error("the server says: {words}")]
    Forbidden {
        /// The server's words.
        words: String,
    },
    /// The connection ended.
    #[error("the connection was lost")]
    Lost,
    /// It could not be sent.
    #[error("it could not be sent: {words}")]
    Unsent {
        /// The client's words.
        words: String,
    },
    /// The answer is not what it should be.
    #[error("the answer on `{subject}` cannot be read: {words}")]
    Unreadable {
        /// Where it was sent.
        subject: String,
        /// What is wrong with it.
        words: String,
    },
    /// An injected fault.
    #[error(transparent)]
    Io(#[from] IoError),
}

impl AskError {
    /// The same as the failure of `what`.
    pub(crate) fn failed(self, what: String) -> ProviderError {
        let why = self.to_string();
        match self {
            Self::Io(error) => error.into(),
            Self::Forbidden { .. } => ProviderError::NotPermitted(
                Failure::new(what, why).with_hint("grant the user this, or give the operation a user that may do it"),
            ),
            Self::Unsent { .. } | Self::Unreadable { .. } => ProviderError::Refused(Failure::new(what, why)),
            Self::Nobody { .. } | Self::Silence { .. } | Self::Lost => ProviderError::Unreachable(Failure::new(what, why)),
        }
    }
}
