//! Namespaces of the kernel in which everything ends at once.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::child::{Launch, Running};
use crate::error::TestbedError;
use crate::requirements::search_path;
use crate::waiting::{Look, wait_for};

const LIMIT: Duration = Duration::from_secs(30);

/// Processes, mounts and a network of their own, without any way out. When its first process ends, or this process does, the kernel ends
/// every other process in it, and with the last one mounts and network are gone.
#[derive(Debug)]
pub(crate) struct Room {
    /// Dropping it ends everything in the room.
    _leader: Running,
    /// The leader's number outside.
    process: u32,
}

impl Room {
    /// A room in which each `(source, target)` shows what is at `source` in place of what was at `target`. `directory` gets its log.
    pub(crate) fn open(program: &Path, directory: &Path, places: &[(PathBuf, PathBuf)]) -> Result<Self, TestbedError> {
        let places = places.iter().map(|(source, target)| format!("{}:{}", source.display(), target.display()));
        let log = directory.join("leader.log");
        let leader = Launch::component(program, "leader", places, directory);
        let separate = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];
        let mut leader = leader.through("unshare", separate).start()?;
        let process = wait_for("a room of namespaces", LIMIT, || {
            leader.ensure_alive()?;
            let is_leading = fs::read_to_string(&log).is_ok_and(|said| said.contains("leading"));
            let child = child_of(leader.id()).filter(|_| is_leading);
            Ok(child.map_or_else(|| Look::NotYet("its first process is starting".to_owned()), Look::Done))
        })?;
        Ok(Self { _leader: leader, process })
    }

    /// The first process, by its number outside; `ip` takes it as the name of the network namespace.
    pub(crate) fn process(&self) -> u32 {
        self.process
    }

    /// What `nsenter` is told to enter it.
    pub(crate) fn entrance(&self) -> [String; 4] {
        [format!("--target={}", self.process), "--net".to_owned(), "--mount".to_owned(), "--pid".to_owned()]
    }

    /// Runs a program in it to its end, and returns what it wrote.
    pub(crate) fn run<A: AsRef<OsStr>>(&self, program: &str, arguments: &[A]) -> Result<String, TestbedError> {
        let mut all: Vec<&OsStr> = Vec::new();
        let entrance = self.entrance();
        all.extend(entrance.iter().map(OsStr::new));
        all.push(OsStr::new(program));
        all.extend(arguments.iter().map(AsRef::as_ref));
        run("nsenter", &all)
    }
}

/// Runs a program to its end, and returns what it wrote.
pub(crate) fn run<A: AsRef<OsStr>>(program: &str, arguments: &[A]) -> Result<String, TestbedError> {
    let output = Command::new(program)
        .args(arguments)
        .env("PATH", search_path())
        .stdin(Stdio::null())
        .output()
        .map_err(|source| TestbedError::Start { program: program.to_owned(), source })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let words = arguments.iter().map(|argument| argument.as_ref().to_string_lossy().into_owned());
    let command = std::iter::once(program.to_owned()).chain(words).collect::<Vec<_>>().join(" ");
    Err(TestbedError::Command { command, said: String::from_utf8_lossy(&output.stderr).trim().to_owned() })
}

/// The only child of a process that has one thread.
fn child_of(process: u32) -> Option<u32> {
    let children = fs::read_to_string(format!("/proc/{process}/task/{process}/children")).ok()?;
    children.split_whitespace().next()?.parse().ok()
}
