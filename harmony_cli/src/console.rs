//! The three streams of a command, and the one row at the bottom of the terminal that is redrawn.

use std::io::{self, BufRead, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Whether a stream is a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tty {
    /// It is.
    Terminal,
    /// It is a file, a pipe or nothing.
    Pipe,
}

/// The streams that a command uses.
pub struct Streams {
    /// Answers and secrets are read from here.
    pub input: Box<dyn BufRead + Send>,
    /// Data goes here: plans, renderings, `--json`.
    pub output: Box<dyn Write + Send>,
    /// Progress, errors and questions go here.
    pub messages: Box<dyn Write + Send>,
    /// Whether `input` is a terminal.
    pub input_tty: Tty,
    /// Whether `output` is a terminal.
    pub output_tty: Tty,
    /// Whether `messages` is a terminal.
    pub messages_tty: Tty,
}

impl Streams {
    /// Nothing to read, no terminal, and these to write to.
    #[must_use]
    pub fn without_terminal(output: impl Write + Send + 'static, messages: impl Write + Send + 'static) -> Self {
        Self {
            input: Box::new(io::empty()),
            output: Box::new(output),
            messages: Box::new(messages),
            input_tty: Tty::Pipe,
            output_tty: Tty::Pipe,
            messages_tty: Tty::Pipe,
        }
    }

    /// Those of the process.
    #[must_use]
    pub fn of_process() -> Self {
        use std::io::IsTerminal;
        let tty = |is_terminal| if is_terminal { Tty::Terminal } else { Tty::Pipe };
        Self {
            input_tty: tty(io::stdin().is_terminal()),
            output_tty: tty(io::stdout().is_terminal()),
            messages_tty: tty(io::stderr().is_terminal()),
            input: Box::new(io::BufReader::new(io::stdin())),
            output: Box::new(io::stdout()),
            messages: Box::new(io::stderr()),
        }
    }
}

/// The streams, shared: whoever writes a line takes the bottom row away first and puts it back afterwards.
#[derive(Clone)]
pub(crate) struct Console {
    inner: Arc<Mutex<Inner>>,
    input: Arc<Mutex<Box<dyn BufRead + Send>>>,
    pub(crate) input_tty: Tty,
    pub(crate) output_tty: Tty,
    pub(crate) messages_tty: Tty,
}

struct Inner {
    output: Box<dyn Write + Send>,
    messages: Box<dyn Write + Send>,
    row: String,
    failed: Option<io::Error>,
}

const CLEAR_ROW: &str = "\r\u{1b}[2K";

impl Console {
    pub(crate) fn new(streams: Streams) -> Self {
        let Streams { input, output, messages, input_tty, output_tty, messages_tty } = streams;
        let inner = Inner { output, messages, row: String::new(), failed: None };
        let (inner, input) = (Arc::new(Mutex::new(inner)), Arc::new(Mutex::new(input)));
        Self { inner, input, input_tty, output_tty, messages_tty }
    }

    /// Writes data. What cannot be written is remembered for [`Console::failure`].
    pub(crate) fn data(&self, text: &str) {
        let mut inner = self.inner();
        inner.take_row_away();
        let written = inner.output.write_all(text.as_bytes()).and_then(|()| inner.output.flush());
        if let Err(error) = written {
            inner.failed.get_or_insert(error);
        }
        inner.put_row_back();
    }

    /// Writes lines for people; `text` has no line end.
    pub(crate) fn say(&self, text: &str) {
        self.message(format!("{text}\n").as_bytes());
    }

    /// Writes a line for people above the bottom row, and redraws that.
    pub(crate) fn say_above(&self, text: &str, row: String) {
        let mut inner = self.inner();
        inner.take_row_away();
        let _ = inner.messages.write_all(format!("{text}\n").as_bytes());
        inner.row = row;
        inner.put_row_back();
    }

    /// Asks, leaving the cursor behind the question.
    pub(crate) fn ask(&self, question: &str) {
        self.message(question.as_bytes());
    }

    /// Writes bytes for people. Nothing can be done if they cannot be written.
    pub(crate) fn message(&self, bytes: &[u8]) {
        let mut inner = self.inner();
        inner.take_row_away();
        let _ = inner.messages.write_all(bytes).and_then(|()| inner.messages.flush());
        inner.put_row_back();
    }

    /// Redraws the bottom row; an empty one takes it away.
    pub(crate) fn row(&self, row: String) {
        let mut inner = self.inner();
        if inner.row != row {
            inner.take_row_away();
            inner.row = row;
            inner.put_row_back();
        }
    }

    /// What could not be written as data, unless the reader has merely gone away.
    pub(crate) fn failure(&self) -> Option<io::Error> {
        self.inner().failed.take().filter(|error| error.kind() != io::ErrorKind::BrokenPipe)
    }

    /// One line of the input, without its end; blocks.
    pub(crate) fn read_line(&self) -> io::Result<String> {
        let mut line = String::new();
        self.input().read_line(&mut line)?;
        Ok(line.trim_end_matches(['\r', '\n']).to_owned())
    }

    /// All of the input; blocks.
    pub(crate) fn read_all(&self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.input().read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn input(&self) -> MutexGuard<'_, Box<dyn BufRead + Send>> {
        self.input.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn take_row_away(&mut self) {
        if !self.row.is_empty() {
            let _ = self.messages.write_all(CLEAR_ROW.as_bytes());
        }
    }

    fn put_row_back(&mut self) {
        let _ = self.messages.write_all(self.row.as_bytes());
        let _ = self.messages.flush();
    }
}
