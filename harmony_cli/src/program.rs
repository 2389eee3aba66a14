//! The process around a site program.

use std::ffi::OsString;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use harmony::topology::Survey;
use harmony::{Inventory, Scores};
use harmony_io::Io;
use tokio::signal::unix::{SignalKind, signal};

use crate::console::Streams;
use crate::exit::Exit;
use crate::interrupt::{Interrupter, interrupts};
use crate::invocation::{Invocation, run_with};
use crate::variables::Variables;

/// The whole `main` of a site program: reads the command line, looks at `place` and does with `scores` what is asked for. The
/// program's name, under which its state is kept, is the name of its binary.
#[must_use]
pub fn run<P: Survey>(inventory: Inventory, place: P, scores: Scores<P::Surveyed>) -> ExitCode {
    let program = std::env::args_os().next().unwrap_or_default();
    let name = Path::new(&program).file_stem().map(|stem| stem.to_string_lossy().into_owned());
    run_named(&name.unwrap_or_else(|| UNNAMED.to_owned()), inventory, place, scores)
}

/// As [`run`], with another name than the binary's: for a binary whose name changes, or that is several programs.
#[must_use]
pub fn run_named<P: Survey>(name: &str, inventory: Inventory, place: P, scores: Scores<P::Surveyed>) -> ExitCode {
    run_through(Io::real(), name, inventory, place, scores)
}

/// As [`run_named`], with another way to the outside: for a program of a test, which injects faults into itself.
#[must_use]
pub fn run_through<P: Survey>(io: Io, name: &str, inventory: Inventory, place: P, scores: Scores<P::Surveyed>) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            let mut streams = Streams::of_process();
            // There is nowhere else to say it.
            let _ = writeln!(streams.messages, "error: failed to start threads\n  caused by: {error}");
            return Exit::Failed.into();
        }
    };
    let exit = runtime.block_on(async {
        let (interrupter, interrupts) = interrupts();
        tokio::spawn(listen(interrupter));
        let invocation = Invocation {
            program: name.to_owned(),
            arguments: std::env::args_os().skip(1).collect::<Vec<OsString>>(),
            variables: Variables::Process,
            streams: Streams::of_process(),
            width: None,
            interrupts,
            io,
        };
        run_with(invocation, inventory, place, scores).await
    });
    // A thread may still wait for an answer that nobody will give any more.
    runtime.shutdown_background();
    exit.into()
}

const UNNAMED: &str = "site";

/// Passes on what asks the process to stop. Without it, stopping would not wait for what is in flight.
async fn listen(interrupter: Interrupter) {
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) else {
        log::warn!("signals cannot be received, so that Ctrl-C stops at once");
        return;
    };
    loop {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        interrupter.interrupt();
    }
}
