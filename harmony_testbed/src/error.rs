//! What can go wrong with a testbed.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Why there is no testbed, or why it does not answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TestbedError {
    /// This machine cannot have the testbed that is asked for; a test reports that it was not run.
    #[error("this machine lacks {what}")]
    Lacking {
        /// What is missing, in words.
        what: String,
        /// How to get it.
        hint: &'static str,
    },
    /// A program of the testbed could not be built.
    #[error("failed to build `{program}` from the Go module in `{module}`: {said}")]
    Build {
        /// The program.
        program: &'static str,
        /// The module's directory.
        module: PathBuf,
        /// The end of what the compiler said.
        said: String,
    },
    /// A file could not be used.
    #[error("failed to {doing} `{path}`")]
    File {
        /// What was being done with it.
        doing: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A program could not be started.
    #[error("failed to start `{program}`")]
    Start {
        /// The program.
        program: String,
        /// Why not.
        source: io::Error,
    },
    /// A component ended by itself.
    #[error("{component} has ended; it said last: {said}")]
    Ended {
        /// The component.
        component: String,
        /// The end of its log.
        said: String,
    },
    /// Something did not come about in time.
    #[error("{what} did not come about within {waited:?}: {last}")]
    NotReady {
        /// What was waited for.
        what: String,
        /// How long.
        waited: Duration,
        /// What the last look showed.
        last: String,
    },
    /// A command ran and failed.
    #[error("`{command}` failed: {said}")]
    Command {
        /// The program and its arguments.
        command: String,
        /// What it said.
        said: String,
    },
    /// The API server was not reached.
    #[error("failed to ask the API server for `{path}`")]
    Unreachable {
        /// Path and query of the request.
        path: String,
        /// Why not.
        source: io::Error,
    },
    /// The API server answered, and not with what was asked for.
    #[error("the API server answers {status} to `{path}`: {said}")]
    Refused {
        /// Path and query of the request.
        path: String,
        /// The status code.
        status: u16,
        /// Its message.
        said: String,
    },
    /// The API server does not say which kinds it serves.
    #[error("what the API server says of its kinds cannot be read")]
    Discovery {
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// The cluster was given to us, and this can only be done to one that we started.
    #[error("the cluster of context `{context}` is not one that was started here")]
    NotOurs {
        /// The context in the kubeconfig.
        context: String,
    },
    /// A certificate could not be made.
    #[error("failed to make a certificate for `{name}`")]
    Certificate {
        /// The subject's name.
        name: String,
        /// Why not.
        source: rcgen::Error,
    },
    /// A line of the audit log is no event.
    #[error("line {line} of what was read of the audit log is no event")]
    Audit {
        /// Counted from the mark, from 1.
        line: usize,
        /// What is wrong with it.
        source: serde_json::Error,
    },
}

impl TestbedError {
    /// What to do about it, where something can be.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Lacking { hint, .. } => Some(hint),
            Self::Build { .. } => Some("run `cargo xtask testbed build`, which shows everything that the compiler says"),
            _ => None,
        }
    }

    pub(crate) fn file(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { doing, path, source }
    }
}
