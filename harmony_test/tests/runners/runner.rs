//! Runs as processes, and what they did.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// A directory that several machines share.
pub(crate) struct Shared(TempDir);

/// What one run is told.
pub(crate) struct Wanted<'a> {
    pub(crate) host: &'a str,
    pub(crate) words: &'a str,
    /// How long each write takes.
    pub(crate) pause: u64,
    /// For how long a lease is held; 0 for a lock alone.
    pub(crate) lease: u64,
    pub(crate) files: &'a [&'a str],
}

/// A run that has been started; it is killed when this is dropped.
pub(crate) struct Runner(Option<Child>);

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) said: String,
}

/// A line of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) what: String,
    pub(crate) number: u64,
    pub(crate) at: u128,
    pub(crate) about: String,
}

impl Shared {
    pub(crate) fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn start(&self, wanted: &Wanted<'_>) -> Runner {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lease_runner"));
        command.arg(self.path()).args([wanted.host, wanted.words, &wanted.pause.to_string(), &wanted.lease.to_string()]);
        command.args(wanted.files).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        Runner(Some(command.spawn().unwrap()))
    }

    pub(crate) fn run(&self, wanted: &Wanted<'_>) -> Ended {
        self.start(wanted).end()
    }

    pub(crate) fn log(&self) -> Vec<Line> {
        let text = fs::read_to_string(self.path().join("log")).unwrap_or_default();
        text.lines().map(Line::read).collect()
    }

    /// Waits for a line of the log.
    pub(crate) fn wait_for(&self, what: &str, about: &str) -> Line {
        let deadline = Instant::now() + Duration::from_secs(60);
        while Instant::now() < deadline {
            let found = self.log().into_iter().find(|line| line.what == what && line.about == about);
            if let Some(found) = found {
                return found;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("no line `{what} {about}` in {:?}", self.log());
    }

    /// The files that the runs make, with their contents.
    pub(crate) fn world(&self) -> BTreeMap<String, String> {
        let entries = fs::read_dir(self.path().join("world")).unwrap().map(|entry| entry.unwrap());
        entries.map(|entry| (entry.file_name().into_string().unwrap(), fs::read_to_string(entry.path()).unwrap())).collect()
    }
}

impl Runner {
    pub(crate) fn process(&self) -> u32 {
        self.0.as_ref().unwrap().id()
    }

    pub(crate) fn signal(&self, signal: &str) {
        let process = self.process().to_string();
        assert!(Command::new("kill").args([&format!("-{signal}"), &process]).status().unwrap().success());
        if signal == "STOP" {
            let stat = || fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
            while !stat().rsplit_once(')').unwrap().1.starts_with(" T") {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
    }

    pub(crate) fn end(mut self) -> Ended {
        let output = self.0.take().unwrap().wait_with_output().unwrap();
        Ended { code: output.status.code(), said: String::from_utf8(output.stderr).unwrap() }
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Line {
    fn read(line: &str) -> Self {
        let mut words = line.split(' ');
        let mut next = || words.next().unwrap().to_owned();
        let (what, number, at) = (next(), next().parse().unwrap(), next().parse().unwrap());
        Self { what, number, at, about: next() }
    }
}
