//! A site program, run without a process.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use harmony::topology::Survey;
use harmony::{Inventory, Scores};
use harmony_cli::{Exit, Interrupter, Interrupts, Invocation, Streams, Tty, Variables, interrupts, run_with};
use harmony_io::Io;
use harmony_test::Captured;
use serde_json::Value as Json;
use tempfile::TempDir;

use crate::place::{Shelf, ShelvesScore, Surveyed, Warehouse, World};

/// A site program with its own state, on a warehouse of its own.
pub(crate) struct Program {
    pub(crate) world: Arc<World>,
    pub(crate) state: TempDir,
    pub(crate) tty: Tty,
    pub(crate) input: String,
    pub(crate) variables: BTreeMap<String, String>,
    /// The way to the outside.
    pub(crate) io: Io,
    /// In columns.
    pub(crate) width: usize,
}

/// What a command said and how it ended.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) exit: Exit,
    pub(crate) output: String,
    pub(crate) messages: String,
}

impl Program {
    pub(crate) fn new() -> Self {
        Self {
            world: Arc::default(),
            state: tempfile::tempdir().unwrap(),
            tty: Tty::Pipe,
            input: String::new(),
            variables: BTreeMap::new(),
            io: Io::real(),
            width: 100,
        }
    }

    pub(crate) async fn run(&self, arguments: &str, shelves: &[Shelf]) -> Said {
        let (_interrupter, interrupts) = interrupts();
        self.run_until(arguments, scores(shelves), interrupts).await
    }

    /// Runs with a way to interrupt it.
    pub(crate) async fn run_interruptible<F: Future<Output = ()>>(
        &self,
        arguments: &str,
        shelves: &[Shelf],
        meanwhile: impl FnOnce(Interrupter) -> F,
    ) -> Said {
        let (interrupter, interrupts) = interrupts();
        let (said, ()) = tokio::join!(self.run_until(arguments, scores(shelves), interrupts), meanwhile(interrupter));
        said
    }

    pub(crate) async fn run_until(&self, arguments: &str, scores: Scores<Surveyed>, interrupts: Interrupts) -> Said {
        self.run_on(arguments, Warehouse(Arc::clone(&self.world)), scores, interrupts).await
    }

    /// Runs on any place.
    pub(crate) async fn run_on<P: Survey>(
        &self,
        arguments: &str,
        place: P,
        scores: Scores<P::Surveyed>,
        interrupts: Interrupts,
    ) -> Said {
        let (output, messages) = (Captured::default(), Captured::default());
        let mut variables = self.variables.clone();
        let base = self.state.path().to_str().unwrap();
        variables.entry("HARMONY_STATE_DIR".to_owned()).or_insert_with(|| base.to_owned());
        variables.insert("XDG_CONFIG_HOME".to_owned(), format!("{base}/configuration"));
        let streams = Streams {
            input: Box::new(io::Cursor::new(self.input.clone())),
            output: Box::new(output.clone()),
            messages: Box::new(messages.clone()),
            input_tty: self.tty,
            output_tty: Tty::Pipe,
            messages_tty: self.tty,
        };
        let invocation = Invocation {
            program: "site".to_owned(),
            arguments: arguments.split_whitespace().map(Into::into).collect(),
            variables: Variables::Given(variables),
            streams,
            width: Some(self.width),
            interrupts,
            io: self.io.clone(),
        };
        let is_json = arguments.split_whitespace().any(|argument| argument == "--json");
        let exit = run_with(invocation, Inventory::empty(), place, scores).await;
        if is_json {
            harmony_test::assert_events_conform(&output.text());
        }
        let line = format!("program.rs:{ADDED_AT}");
        let gutter = format!("{ADDED_AT} |");
        let said = |captured: Captured| timeless(&captured.text()).replace(&line, "program.rs:LINE").replace(&gutter, "LINE |");
        Said { exit, output: said(output), messages: said(messages) }
    }
}

/// The line of this file that adds the Scores.
const ADDED_AT: u32 = line!() + 5;

/// The Scores of a program that wants these shelves; none if it wants none.
pub(crate) fn scores(shelves: &[Shelf]) -> Scores<Surveyed> {
    let scores = Scores::default();
    if shelves.is_empty() { scores } else { scores.with(ShelvesScore(shelves.to_vec())) }
}

impl Said {
    /// The lines of `--json`.
    pub(crate) fn events(&self) -> Vec<Json> {
        self.output.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    pub(crate) fn summary(&self) -> Json {
        self.events().pop().unwrap()
    }
}

/// The text without durations.
fn timeless(text: &str) -> String {
    let mut out = String::new();
    for word in text.split_inclusive(' ') {
        let bare = word.trim_start_matches(['(', ' ']).trim_end();
        let is_number = bare.split_once('.').is_some_and(|(whole, part)| {
            part.len() == 1 && whole.chars().chain(part.chars()).all(|c| c.is_ascii_digit()) && !whole.is_empty()
        });
        if is_number { out.push_str(&word.replace(bare, "0.0")) } else { out.push_str(word) }
    }
    out
}
