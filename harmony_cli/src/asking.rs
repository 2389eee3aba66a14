//! Asking a person in the terminal.

use std::io;

use harmony_secret::{Need, Prompt, PromptError, Question, SecretValue};

use crate::console::{Console, Tty};

/// Asks in the terminal of the process, without showing what is typed; an answer that does not fit its question is asked for again.
#[derive(Debug, Clone, Copy, Default)]
pub struct TerminalPrompt;

impl Prompt for TerminalPrompt {
    fn ask(&self, question: &Question) -> Result<SecretValue, PromptError> {
        loop {
            let typed = rpassword::prompt_password(wording(question)).map_err(no_answer)?;
            let answer = SecretValue::from(typed);
            match question.check(&answer) {
                Ok(()) => return Ok(answer),
                Err(unfit) => log::warn!("{unfit}"),
            }
        }
    }
}

fn wording(question: &Question) -> String {
    let described = question.description.as_deref().map(|text| format!(" ({text})")).unwrap_or_default();
    let optional = if question.need == Need::Optional { ", empty to leave it out" } else { "" };
    format!("{} of `{}`{described}, not shown{optional}: ", question.field, question.secret)
}

fn no_answer(error: io::Error) -> PromptError {
    match error.kind() {
        io::ErrorKind::Interrupted | io::ErrorKind::UnexpectedEof => PromptError::Cancelled,
        // There is no `/dev/tty` to open.
        io::ErrorKind::NotFound => PromptError::NoTerminal,
        _ if error.raw_os_error().is_some() => PromptError::NoTerminal,
        _ => PromptError::Failed(error),
    }
}

/// What a person said to a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    Yes,
    No,
    /// There is nobody to ask.
    Nobody,
}

/// Asks whether to go on; everything but a clear yes is no.
pub(crate) async fn confirm(console: &Console, question: &str) -> io::Result<Answer> {
    if console.input_tty != Tty::Terminal || console.messages_tty != Tty::Terminal {
        return Ok(Answer::Nobody);
    }
    console.ask(&format!("{question} [y/N] "));
    let reader = console.clone();
    let line = tokio::task::spawn_blocking(move || reader.read_line()).await.map_err(io::Error::other)??;
    let yes = matches!(line.trim().to_lowercase().as_str(), "y" | "yes");
    Ok(if yes { Answer::Yes } else { Answer::No })
}
