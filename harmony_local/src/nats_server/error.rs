//! Why there is no `nats-server` to run.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::PathBuf;

use harmony_io::IoError;
use semver::Version;

/// No `nats-server` could be found or installed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NatsServerError {
    /// The program that was explicitly asked for cannot be run.
    #[error("failed to run `{path}`")]
    NotRunnable {
        /// The program.
        path: PathBuf,
        /// Why.
        source: IoError,
    },
    /// The program does not say which version of nats-server it is.
    #[error("`{path}` is not a nats-server: asked for its version it said `{said}`")]
    NotNatsServer {
        /// The program.
        path: PathBuf,
        /// The first line of its answer.
        said: String,
    },
    /// The program that was explicitly asked for is older than what is needed.
    #[error("`{path}` is nats-server {found}, and at least {needed} is needed")]
    TooOld {
        /// The program.
        path: PathBuf,
        /// Its version.
        found: Version,
        /// The least version that will do.
        needed: Version,
    },
    /// More is needed than the version that can be installed.
    #[error("at least nats-server {} is needed, and {} is what can be installed{}", .missing.needed, .missing.version, and_passed_over(.missing))]
    PinnedTooOld {
        /// What there is not.
        missing: Box<Missing>,
    },
    /// It would have to be fetched, and fetching is forbidden.
    #[error("nats-server {} is not installed, and fetching it is forbidden (offline){}", .missing.version, and_passed_over(.missing))]
    Offline {
        /// What there is not.
        missing: Box<Missing>,
    },
    /// No source has anything for this machine's system and processor.
    #[error("nats-server {} cannot be installed on {platform}{}", .missing.version, and_passed_over(.missing))]
    UnknownPlatform {
        /// What there is not.
        missing: Box<Missing>,
        /// System and processor, as in `linux-riscv64`.
        platform: String,
    },
    /// There is no directory to install into.
    #[error("nats-server {version} has no directory to be installed in: neither XDG_CACHE_HOME nor HOME is an absolute path")]
    NoCache {
        /// The version that would have been installed.
        version: Version,
    },
    /// No source could be reached.
    #[error("failed to fetch nats-server {}: {}{}", .missing.version, listed(.failures), and_passed_over(.missing))]
    NoSource {
        /// What there is not.
        missing: Box<Missing>,
        /// Each source and why it gave nothing, in the order in which they were tried.
        failures: Vec<SourceFailure>,
    },
    /// A source delivered something else than what is pinned. No other source is tried.
    #[error("{origin} delivered other contents than the pinned ones: wanted {wanted}, found {found}")]
    WrongDigest {
        /// The source.
        origin: String,
        /// The pinned digest.
        wanted: String,
        /// The digest of what came.
        found: String,
    },
    /// What a source delivered, though it is what is pinned, holds no such entry.
    #[error("{origin} holds no entry `{entry}`")]
    NoEntry {
        /// The source.
        origin: String,
        /// The entry that should be the program.
        entry: String,
    },
    /// What a source delivered, though it is what is pinned, could not be unpacked.
    #[error("failed to unpack {origin}")]
    Unpack {
        /// The source.
        origin: String,
        /// Why.
        source: io::Error,
    },
    /// The cache directory, or something in it, could not be used.
    #[error(transparent)]
    Io(#[from] IoError),
    /// The run was stopped while a file was being read.
    #[error("stopped while reading `{path}`")]
    Stopped {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// That there is no `nats-server` that will do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// The version that would be installed.
    pub version: Version,
    /// The least version that will do.
    pub needed: Version,
    /// What was found in `PATH` and is too old.
    pub passed_over: Vec<PassedOver>,
}

/// A program in `PATH` that is too old.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassedOver {
    /// The program.
    pub path: PathBuf,
    /// Its version.
    pub found: Version,
}

/// A source that gave nothing.
#[derive(Debug)]
pub struct SourceFailure {
    /// The source, in words.
    pub origin: String,
    /// Why.
    pub error: FetchError,
}

/// Why a source gave nothing; the next one is tried.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// The download failed or broke off.
    #[error("failed to download")]
    Download {
        /// Why.
        source: io::Error,
    },
    /// Without root certificates no server can be trusted.
    #[error("no root certificates on this machine")]
    NoCertificates,
    /// None of the programs that can fetch from this source is on this machine.
    #[error("none of {clients} is in PATH")]
    NoClient {
        /// The programs.
        clients: &'static str,
    },
    /// The program that fetches from this source failed.
    #[error("`{client}` failed: {said}")]
    Client {
        /// The program.
        client: String,
        /// Its last words.
        said: String,
    },
    /// A primitive failed.
    #[error(transparent)]
    Io(#[from] IoError),
}

impl NatsServerError {
    /// What a user can do about it, if the kind of failure tells.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NotRunnable { .. } | Self::NotNatsServer { .. } | Self::TooOld { .. } => {
                "set HARMONY_NATS_SERVER to a nats-server that is new enough, or unset it to have one installed".to_owned()
            }
            Self::PinnedTooOld { missing, .. }
            | Self::UnknownPlatform { missing, .. }
            | Self::NoSource { missing, .. }
            | Self::Offline { missing, .. } => {
                format!(
                    "install nats-server {} or newer in a directory of PATH, or set HARMONY_NATS_SERVER to one",
                    missing.needed
                )
            }
            Self::NoCache { .. } => "set HOME or XDG_CACHE_HOME, or set HARMONY_NATS_SERVER to a nats-server".to_owned(),
            Self::WrongDigest { .. } => {
                "find out who changed what is delivered; until then set HARMONY_NATS_SERVER to a nats-server that you trust"
                    .to_owned()
            }
            Self::NoEntry { .. } | Self::Unpack { .. } => {
                "set HARMONY_NATS_SERVER to a nats-server, and report this as a defect of Harmony".to_owned()
            }
            Self::Io(error) => return error.hint().map(str::to_owned),
            Self::Stopped { .. } => return None,
        })
    }
}

impl fmt::Display for SourceFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.origin, self.error)?;
        let mut cause = self.error.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

fn listed(failures: &[SourceFailure]) -> String {
    failures.iter().map(SourceFailure::to_string).collect::<Vec<_>>().join("; ")
}

fn and_passed_over(missing: &Missing) -> String {
    let all = missing.passed_over.iter();
    all.map(|PassedOver { path, found }| format!("; `{}` is {found}, and at least {} is needed", path.display(), missing.needed))
        .collect()
}
