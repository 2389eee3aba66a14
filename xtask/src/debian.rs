//! Packages of Debian, where this is one and we may install them.

use std::path::Path;
use std::process::Command;

/// Installs these packages, and returns whether they are there now.
pub(crate) fn install_packages(packages: &[&str]) -> bool {
    if !Path::new("/usr/bin/apt-get").exists() || !is_root() {
        return false;
    }
    let apt = |arguments: &[&str]| {
        let status = Command::new("/usr/bin/apt-get").args(arguments).env("DEBIAN_FRONTEND", "noninteractive").status();
        status.is_ok_and(|status| status.success())
    };
    let install = [["install", "--quiet", "--yes", "--no-install-recommends"].as_slice(), packages].concat();
    apt(&["update", "--quiet"]) && apt(&install)
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n")
}
