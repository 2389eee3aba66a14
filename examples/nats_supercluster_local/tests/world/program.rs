//! A site program of a test's own Scores on this machine, run in this process, with its state in a temporary directory.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test that cannot go on ends")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::Duration;

use harmony::{Inventory, Scores};
use harmony_cli::{Interrupts, Invocation, Streams, Variables, interrupts, run_with};
use harmony_io::Io;
use harmony_local::{LocalPlace, LocalTopology, WithNats};
use harmony_test::Captured;
use tempfile::TempDir;

/// The program in its world; what it started is stopped when this is dropped.
pub(crate) struct Program {
    name: &'static str,
    world: TempDir,
    said: Mutex<String>,
}

impl Program {
    pub(crate) fn new(name: &'static str) -> Self {
        Self { name, world: tempfile::Builder::new().prefix("harmony-test-").tempdir().unwrap(), said: Mutex::default() }
    }

    /// Where it keeps its state.
    pub(crate) fn state(&self) -> PathBuf {
        self.world.path().join("state").join(self.name)
    }

    /// Everything that it has said.
    pub(crate) fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    /// Runs it to its end, which has to be this exit code. What it said.
    pub(crate) async fn run(&self, scores: Scores<LocalPlace<WithNats>>, arguments: &str, code: u8) -> String {
        let (_interrupter, interrupts) = interrupts();
        let captured = Captured::default();
        self.run_with(scores, arguments, interrupts, &captured, code).await
    }

    /// Runs it, and interrupts it once it has said `words`. What it said.
    pub(crate) async fn run_until(&self, scores: Scores<LocalPlace<WithNats>>, arguments: &str, words: &str) -> String {
        let (interrupter, interrupts) = interrupts();
        let captured = Captured::default();
        let interrupt = async {
            while !captured.text().contains(words) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            interrupter.interrupt();
            std::future::pending::<()>().await;
        };
        tokio::select! {
            said = self.run_with(scores, arguments, interrupts, &captured, 130) => said,
            () = interrupt => unreachable!("it waits for ever"),
        }
    }

    async fn run_with(
        &self,
        scores: Scores<LocalPlace<WithNats>>,
        arguments: &str,
        interrupts: Interrupts,
        captured: &Captured,
        code: u8,
    ) -> String {
        let messages = Captured::default();
        let invocation = Invocation {
            program: self.name.to_owned(),
            arguments: arguments.split_whitespace().map(Into::into).collect(),
            variables: Variables::Given(self.variables()),
            streams: Streams::without_terminal(captured.clone(), messages.clone()),
            width: Some(160),
            interrupts,
            io: Io::real(),
        };
        let place = LocalTopology::new("laptop").with_nats(harmony_nats::client());
        let began = std::time::Instant::now();
        let exit = run_with(invocation, Inventory::empty(), place, scores).await;
        println!("{arguments}: {code} after {:.1?}", began.elapsed());
        let said = captured.text() + &messages.text();
        self.said.lock().unwrap().push_str(&said);
        assert_eq!(exit.code(), code, "{arguments}\n{said}");
        said
    }

    fn variables(&self) -> BTreeMap<String, String> {
        let path = |name: &str| self.world.path().join(name).display().to_string();
        [("HARMONY_STATE_DIR", path("state")), ("XDG_CONFIG_HOME", path("config"))]
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }

    /// Every file of its state, with its content.
    pub(crate) fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut found = Vec::new();
        collect(&self.state(), &mut found);
        found
    }

    /// The process of the server of this name.
    pub(crate) fn server(&self, name: &str) -> Option<u32> {
        let directory = format!("/{name}/nats.conf");
        self.processes().into_iter().find(|(_, line)| line.contains(&directory)).map(|(number, _)| number)
    }

    /// The processes that were started with a file of this world.
    pub(crate) fn processes(&self) -> Vec<(u32, String)> {
        let here = self.world.path().display().to_string();
        let numbers = fs::read_dir("/proc").unwrap().flatten();
        let numbers = numbers.filter_map(|entry| entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()));
        let line = |number: u32| {
            let bytes = fs::read(format!("/proc/{number}/cmdline")).ok()?;
            Some((number, String::from_utf8_lossy(&bytes).replace('\0', " ")))
        };
        numbers.filter_map(line).filter(|(_, line)| line.contains(&here)).collect()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        for (number, _) in self.processes() {
            let _ = Command::new("kill").args(["-KILL", &number.to_string()]).status();
        }
    }
}

fn collect(directory: &Path, found: &mut Vec<(PathBuf, Vec<u8>)>) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, found);
        } else {
            let content = fs::read(&path).unwrap_or_default();
            found.push((path, content));
        }
    }
}
