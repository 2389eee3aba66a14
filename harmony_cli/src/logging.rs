//! The log of the process, written between the progress.

use std::io::{self, Write};

use env_logger::{Builder, Target, WriteStyle};
use log::LevelFilter;

use crate::arguments::Talk;
use crate::console::Console;
use crate::paint::Paint;

/// A client that logs as an error what it also returns as one, even where being refused is what was to be proven.
const REPEATS: &str = "async_nats";

/// Installs the log: `RUST_LOG` decides what is logged, or else `-v` (info), `-vv` (debug) and `-q` (errors only); warnings otherwise.
pub(crate) fn install(talk: &Talk, console: &Console, paint: Paint) {
    let level = match (talk.quiet, talk.verbose) {
        (true, _) => LevelFilter::Error,
        (false, 0) => LevelFilter::Warn,
        (false, 1) => LevelFilter::Info,
        (false, _) => LevelFilter::Debug,
    };
    let style = if paint == Paint::Colored { WriteStyle::Always } else { WriteStyle::Never };
    let target = Target::Pipe(Box::new(Between(console.clone())));
    let mut builder = Builder::new();
    builder.filter_level(level);
    if talk.verbose == 0 {
        builder.filter_module(REPEATS, LevelFilter::Off);
    }
    builder.parse_default_env().write_style(style).target(target);
    // A program that has its own log keeps it.
    let _ = builder.try_init();
}

struct Between(Console);

impl Write for Between {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.message(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
