//! Processes: started so that they outlive us, found again without mistaking another for them, signalled, stopped.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{self, Signal as NixSignal};
use nix::unistd::Pid;

use crate::error::{IoError, IoResult};
use crate::faults::{Io, Operation};

/// A process of this machine as the kernel numbers it. Numbers are used again: compare the [`StartTime`] too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ProcessId(pub u32);

impl fmt::Display for ProcessId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// When a process started, in clock ticks since the machine did (field 22 of `/proc/PID/stat`, proc(5)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct StartTime(pub u64);

/// What a process can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Stop in good order (SIGTERM).
    Terminate,
    /// Stop at once (SIGKILL).
    Kill,
}

/// What is read of a process's command line: more than any that we start.
const LONGEST_COMMAND_LINE: u64 = 64 * 1024;

/// What a program that ran to its end said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// The exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

impl Io {
    /// Starts `program` in a process group of its own, so that neither our end nor a key pressed in our terminal ends it; its output is
    /// appended to `log`. Its environment is empty: nothing of ours reaches it.
    ///
    /// # Errors
    /// [`IoError`] if the log cannot be opened or the program cannot be started.
    pub fn spawn_detached<A: AsRef<OsStr>>(&self, program: &Path, arguments: &[A], log: &Path) -> IoResult<ProcessId> {
        let out = self.run(Operation::Create, &log.display().to_string(), || open_log(log))?;
        let child = self.run(Operation::Spawn, &program.display().to_string(), || {
            Command::new(program)
                .args(arguments)
                .env_clear()
                .current_dir("/")
                .stdin(Stdio::null())
                .stdout(out.try_clone()?)
                .stderr(out)
                .process_group(0)
                .spawn()
        })?;
        let process = ProcessId(child.id());
        reap_when_it_ends(child);
        Ok(process)
    }

    /// Runs `program` to its end, which must come within `limit`, and returns what it said. It has this process's environment, without
    /// the secrets in it (`HARMONY_SECRET_*`), and a process group of its own: a key pressed in our terminal does not end it.
    ///
    /// # Errors
    /// [`IoError`] if it cannot be started, or had to be killed because it was too slow (kind `TimedOut`).
    pub async fn run_program<A: AsRef<OsStr>>(&self, program: &Path, arguments: &[A], limit: Duration) -> IoResult<Finished> {
        let target = program.display().to_string();
        let mut command = tokio::process::Command::new(program);
        for variable in secret_variables() {
            command.env_remove(variable);
        }
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.process_group(0).kill_on_drop(true);
        let child = self.run(Operation::Spawn, &target, || spawn_when_written(|| command.spawn()))?;
        let failed = |source| IoError::named(Operation::Spawn, &target, source);
        let output = tokio::time::timeout(limit, child.wait_with_output())
            .await
            .map_err(|_| failed(io::ErrorKind::TimedOut.into()))?
            .map_err(failed)?;
        Ok(Finished {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }

    /// The processes of this machine that were started with exactly these arguments behind the program's name.
    ///
    /// # Errors
    /// [`IoError`] if `/proc` cannot be listed.
    pub fn find_processes_with<A: AsRef<OsStr>>(&self, arguments: &[A]) -> IoResult<Vec<ProcessId>> {
        let mut found = Vec::new();
        for entry in self.list_directory(Path::new("/proc"))? {
            let name = entry.path.file_name().and_then(OsStr::to_str).unwrap_or_default();
            let Ok(process) = name.parse().map(ProcessId) else { continue };
            // A process may end, or not be ours to look at, at any time.
            if self.has_arguments(process, arguments).unwrap_or(false) {
                found.push(process);
            }
        }
        Ok(found)
    }

    /// Whether the process was started with exactly these arguments behind the program's name.
    ///
    /// # Errors
    /// [`IoError`] if the process may not be looked at.
    pub fn has_arguments<A: AsRef<OsStr>>(&self, process: ProcessId, arguments: &[A]) -> IoResult<bool> {
        let path = Path::new("/proc").join(process.to_string()).join("cmdline");
        let Some(line) = self.find_start_of_file(&path, LONGEST_COMMAND_LINE)? else { return Ok(false) };
        let wanted: Vec<u8> =
            arguments.iter().flat_map(|argument| [argument.as_ref().as_encoded_bytes(), b"\0"].concat()).collect();
        Ok(line.iter().position(|byte| *byte == 0).is_some_and(|end| line[end + 1..] == wanted))
    }

    /// When the process started; `None` if there is no such process, or only its remains (a zombie), which hold nothing open any more.
    ///
    /// # Errors
    /// [`IoError`] if `/proc` cannot be read.
    pub fn find_process(&self, process: ProcessId) -> IoResult<Option<StartTime>> {
        let stat = self.find_start_of_file(&Path::new("/proc").join(process.to_string()).join("stat"), 4096);
        match stat {
            Ok(Some(stat)) => Ok(start_time(&String::from_utf8_lossy(&stat))),
            Ok(None) => Ok(None),
            // The process ended between opening and reading.
            Err(error) if error.source.raw_os_error() == Some(Errno::ESRCH as i32) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether the process that started at `started` is stopped (SIGSTOP, or a debugger holds it): it lives, and does nothing.
    ///
    /// # Errors
    /// [`IoError`] if `/proc` cannot be read.
    pub fn is_stopped(&self, process: ProcessId, started: StartTime) -> IoResult<bool> {
        let stat = self.find_start_of_file(&Path::new("/proc").join(process.to_string()).join("stat"), 4096)?;
        let stat = String::from_utf8_lossy(&stat.unwrap_or_default()).into_owned();
        Ok(start_time(&stat) == Some(started) && state_of(&stat).is_some_and(|state| ["T", "t"].contains(&state)))
    }

    /// Signals the process, if it is still the one that started at `started`. Returns whether it was there.
    ///
    /// # Errors
    /// [`IoError`] if it is there and may not be signalled.
    pub fn signal(&self, process: ProcessId, started: StartTime, signal: Signal) -> IoResult<bool> {
        if self.find_process(process)? != Some(started) {
            return Ok(false);
        }
        let signal = match signal {
            Signal::Terminate => NixSignal::SIGTERM,
            Signal::Kill => NixSignal::SIGKILL,
        };
        let number = i32::try_from(process.0).unwrap_or(i32::MAX);
        self.run(Operation::Signal, &format!("process {process}"), || match signal::kill(Pid::from_raw(number), signal) {
            Ok(()) => Ok(true),
            Err(Errno::ESRCH) => Ok(false),
            Err(errno) => Err(errno.into()),
        })
    }

    /// Stops the process that started at `started`: asks it to, and kills it if it has not gone after `patience`.
    ///
    /// # Errors
    /// [`IoError`] if it may not be signalled, or is still there `patience` after having been killed (kind `TimedOut`).
    pub async fn stop_process(&self, process: ProcessId, started: StartTime, patience: Duration) -> IoResult<()> {
        for signal in [Signal::Terminate, Signal::Kill] {
            if !self.signal(process, started, signal)? || self.wait_for_end(process, started, patience).await? {
                return Ok(());
            }
        }
        Err(IoError::named(Operation::Signal, &format!("process {process}"), io::ErrorKind::TimedOut.into()))
    }

    async fn wait_for_end(&self, process: ProcessId, started: StartTime, patience: Duration) -> IoResult<bool> {
        let deadline = Instant::now() + patience;
        let mut pause = Duration::from_millis(5);
        while Instant::now() < deadline {
            if self.find_process(process)? != Some(started) {
                return Ok(true);
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(100));
        }
        Ok(false)
    }
}

fn open_log(log: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).mode(0o600).open(log)
}

/// Tries again for a moment while the program counts as being written: a process that another thread is just starting can hold what
/// that thread had open, and so a file that has been written, closed and renamed is still busy until it has begun its own program.
fn spawn_when_written<C>(mut spawn: impl FnMut() -> io::Result<C>) -> io::Result<C> {
    for _ in 0..20 {
        match spawn() {
            Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy => std::thread::sleep(Duration::from_millis(5)),
            spawned => return spawned,
        }
    }
    spawn()
}

/// A child that ends while we live would stay as a zombie until somebody asks for its end.
fn reap_when_it_ends(mut child: std::process::Child) {
    std::thread::spawn(move || child.wait());
}

/// Field 22 of the line, counted behind the command's name, which may itself hold spaces and parentheses.
///
/// Dead is a process only when the last of its threads (field 20) is: while one is left, what the process holds open is still open, though
/// its first thread may be a zombie already. A server's ports are free a moment later than that.
pub(crate) fn start_time(stat: &str) -> Option<StartTime> {
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let (state, threads, started) = (fields.first()?, fields.get(17)?, fields.get(19)?.parse().ok()?);
    let is_dead = ["Z", "X"].contains(state) && ["0", "1"].contains(threads);
    (!is_dead).then_some(StartTime(started))
}

/// Field 3 of the line: what the process is doing, as one letter.
fn state_of(stat: &str) -> Option<&str> {
    stat.rsplit_once(')')?.1.split_whitespace().next()
}

/// Ends this process as a kill would: nothing is flushed, no destructor runs.
pub(crate) fn die() -> ! {
    let _ = signal::kill(Pid::this(), NixSignal::SIGKILL);
    std::process::abort()
}

/// The variables that give secrets to this process, and to no other.
fn secret_variables() -> impl Iterator<Item = OsString> {
    let names = std::env::vars_os().map(|(name, _)| name);
    names.filter(|name| name.as_encoded_bytes().starts_with(b"HARMONY_SECRET_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn start_time_is_found_behind_any_command_name() {
        let stat = "42 (a) b (c)) S 1 42 42 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 98765 1 2 3";
        assert_eq!(start_time(stat), Some(StartTime(98765)));
        assert_eq!(start_time(&stat.replace(" S ", " Z ")), None);
        assert_eq!(
            start_time(&stat.replace(" S ", " Z ").replace("20 0 1 0", "20 0 4 0")),
            Some(StartTime(98765)),
            "it still ends"
        );
        assert_eq!(start_time("nonsense"), None);
    }
}
