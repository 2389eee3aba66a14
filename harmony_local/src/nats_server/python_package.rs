//! A wheel through a client of the registry of Python packages, as this machine has it configured (mirrors, proxies, certificates).

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::Duration;

use harmony_io::{Io, IoError};

use super::error::FetchError;
use super::program::{candidates, run_client};

/// Program and leading arguments, in the order in which they are tried.
const CLIENTS: [(&str, &[&str]); 4] = [("pip3", &[]), ("pip", &[]), ("python3", &["-m", "pip"]), ("uv", &["tool", "run", "pip"])];
const CLIENT_NAMES: &str = "`pip3`, `pip`, `python3 -m pip` and `uv`";
const LIMIT: Duration = Duration::from_secs(120);

/// Downloads the wheel of exactly this version for this machine into `directory`, without installing anything, and returns its contents.
pub(super) async fn download_wheel(
    io: &Io,
    search_path: &OsStr,
    name: &str,
    version: &str,
    directory: &Path,
) -> Result<Vec<u8>, FetchError> {
    for (client, leading) in CLIENTS {
        for program in candidates(io, search_path, client) {
            match run_client(io, &program, &arguments(leading, name, version, directory), LIMIT).await {
                Ok(_) => return read_wheel(io, &program, directory),
                Err(error) if is_missing(&error) => {}
                Err(error) => return Err(error),
            }
        }
    }
    Err(FetchError::NoClient { clients: CLIENT_NAMES })
}

fn arguments(leading: &[&str], name: &str, version: &str, directory: &Path) -> Vec<OsString> {
    let fixed = ["download", "--no-deps", "--only-binary=:all:", "--no-input", "--quiet", "--disable-pip-version-check"];
    // One connection attempt of ten seconds and one more: an unreachable registry must not hold up the next source for minutes.
    let limits = ["--timeout=10", "--retries=1", "--dest"];
    let mut arguments: Vec<OsString> = leading.iter().chain(&fixed).chain(&limits).map(OsString::from).collect();
    arguments.push(directory.into());
    arguments.push(format!("{name}=={version}").into());
    arguments
}

fn read_wheel(io: &Io, program: &Path, directory: &Path) -> Result<Vec<u8>, FetchError> {
    let is_wheel = |path: &PathBuf| path.extension() == Some(OsStr::new("whl"));
    let wheel = io.list_directory(directory)?.into_iter().map(|entry| entry.path).find(is_wheel);
    match wheel.map(|path| io.find_file(&path)).transpose()?.flatten() {
        Some(contents) => Ok(contents),
        None => Err(FetchError::Client { client: program.display().to_string(), said: "no wheel was downloaded".to_owned() }),
    }
}

/// Whether the client is there only by name: an interpreter without pip, or a launcher that finds nothing to launch (exit code 127).
fn is_missing(error: &FetchError) -> bool {
    match error {
        FetchError::Client { said, .. } => {
            said.contains("No module named pip") || said.contains("command not found") || said == "exit code 127"
        }
        FetchError::Io(IoError { source, .. }) => {
            matches!(source.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::PermissionDenied)
        }
        _ => false,
    }
}
