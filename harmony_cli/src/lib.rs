//! The command line of a site program: `plan`, `apply`, `verify`, `drift`, `destroy`, `render`, `list`, `status`, `run`, `secrets` for any
//! list of Scores on any place. It knows no kind of resource and no place.
//!
//! Entry point: [`run`], which is the whole `main` of a site program:
//!
//! ```no_run
//! # use harmony::topology::Survey;
//! # use harmony::{Inventory, Scores};
//! # fn main_of<P: Survey>(place: P, scores: Scores<P::Surveyed>) -> std::process::ExitCode {
//! harmony_cli::run(Inventory::empty(), place, scores)
//! # }
//! ```
//!
//! [`run_with`] is the same without the process around it, for tests of a site program.
//!
//! What a plan, a rendering or `--json` says goes to the standard output, everything else to the standard error stream. State lives
//! in `$HARMONY_STATE_DIR/PROGRAM`, or else in `$XDG_STATE_HOME/harmony/PROGRAM` (`~/.local/state/harmony/PROGRAM`). [`Exit`] tells
//! the exit codes, [`EVENTS`] the version of the events of `--json`: the engine's
//! [events](harmony::engine::events::Event), a `planned_change` for each step of a plan that does something, what a command lists,
//! an `error` if it could not do what it was asked to, and at the end the `summary`. The `outcome` of a command that changes nothing
//! is `converged` if all is as the Scores say, and `changed` if `apply` would change something.

mod arguments;
mod asking;
mod commands;
mod console;
mod error;
mod exit;
mod graph;
mod help;
mod interrupt;
mod invocation;
mod logging;
mod nearest;
mod paint;
mod program;
mod progress;
mod reference;
mod report;
mod site;
mod variables;

pub use asking::TerminalPrompt;
pub use console::{Streams, Tty};
pub use exit::Exit;
pub use interrupt::{Interrupter, Interrupts, interrupts};
pub use invocation::{Invocation, run_with};
pub use program::{run, run_named, run_through};
pub use reference::commands_reference;
pub use report::{EVENTS, events_schema};
pub use variables::Variables;
