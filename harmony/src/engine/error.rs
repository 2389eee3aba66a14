//! Why a run did not begin.

use harmony_io::LockError;

use super::ledger::LedgerError;
use super::outcome::Failed;
use super::plan::Step;
use crate::error::ArrangeError;

/// Why a run did not begin, or could not go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The Scores cannot become an arrangement.
    #[error(transparent)]
    Arrange(#[from] ArrangeError),
    /// The Ledger cannot be used.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// Another run holds the lock, or it cannot be used.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// Some things could not be looked at.
    #[error("failed to look at {}", troubles.first().map_or_else(|| "anything".to_owned(), |trouble| trouble.label.clone()))]
    Observe {
        /// Each of them, and why.
        troubles: Vec<Failed>,
    },
    /// The plan holds steps that are forbidden, or losses that nobody allows. Nothing has been changed.
    #[error("{} of the plan's steps are refused", steps.len())]
    Refused {
        /// Those steps.
        steps: Vec<Step>,
    },
    /// The program wants nothing, although things were made by it.
    #[error("the program wants nothing, but its Ledger names {made} things that it has made")]
    Empty {
        /// How many.
        made: usize,
    },
}

impl EngineError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Arrange(error) => error.hint(),
            Self::Ledger(error) => error.hint(),
            Self::Lock(LockError::Held { .. }) => {
                Some("wait for that run to end; a run that died frees the lock by itself".to_owned())
            }
            Self::Lock(LockError::Failed(error)) => error.hint().map(str::to_owned),
            Self::Lock(_) => None,
            Self::Observe { troubles } => troubles.first().and_then(|trouble| trouble.hint.clone()),
            Self::Refused { .. } => Some("see each step's reason; accept a loss with `--allow-loss ADDRESS`".to_owned()),
            Self::Empty { .. } => Some("use `destroy` to take everything away".to_owned()),
        }
    }
}
