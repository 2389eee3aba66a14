//! `completions`.

use clap_complete::Shell;

use super::look::Ended;
use crate::exit::Exit;
use crate::invocation::Session;
use crate::report;

/// Writes what a shell needs to complete this program's command lines.
pub(crate) fn completions(session: &Session, shell: Shell) -> Ended {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut crate::help::grammar(&session.program), &session.program, &mut script);
    let script = String::from_utf8_lossy(&script);
    session.text(&script);
    session.json(|| report::completions_line(&shell.to_string(), &script));
    Ended::with(Exit::Done)
}
