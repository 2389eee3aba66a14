//! Why a command did not do what it was asked to.

use std::io;
use std::path::PathBuf;

use harmony::engine::exclusion::{ExclusionError, Holding};
use harmony::engine::outcome::Failed;
use harmony::engine::plan::Step;
use harmony::engine::saved::{Moved, SavedPlanError};
use harmony::provider::ProviderError;
use harmony::{EngineError, Origin};
use harmony_io::IoError;
use harmony_secret::{NameError, PromptError, SecretError, SecretName};

use crate::exit::Exit;
use crate::site::SiteError;

/// Why a command did not do what it was asked to. What failed while things were being changed is no error but a part of the outcome.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum CommandError {
    #[error(transparent)]
    Engine(Box<EngineError>),
    #[error(transparent)]
    Site(#[from] SiteError),
    #[error("failed to look at the place")]
    Survey { source: ProviderError },
    #[error("what was found does not fit the place")]
    Unfit { source: ProviderError },
    #[error("the state of this program cannot be kept")]
    State { source: ProviderError },
    #[error("there is no file of facts `{path}`")]
    NoFacts { path: PathBuf },
    #[error("`{path}` does not hold the facts of this place")]
    OtherFacts { path: PathBuf, source: serde_json::Error },
    #[error("failed to write down what was found at the place")]
    FactsUnwritable { source: serde_json::Error },
    #[error("there is no terminal in which to ask whether to go on, and nothing has been changed")]
    NoConsent { flag: &'static str },
    #[error("not confirmed, so nothing has been changed")]
    Declined,
    #[error("{0}")]
    MayBeLost(String),
    #[error("interrupted before anything was changed")]
    Interrupted,
    #[error("interrupted at once: what was in flight may or may not have been done")]
    Aborted,
    #[error(transparent)]
    Secret(Box<SecretError>),
    #[error("failed to read the value of the secret")]
    Prompt { source: PromptError },
    #[error("no Score offers `{wanted}`")]
    UnknownProcedure { wanted: String, nearest: Vec<String>, offered: usize },
    #[error("`{wanted}` may mean several procedures")]
    AmbiguousProcedure { wanted: String, fitting: Vec<String> },
    #[error(transparent)]
    SecretName { source: NameError },
    #[error("the value of the secret `{name}` is not text")]
    SecretNotText { name: SecretName },
    #[error("the value of the secret is empty")]
    EmptySecret,
    #[error(transparent)]
    Io(#[from] IoError),
    #[error("failed to write to the standard output")]
    Output { source: io::Error },
    #[error("failed to read from the standard input")]
    Input { source: io::Error },
}

impl CommandError {
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Engine(error) => match error.as_ref() {
                EngineError::Exclusion(error) if error.holding().is_some() => Exit::Locked,
                EngineError::Arrange(_)
                | EngineError::Refused { .. }
                | EngineError::Exclusion(ExclusionError::NotOwn { .. })
                | EngineError::Elsewhere { .. }
                | EngineError::SavedPlan(_)
                | EngineError::Target(_)
                | EngineError::StillReached { .. }
                | EngineError::Empty { .. }
                | EngineError::NotPermitted { .. }
                | EngineError::NotAtRest { .. } => Exit::Refused,
                EngineError::PlanFile(SavedPlanError::Absent { .. } | SavedPlanError::Io(_)) => Exit::Failed,
                EngineError::PlanFile(_) => Exit::Refused,
                _ => Exit::Failed,
            },
            Self::OtherFacts { .. }
            | Self::Unfit { .. }
            | Self::State { .. }
            | Self::NoConsent { .. }
            | Self::Declined
            | Self::MayBeLost(_) => Exit::Refused,
            Self::Interrupted | Self::Aborted => Exit::Interrupted,
            Self::Secret(_) | Self::Prompt { .. } | Self::EmptySecret | Self::SecretNotText { .. } => Exit::Failed,
            Self::SecretName { .. } | Self::UnknownProcedure { .. } | Self::AmbiguousProcedure { .. } => Exit::WrongUsage,
            Self::NoFacts { .. } | Self::FactsUnwritable { .. } => Exit::Failed,
            Self::Site(_) | Self::Survey { .. } | Self::Io(_) | Self::Output { .. } | Self::Input { .. } => Exit::Failed,
        }
    }

    /// What to do about it.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::Engine(error) => match error.as_ref() {
                // Its lines are shown, and are fields of `--json`.
                EngineError::Arrange(error) => error.advice(),
                error => error.hint(),
            },
            Self::Site(error) => error.hint(),
            Self::Survey { source } | Self::Unfit { source } | Self::State { source } => source.hint().map(str::to_owned),
            Self::NoFacts { .. } | Self::OtherFacts { .. } => {
                Some("make it on a machine that can look at the place: `facts > FILE`".to_owned())
            }
            Self::NoConsent { flag } => Some(format!("look at the plan, then run it with `{flag}`")),
            Self::Secret(error) => error.hint(),
            Self::Prompt { source } => source.hint(),
            Self::MayBeLost(_) => Some(
                "if the Ledger was lost, take them over with `apply --adopt-all`, then destroy; else they are not this program's"
                    .to_owned(),
            ),
            Self::EmptySecret => Some("type it, or give it on the standard input".to_owned()),
            Self::UnknownProcedure { offered: 0, .. } => Some("the Scores of this program offer no procedures".to_owned()),
            Self::UnknownProcedure { nearest, .. } if nearest.is_empty() => Some("`run` lists what is offered".to_owned()),
            Self::UnknownProcedure { nearest, .. } => {
                Some(format!("did you mean {}? `run` lists what is offered", quoted(nearest, " or ")))
            }
            Self::AmbiguousProcedure { fitting, .. } => Some(format!("name one of them: {}", quoted(fitting, ", "))),
            Self::Aborted => Some("run it again: it looks at what is there and goes on from that".to_owned()),
            Self::Io(error) => error.hint().map(str::to_owned),
            Self::SecretName { .. } => Some("write segments of `a-z`, `0-9`, `-`, `_` and `.`, joined by `/`".to_owned()),
            Self::SecretNotText { .. } | Self::FactsUnwritable { .. } => None,
            Self::Declined | Self::Interrupted | Self::Output { .. } | Self::Input { .. } => None,
        }
    }

    /// The run that goes on instead of this one.
    pub(crate) fn holding(&self) -> Option<Holding> {
        match self {
            Self::Engine(error) => match error.as_ref() {
                EngineError::Exclusion(error) => error.holding(),
                _ => None,
            },
            _ => None,
        }
    }

    /// What could not be looked at, one by one.
    pub(crate) fn troubles(&self) -> &[Failed] {
        match self {
            Self::Engine(error) => match error.as_ref() {
                EngineError::Observe { troubles } => troubles,
                _ => &[],
            },
            _ => &[],
        }
    }

    /// What is not as it was planned, one by one.
    pub(crate) fn moved(&self) -> &[Moved] {
        match self {
            Self::Engine(error) => match error.as_ref() {
                EngineError::SavedPlan(refusal) => refusal.moved(),
                _ => &[],
            },
            _ => &[],
        }
    }

    /// The Scores that say what is wrong, with their lines in the program.
    pub(crate) fn origins(&self) -> Vec<&Origin> {
        let mut origins = match self {
            Self::Engine(error) => match error.as_ref() {
                EngineError::Arrange(error) => error.origins(),
                EngineError::Observe { troubles } => troubles.iter().map(|trouble| &trouble.origin).collect(),
                EngineError::Refused { steps } => steps.iter().map(|step| &step.origin).collect(),
                _ => Vec::new(),
            },
            _ => Vec::new(),
        };
        let mut seen = std::collections::BTreeSet::new();
        origins.retain(|origin| seen.insert(*origin));
        origins
    }

    /// The steps that are refused, one by one.
    pub(crate) fn refused(&self) -> &[Step] {
        match self {
            Self::Engine(error) => match error.as_ref() {
                EngineError::Refused { steps } => steps,
                _ => &[],
            },
            _ => &[],
        }
    }
}

fn quoted(names: &[String], between: &str) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(between)
}

impl From<EngineError> for CommandError {
    fn from(error: EngineError) -> Self {
        Self::Engine(Box::new(error))
    }
}

impl From<harmony::ArrangeError> for CommandError {
    fn from(error: harmony::ArrangeError) -> Self {
        EngineError::from(error).into()
    }
}

impl From<SecretError> for CommandError {
    fn from(error: SecretError) -> Self {
        Self::Secret(Box::new(error))
    }
}
