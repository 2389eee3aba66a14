//! A site program run as its users run it: as a process, with a state directory, an identity and an environment of its own.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value as Json;
use tempfile::TempDir;

use crate::events::assert_events_conform;

/// A site program in a world of its own; what it started is stopped when this is dropped.
pub struct SiteProgram {
    binary: PathBuf,
    world: TempDir,
    variables: Vec<(String, OsString)>,
}

/// What one run of a program printed, and how it ended.
#[derive(Debug, Clone)]
pub struct Finished {
    /// The exit code; -1 if a signal ended it.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl SiteProgram {
    /// The program at `binary`: `SiteProgram::new(env!("CARGO_BIN_EXE_name"))`.
    ///
    /// # Panics
    /// If no temporary directory can be made.
    #[must_use]
    pub fn new(binary: &str) -> Self {
        let world = tempfile::Builder::new().prefix("harmony-test-").tempdir().expect("a temporary directory");
        Self { binary: binary.into(), world, variables: Vec::new() }
    }

    /// The same with a variable in its environment.
    #[must_use]
    pub fn with_variable(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.variables.push((name.to_owned(), value.into()));
        self
    }

    /// Where it keeps its state.
    ///
    /// # Panics
    /// If the binary has no name.
    #[must_use]
    pub fn state(&self) -> PathBuf {
        let name = self.binary.file_stem().and_then(OsStr::to_str).expect("a name");
        self.world.path().join("state").join(name)
    }

    /// Where its identity is.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        self.world.path().join("config")
    }

    /// The program with these arguments, in its world, not yet started. It has no terminal.
    #[must_use]
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command
            .args(arguments)
            .env("HARMONY_STATE_DIR", self.world.path().join("state"))
            .env("XDG_CONFIG_HOME", self.config())
            .env("NO_COLOR", "1")
            .env_remove("RUST_LOG")
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null());
        command
    }

    /// Runs it to its end. With `--json` every line has to be as published.
    ///
    /// # Panics
    /// If it cannot be started, or writes an event that is not as published.
    #[must_use]
    pub fn run(&self, arguments: &[&str]) -> Finished {
        finished(&mut self.command(arguments))
    }

    /// Runs it to its end, which has to be this exit code.
    ///
    /// # Panics
    /// If it ends otherwise; all that it printed is in the message.
    pub fn expect(&self, arguments: &[&str], code: i32) -> Finished {
        let finished = self.run(arguments);
        assert_eq!(finished.code, code, "{arguments:?} ended with {}\n{}\n{}", finished.code, finished.stdout, finished.stderr);
        finished
    }

    /// The processes that were started with a file of this world.
    #[must_use]
    pub fn processes(&self) -> Vec<(u32, String)> {
        let here = self.world.path().display().to_string();
        let numbers = fs::read_dir("/proc").into_iter().flatten().flatten();
        let named = numbers.filter_map(|entry| entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()));
        named.filter_map(|number| Some((number, command_line(number)?))).filter(|(_, line)| line.contains(&here)).collect()
    }

    /// The process of the server of this name.
    #[must_use]
    pub fn server(&self, name: &str) -> Option<u32> {
        let directory = format!("/{name}/nats.conf");
        self.processes().into_iter().find(|(_, line)| line.contains(&directory)).map(|(number, _)| number)
    }

    /// Everything below its state directory: paths relative to it, contents and times of last change.
    #[must_use]
    pub fn snapshot(&self) -> Vec<(PathBuf, Vec<u8>, std::time::SystemTime)> {
        let mut found = Vec::new();
        collect(&self.state(), &self.state(), &mut found);
        found.sort();
        found
    }
}

impl Drop for SiteProgram {
    fn drop(&mut self) {
        for (number, _) in self.processes() {
            let _ = Command::new("kill").args(["-KILL", &number.to_string()]).status();
        }
    }
}

impl Finished {
    /// The lines of `--json`, each parsed.
    ///
    /// # Panics
    /// If a line is not JSON.
    #[must_use]
    pub fn events(&self) -> Vec<Json> {
        self.stdout.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {line}"))).collect()
    }

    /// The last line of `--json`.
    ///
    /// # Panics
    /// If there is none, or it is no summary.
    #[must_use]
    pub fn summary(&self) -> Json {
        let last = self.events().pop().unwrap_or_else(|| panic!("no event in {self:?}"));
        assert_eq!(last["event"], "summary", "{last}");
        last
    }

    /// Standard output and standard error, one after the other.
    #[must_use]
    pub fn output(&self) -> String {
        format!("{}\n{}", self.stdout, self.stderr)
    }
}

fn finished(command: &mut Command) -> Finished {
    let output = command.output().unwrap_or_else(|error| panic!("failed to start {command:?}: {error}"));
    let finished = Finished {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    };
    // What a signal has cut off is whole nowhere.
    if finished.code >= 0 && command.get_args().any(|argument| argument == "--json") {
        assert_events_conform(&finished.stdout);
    }
    finished
}

fn command_line(process: u32) -> Option<String> {
    let bytes = fs::read(format!("/proc/{process}/cmdline")).ok()?;
    let line = String::from_utf8_lossy(&bytes).replace('\0', " ");
    (process != std::process::id() && !line.is_empty()).then_some(line)
}

fn collect(root: &Path, directory: &Path, found: &mut Vec<(PathBuf, Vec<u8>, std::time::SystemTime)>) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(root, &path, found);
            continue;
        }
        let changed = entry.metadata().and_then(|metadata| metadata.modified()).unwrap_or(std::time::UNIX_EPOCH);
        let relative = path.strip_prefix(root).unwrap_or(&path).to_owned();
        found.push((relative, fs::read(&path).unwrap_or_default(), changed));
    }
}
