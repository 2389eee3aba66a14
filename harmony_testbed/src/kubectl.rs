//! `kubectl` for a cluster of the testbed.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::error::TestbedError;
use crate::programs::Programs;

/// `kubectl` with a kubeconfig: the peer that others use, and the quickest way for a test to look from outside.
#[derive(Debug, Clone)]
pub struct Kubectl {
    program: PathBuf,
    kubeconfig: PathBuf,
    home: PathBuf,
}

impl Kubectl {
    /// It caches what it has discovered in `home`.
    pub(crate) fn new(programs: &Programs, kubeconfig: &Path, home: &Path) -> Self {
        Self { program: programs.kubernetes.clone(), kubeconfig: kubeconfig.to_owned(), home: home.to_owned() }
    }

    /// The same with another kubeconfig.
    #[must_use]
    pub fn with_kubeconfig(mut self, path: &Path) -> Self {
        self.kubeconfig = path.to_owned();
        self
    }

    /// The command, to which arguments can be added.
    #[must_use]
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.arg("kubectl").env("KUBECONFIG", &self.kubeconfig).env("HOME", &self.home);
        command
    }

    /// What it writes when it is called with these arguments.
    ///
    /// # Errors
    /// [`TestbedError::Command`] if it fails, with what it says.
    pub fn run(&self, arguments: &[&str]) -> Result<String, TestbedError> {
        self.run_with_input(arguments, "")
    }

    /// The same, reading `input`, such as the objects for `apply -f -`.
    ///
    /// # Errors
    /// [`TestbedError::Command`] if it fails, with what it says.
    pub fn run_with_input(&self, arguments: &[&str], input: &str) -> Result<String, TestbedError> {
        let failed = |source| TestbedError::Start { program: "kubectl".to_owned(), source };
        let mut command = self.command();
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(failed)?;
        if let Some(mut stdin) = child.stdin.take() {
            // It may end without having read everything, and then says why.
            let _ = stdin.write_all(input.as_bytes());
        }
        let output = child.wait_with_output().map_err(failed)?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Err(TestbedError::Command { command: format!("kubectl {}", arguments.join(" ")), said })
    }
}
