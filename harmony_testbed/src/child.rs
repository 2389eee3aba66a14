//! Programs that end with the process that started them, however that ends.

use std::ffi::{OsStr, OsString};
use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;
use std::{fs, io};

use crate::error::TestbedError;
use crate::requirements::search_path;
use crate::waiting::{Look, wait_for};

/// The variable by which a program is told that its standard input is its lifeline (`kubernetes/life.go`).
const LIFELINE: (&str, &str) = ("HARMONY_TESTBED_LIFELINE", "stdin");
/// A program that loses its lifeline kills itself within a millisecond.
const END_LIMIT: Duration = Duration::from_secs(10);
/// How much of the end of a log an error quotes.
const LAST_LINES: usize = 5;

/// What to start.
#[derive(Debug)]
pub(crate) struct Launch {
    component: &'static str,
    command: Command,
    log: PathBuf,
    is_inside: bool,
}

/// A program that was started. Dropping it kills it, and so does the end of this process: the kernel closes the pipe that it watches.
#[derive(Debug)]
pub(crate) struct Running {
    component: &'static str,
    log: PathBuf,
    child: Child,
    lifeline: Option<ChildStdin>,
    /// Whether `child` only waits for the program, which runs in a room.
    is_inside: bool,
}

impl Launch {
    /// The component of the program `kubernetes` with these arguments; what it says goes to `COMPONENT.log` in `directory`. Its environment
    /// is empty but for a home directory in `directory`.
    pub(crate) fn component<A: AsRef<OsStr>>(
        program: &Path,
        component: &'static str,
        arguments: impl IntoIterator<Item = A>,
        directory: &Path,
    ) -> Self {
        let arguments: Vec<OsString> = arguments.into_iter().map(|argument| argument.as_ref().to_owned()).collect();
        Self::program(program, component, [OsString::from(component)].into_iter().chain(arguments), directory)
    }

    /// Any other program, likewise.
    pub(crate) fn program<A: AsRef<OsStr>>(
        program: &Path,
        component: &'static str,
        arguments: impl IntoIterator<Item = A>,
        directory: &Path,
    ) -> Self {
        let mut command = Command::new(program);
        command.args(arguments);
        Self { component, command, log: directory.join(format!("{component}.log")), is_inside: false }
    }

    /// Starts it in the room with this entrance ([`Room::entrance`](crate::room::Room::entrance)).
    pub(crate) fn inside<A: AsRef<OsStr>>(self, entrance: impl IntoIterator<Item = A>) -> Self {
        Self { is_inside: true, ..self.through("nsenter", entrance) }
    }

    /// Starts it through `wrapper`, a program that becomes the one behind its arguments, or ends it when it is killed.
    pub(crate) fn through<A: AsRef<OsStr>>(self, wrapper: &str, arguments: impl IntoIterator<Item = A>) -> Self {
        let mut command = Command::new(wrapper);
        command.args(arguments).arg(self.command.get_program()).args(self.command.get_args());
        for (name, value) in self.command.get_envs() {
            command.env(name, value.unwrap_or_default());
        }
        Self { command, ..self }
    }

    /// Gives it this variable.
    pub(crate) fn with_variable(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.command.env(name, value.into());
        self
    }

    pub(crate) fn start(mut self) -> Result<Running, TestbedError> {
        let log = open_log(&self.log).map_err(TestbedError::file("open", &self.log))?;
        let again = log.try_clone().map_err(TestbedError::file("open", &self.log))?;
        let given: Vec<(OsString, OsString)> =
            self.command.get_envs().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned()))).collect();
        let home = self.log.parent().unwrap_or(Path::new("/"));
        self.command
            .env_clear()
            .env("PATH", search_path())
            .env("HOME", home)
            .env(LIFELINE.0, LIFELINE.1)
            .envs(given)
            .current_dir("/")
            // A key pressed in our terminal is for us alone.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(log)
            .stderr(again);
        let started = self.command.spawn();
        let mut child = started.map_err(|source| TestbedError::Start { program: self.component.to_owned(), source })?;
        Ok(Running { component: self.component, log: self.log, lifeline: child.stdin.take(), child, is_inside: self.is_inside })
    }
}

impl Running {
    /// The process's number; if it was started through a wrapper that stays, the wrapper's.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// # Errors
    /// [`TestbedError::Ended`] if it has ended.
    pub(crate) fn ensure_alive(&mut self) -> Result<(), TestbedError> {
        match self.child.try_wait() {
            Ok(None) => Ok(()),
            _ => Err(TestbedError::Ended { component: self.component.to_owned(), said: last_lines(&self.log) }),
        }
    }

    /// Kills it at once (SIGKILL), and returns when it is gone. What it had begun it does not finish.
    pub(crate) fn kill(&mut self) {
        drop(self.lifeline.take());
        if self.is_inside {
            // What has no lifeline ends with the room.
            let _ = wait_for("the end of a component", END_LIMIT, || {
                let has_ended = !matches!(self.child.try_wait(), Ok(None));
                Ok(if has_ended { Look::Done(()) } else { Look::NotYet(self.component.to_owned()) })
            });
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A program that outlives this process for a moment and removes what is left: directories, control groups. Dropping it lets it do so, and
/// waits for it; it must therefore be dropped after everything that writes there.
#[derive(Debug)]
pub(crate) struct Keeper(Running);

impl Keeper {
    /// Starts it to remove `directory`, which also gets its log, and the control groups with these names.
    pub(crate) fn start(program: &Path, directory: &Path, groups: &[&str]) -> Result<Self, TestbedError> {
        let groups = groups.iter().map(|group| OsString::from(format!("cgroup={group}")));
        let things = groups.chain([directory.as_os_str().to_owned()]);
        Launch::component(program, "keeper", things, directory).start().map(Self)
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        drop(self.0.lifeline.take());
        let _ = self.0.child.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

fn open_log(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).mode(0o600).open(path)
}

/// The end of a log, in one line.
fn last_lines(log: &Path) -> String {
    let text = fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines[lines.len().saturating_sub(LAST_LINES)..].join(" | ")
}
