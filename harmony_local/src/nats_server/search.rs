//! Where to look for `nats-server`, and the look itself: it changes nothing and fetches nothing.

use std::env;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use harmony_io::Io;
use semver::Version;
use sha2::{Digest, Sha256};

use super::download::Transport;
use super::error::{Missing, NatsServerError, PassedOver};
use super::program::{candidates, version_of};
use super::sources::{Architecture, Source, pinned_sources, pinned_version};

/// 2.12.3 is the first release in which what a server has acknowledged survives its crash as documented.
const MINIMUM: Version = Version::new(2, 12, 3);

/// Whether the network may be asked for a program that is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fetching {
    /// Yes.
    Allowed,
    /// No: nothing is fetched, and no program that fetches is started.
    Forbidden,
}

/// Where to look for `nats-server`, and what will do.
#[derive(Debug, Clone)]
#[must_use]
pub struct Search {
    pub(super) explicit: Option<PathBuf>,
    pub(super) search_path: OsString,
    pub(super) cache: Option<PathBuf>,
    pub(super) fetching: Fetching,
    pub(super) minimum: Version,
    pub(super) architecture: Option<Architecture>,
    pub(super) sources: Vec<Source>,
    pub(super) transport: Transport,
}

/// How a program was come by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// It was given in code or by `HARMONY_NATS_SERVER`.
    Explicit,
    /// A directory of `PATH` holds it.
    Path,
    /// It was installed before.
    Cache,
}

/// What a look found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// A program that will do.
    Installed {
        /// The program; absolute.
        path: PathBuf,
        /// Its version.
        version: Version,
        /// How it was come by.
        origin: Origin,
    },
    /// None; [`install`](super::install) would bring one.
    Missing(Missing),
}

impl Search {
    /// As the environment says: `HARMONY_NATS_SERVER`, `PATH`, `XDG_CACHE_HOME`, `HOME`. Fetching is allowed, and 2.12.3 will do.
    pub fn from_environment() -> Self {
        let architecture = Architecture::of_this_machine();
        Self {
            explicit: env::var_os("HARMONY_NATS_SERVER").filter(|path| !path.is_empty()).map(PathBuf::from),
            search_path: env::var_os("PATH").unwrap_or_default(),
            cache: cache_directory(),
            fetching: Fetching::Allowed,
            minimum: MINIMUM,
            architecture,
            sources: architecture.map(pinned_sources).unwrap_or_default(),
            transport: Transport::Https,
        }
    }

    /// Takes exactly this program, whatever `HARMONY_NATS_SERVER` says.
    pub fn with_explicit(mut self, path: impl Into<PathBuf>) -> Self {
        self.explicit = Some(path.into());
        self
    }

    /// Installs into this directory. Default: `harmony/nats-server` in the user's cache directory.
    pub fn with_cache(mut self, directory: impl Into<PathBuf>) -> Self {
        self.cache = Some(directory.into());
        self
    }

    /// Allows or forbids fetching. Default: allowed.
    pub fn with_fetching(mut self, fetching: Fetching) -> Self {
        self.fetching = fetching;
        self
    }

    /// Takes nothing older than this. Default: 2.12.3.
    pub fn with_minimum(mut self, minimum: Version) -> Self {
        self.minimum = minimum;
        self
    }

    /// The name under which a program with this digest is installed, up to the digest.
    pub(super) fn installed_prefix(&self) -> String {
        format!("nats-server-{}-{}-", pinned_version(), env::consts::ARCH)
    }
}

/// Looks for a `nats-server` that will do. Asks programs for their version; writes nothing, fetches nothing.
///
/// # Errors
/// [`NatsServerError::NotRunnable`], [`NotNatsServer`](NatsServerError::NotNatsServer) or [`TooOld`](NatsServerError::TooOld) if an
/// explicit path will not do; [`PinnedTooOld`](NatsServerError::PinnedTooOld) if none that could be installed would;
/// [`Io`](NatsServerError::Io) if the cache directory cannot be read.
pub async fn find(io: &Io, search: &Search) -> Result<Found, NatsServerError> {
    if let Some(path) = &search.explicit {
        return find_explicit(io, path, &search.minimum).await;
    }
    let mut passed_over = Vec::new();
    for path in candidates(io, &search.search_path, "nats-server") {
        // What is in PATH and is not a nats-server that runs is as good as not there.
        let Ok(version) = version_of(io, &path).await else { continue };
        if version >= search.minimum {
            return Ok(Found::Installed { path, version, origin: Origin::Path });
        }
        passed_over.push(PassedOver { path, found: version });
    }
    let missing = Missing { version: pinned_version(), needed: search.minimum.clone(), passed_over };
    if missing.version < missing.needed {
        return Err(NatsServerError::PinnedTooOld { missing: Box::new(missing) });
    }
    Ok(match find_installed(io, search).await? {
        Some(path) => Found::Installed { path, version: missing.version, origin: Origin::Cache },
        None => Found::Missing(missing),
    })
}

/// The SHA-256 of `contents`, in lower-case hexadecimal digits.
pub(super) fn sha256(contents: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(contents))
}

async fn find_explicit(io: &Io, path: &Path, minimum: &Version) -> Result<Found, NatsServerError> {
    // Servers are started from another directory than ours.
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let version = version_of(io, &path).await?;
    if version < *minimum {
        return Err(NatsServerError::TooOld { path, found: version, needed: minimum.clone() });
    }
    Ok(Found::Installed { path, version, origin: Origin::Explicit })
}

async fn find_installed(io: &Io, search: &Search) -> Result<Option<PathBuf>, NatsServerError> {
    let Some(cache) = &search.cache else { return Ok(None) };
    let prefix = search.installed_prefix();
    for entry in io.list_directory(cache)? {
        let name = entry.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if let Some(digest) = name.strip_prefix(&prefix)
            && is_whole(io, &entry.path, digest).await?
        {
            return Ok(Some(entry.path));
        }
    }
    Ok(None)
}

/// Whether the file still is what it was when it was installed; it may be damaged, or have been being written when the machine stopped.
async fn is_whole(io: &Io, path: &Path, digest: &str) -> Result<bool, NatsServerError> {
    let (io, file, digest) = (io.clone(), path.to_owned(), digest.to_owned());
    tokio::task::spawn_blocking(move || Ok(io.find_file(&file)?.is_some_and(|contents| sha256(&contents) == digest)))
        .await
        .map_err(|stopped| NatsServerError::Stopped { path: path.to_owned(), source: io::Error::from(stopped) })?
}

/// `$XDG_CACHE_HOME` or `~/.cache` (the XDG base directory specification ignores values that are not absolute).
fn cache_directory() -> Option<PathBuf> {
    let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = absolute("XDG_CACHE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".cache")))?;
    Some(base.join("harmony").join("nats-server"))
}
