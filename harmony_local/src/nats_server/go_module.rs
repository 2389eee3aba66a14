//! The program built from its Go module by this machine's Go toolchain.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use harmony_io::Io;
use serde::Deserialize;

use super::error::FetchError;
use super::program::{candidates, run_client};

const DOWNLOAD_LIMIT: Duration = Duration::from_secs(180);
/// Two slow cores with nothing compiled before need four minutes.
const BUILD_LIMIT: Duration = Duration::from_secs(900);

/// A downloaded module.
#[derive(Debug)]
pub(super) struct Module {
    go: PathBuf,
    directory: PathBuf,
    /// The `h1:` hash of everything in it.
    pub(super) sum: String,
}

/// Downloads the module into the user's module cache.
pub(super) async fn download_module(io: &Io, search_path: &OsStr, path: &str, version: &str) -> Result<Module, FetchError> {
    let Some(go) = candidates(io, search_path, "go").into_iter().next() else {
        return Err(FetchError::NoClient { clients: "`go`" });
    };
    let finished = run_client(io, &go, &["mod", "download", "-json", &format!("{path}@{version}")], DOWNLOAD_LIMIT).await?;
    match serde_json::from_str::<Downloaded>(&finished.stdout) {
        Ok(Downloaded { dir, sum }) => Ok(Module { go, directory: dir, sum }),
        Err(error) => {
            Err(FetchError::Client { client: go.display().to_string(), said: format!("its answer was not understood: {error}") })
        }
    }
}

/// Builds the module's root package into `program` and returns its contents. It is built in the module's own directory, so that its own
/// `go.sum`, which the module's hash covers, decides about every dependency.
pub(super) async fn build(io: &Io, module: &Module, program: &Path) -> Result<Vec<u8>, FetchError> {
    let flags = ["-trimpath", "-buildvcs=false", "-mod=readonly", "-o"].map(OsStr::new);
    let mut arguments = vec![OsStr::new("build"), OsStr::new("-C"), module.directory.as_os_str()];
    arguments.extend(flags);
    arguments.extend([program.as_os_str(), OsStr::new(".")]);
    run_client(io, &module.go, &arguments, BUILD_LIMIT).await?;
    io.find_file(program)?
        .ok_or_else(|| FetchError::Client { client: module.go.display().to_string(), said: "it built nothing".to_owned() })
}

/// What `go mod download -json` says, <https://go.dev/ref/mod#go-mod-download>.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Downloaded {
    dir: PathBuf,
    sum: String,
}
