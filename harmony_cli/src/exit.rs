//! How a command ends.

use std::process::ExitCode;

/// How a command ended, as the exit code of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done, or there was nothing to do: 0.
    Done = 0,
    /// Something failed: 1.
    Failed = 1,
    /// The command line cannot be understood: 2.
    WrongUsage = 2,
    /// Something is not as the Scores say (`drift`, `status`, `plan --exit-code`): 3.
    Pending = 3,
    /// Another run holds the lock: 4.
    Locked = 4,
    /// Refused before any change: 5.
    Refused = 5,
    /// Stopped by the user; running it again goes on from there: 130.
    Interrupted = 130,
}

impl Exit {
    /// The exit code.
    #[must_use]
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The word for it in the summary of `--json`; what is pending or was done is told apart by the command.
    pub(crate) fn outcome(self) -> &'static str {
        match self {
            Self::Done => "converged",
            Self::Pending => "changed",
            Self::Failed | Self::WrongUsage => "failed",
            Self::Locked | Self::Refused => "refused",
            Self::Interrupted => "interrupted",
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
