//! Programs of this machine: where `PATH` has them, and which version of nats-server one is.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use harmony_io::{EntryKind, Finished, Io, IoResult};
use semver::Version;

use super::error::{FetchError, NatsServerError};

/// Saying its version takes a nats-server some milliseconds; a machine under load gets more.
const VERSION_LIMIT: Duration = Duration::from_secs(20);

/// Everything called `name` in the directories of `search_path`, first things first. Directories that are not absolute are passed over: what
/// they hold depends on where the program was started.
pub(super) fn candidates(io: &Io, search_path: &OsStr, name: &str) -> Vec<PathBuf> {
    std::env::split_paths(search_path)
        .filter(|directory| directory.is_absolute())
        .map(|directory| directory.join(name))
        // A link may lead to a program, so only directories are certainly none. What cannot be looked at cannot be run either.
        .filter(|path| matches!(io.find_entry(path), Ok(Some(entry)) if entry.kind != EntryKind::Directory))
        .collect()
}

/// Asks the program at `path` for its version.
pub(super) async fn version_of(io: &Io, path: &Path) -> Result<Version, NatsServerError> {
    let answer = io
        .run_program(path, &["--version"], VERSION_LIMIT)
        .await
        .map_err(|source| NatsServerError::NotRunnable { path: path.to_owned(), source })?;
    parse_version(&answer.stdout).ok_or_else(|| {
        let said = [&answer.stdout, &answer.stderr].into_iter().flat_map(|text| text.lines()).next().unwrap_or_default();
        NatsServerError::NotNatsServer { path: path.to_owned(), said: said.chars().take(200).collect() }
    })
}

/// Runs a client that fetches, and returns what it said if it succeeded.
pub(super) async fn run_client<A: AsRef<OsStr>>(
    io: &Io,
    program: &Path,
    arguments: &[A],
    limit: Duration,
) -> Result<Finished, FetchError> {
    let finished: IoResult<Finished> = io.run_program(program, arguments, limit).await;
    match finished {
        Ok(finished) if finished.code == Some(0) => Ok(finished),
        Ok(finished) => Err(FetchError::Client { client: program.display().to_string(), said: last_line(&finished) }),
        Err(error) if error.source.kind() == io::ErrorKind::TimedOut => {
            Err(FetchError::Client { client: program.display().to_string(), said: format!("not done after {limit:?}") })
        }
        Err(error) => Err(error.into()),
    }
}

/// `nats-server: v2.15.1`, as every release since 2.0 prints it.
fn parse_version(said: &str) -> Option<Version> {
    said.lines().find_map(|line| line.trim().strip_prefix("nats-server: v")).and_then(|version| Version::parse(version).ok())
}

fn last_line(finished: &Finished) -> String {
    let last = |text: &str| text.lines().rev().map(str::trim).find(|line| !line.is_empty()).map(str::to_owned);
    last(&finished.stderr).or_else(|| last(&finished.stdout)).unwrap_or_else(|| match finished.code {
        Some(code) => format!("exit code {code}"),
        None => "ended by a signal".to_owned(),
    })
}
