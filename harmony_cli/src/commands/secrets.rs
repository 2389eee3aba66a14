//! `secrets`.

use harmony::topology::Site;
use harmony_secret::{AnswerKind, Need, Prompt, PromptError, Question, Removal, SecretError, SecretName, SecretValue};

use super::look::Ended;
use crate::arguments::SecretsCommand;
use crate::asking::TerminalPrompt;
use crate::console::Tty;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::invocation::Session;
use crate::report::{self, Summary};
use crate::site;

/// Lists, sets, reads and removes secrets. No value is written anywhere but where `get --reveal` asks for it.
pub(crate) async fn secrets(session: &Session, site: &Site, command: SecretsCommand) -> Result<Ended, CommandError> {
    match command {
        SecretsCommand::List => list(session, site).await,
        SecretsCommand::Set { name } => set(session, site, &read_name(&name)?).await,
        SecretsCommand::Get { name, reveal: false } => tell(session, site, &read_name(&name)?).await,
        SecretsCommand::Get { name, reveal: true } => reveal(session, site, &read_name(&name)?).await,
        SecretsCommand::Remove { name } => remove(session, site, &read_name(&name)?).await,
        SecretsCommand::Seal => {
            site::secrets_file(&site.state, &site.io, &session.variables).seal_anew().await?;
            session.console.say("The file of secrets is accepted as it is.");
            Ok(changed())
        }
    }
}

async fn list(session: &Session, site: &Site) -> Result<Ended, CommandError> {
    for name in site.secrets.names().await? {
        session.text(&format!("{name}\n"));
        session.json(|| report::secret_line(name.as_str(), None));
    }
    Ok(Ended::with(Exit::Done))
}

async fn set(session: &Session, site: &Site, name: &SecretName) -> Result<Ended, CommandError> {
    let value = match session.console.input_tty {
        Tty::Terminal => typed(name).await?,
        Tty::Pipe => piped(session).await?,
    };
    if value.expose_bytes().is_empty() {
        return Err(CommandError::EmptySecret);
    }
    site.secrets.put(name, &value).await?;
    session.console.say(&format!("Kept `{name}`."));
    Ok(changed())
}

async fn typed(name: &SecretName) -> Result<SecretValue, CommandError> {
    let question = Question {
        secret: name.clone(),
        field: "value".to_owned(),
        description: None,
        kind: AnswerKind::Text,
        need: Need::Required,
    };
    let asked = tokio::task::spawn_blocking(move || TerminalPrompt.ask(&question)).await;
    asked.map_err(std::io::Error::other).map_err(PromptError::from).flatten().map_err(|source| CommandError::Prompt { source })
}

/// The whole input; one line end at its end belongs to whatever wrote it.
async fn piped(session: &Session) -> Result<SecretValue, CommandError> {
    let console = session.console.clone();
    let read = tokio::task::spawn_blocking(move || console.read_all()).await;
    let mut bytes = read.map_err(std::io::Error::other).and_then(|read| read).map_err(|source| CommandError::Input { source })?;
    for end in [b'\n', b'\r'] {
        if bytes.last() == Some(&end) {
            bytes.pop();
        }
    }
    Ok(bytes.into())
}

async fn tell(session: &Session, site: &Site, name: &SecretName) -> Result<Ended, CommandError> {
    found(site, name).await?;
    session.text(&format!("{name}: (sensitive)\n"));
    session.json(|| report::secret_line(name.as_str(), None));
    Ok(Ended::with(Exit::Done))
}

async fn reveal(session: &Session, site: &Site, name: &SecretName) -> Result<Ended, CommandError> {
    let value = found(site, name).await?;
    let text = value.expose_str().map_err(|_| CommandError::SecretNotText { name: name.clone() })?;
    session.text(&format!("{text}\n"));
    session.json(|| report::secret_line(name.as_str(), Some(text)));
    Ok(Ended::with(Exit::Done))
}

async fn remove(session: &Session, site: &Site, name: &SecretName) -> Result<Ended, CommandError> {
    match site.secrets.remove(name).await? {
        Removal::Removed => {
            session.console.say(&format!("Removed `{name}`."));
            Ok(changed())
        }
        Removal::WasAbsent => {
            session.console.say(&format!("There is no secret `{name}`."));
            Ok(Ended::with(Exit::Done))
        }
    }
}

async fn found(site: &Site, name: &SecretName) -> Result<SecretValue, CommandError> {
    let found = site.secrets.find(name).await?;
    found.ok_or_else(|| SecretError::from(site.secrets.missing(name)).into())
}

fn read_name(text: &str) -> Result<SecretName, CommandError> {
    text.parse().map_err(|source| CommandError::SecretName { source })
}

fn changed() -> Ended {
    Ended { exit: Exit::Done, summary: Summary::of("changed") }
}
