//! Why a run did not begin.

use harmony_secret::SecretError;

use super::exclusion::ExclusionError;
use super::home::{Elsewhere, Home};
use super::ledger::LedgerError;
use super::outcome::Failed;
use super::plan::Step;
use super::saved::{PlanRefusal, SavedPlanError};
use super::scope::UnknownTarget;
use super::silence::Silence;
use crate::address::Address;
use crate::error::ArrangeError;

/// Why a run did not begin, or could not go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The Scores cannot become an arrangement.
    #[error(transparent)]
    Arrange(#[from] ArrangeError),
    /// The Ledger cannot be used.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The site's secrets cannot be used.
    #[error(transparent)]
    Secrets(#[from] SecretError),
    /// A file cannot be used as a saved plan.
    #[error(transparent)]
    PlanFile(#[from] SavedPlanError),
    /// A saved plan is not carried out. Nothing has been changed.
    #[error(transparent)]
    SavedPlan(#[from] PlanRefusal),
    /// The run is limited to something that there is not.
    #[error(transparent)]
    Target(#[from] UnknownTarget),
    /// Another run goes on, or it cannot be told whether one does.
    #[error(transparent)]
    Exclusion(#[from] ExclusionError),
    /// Some things could not be looked at.
    #[error("failed to look at {}", named(troubles))]
    Observe {
        /// Each of them, and why.
        troubles: Vec<Failed>,
    },
    /// The plan holds steps that are forbidden, or losses that nobody allows. Nothing has been changed.
    #[error("{} of the plan's steps are refused", steps.len())]
    Refused {
        /// Those steps.
        steps: Vec<Step>,
    },
    /// The run may not do what the plan would do. Nothing has been changed.
    #[error("the run may not {}", missing.join("; "))]
    NotPermitted {
        /// Every right that is missing, in the words of the places: `create configmaps in shop`.
        missing: Vec<String>,
    },
    /// What was asked for needs every place of the program, and some do not answer. Nothing has been changed.
    #[error("{}", unanswered(silent))]
    Silent {
        /// Those places.
        silent: Vec<Silence>,
    },
    /// A procedure begins where everything is as the Scores say. Nothing has been changed.
    #[error("{procedure} cannot begin: {} as its Scores say", differ(steps.len()))]
    NotAtRest {
        /// What was to begin.
        procedure: String,
        /// What `apply` would do first.
        steps: Vec<Step>,
    },
    /// A procedure stands at a step that it does not have.
    #[error("{procedure} stands at step `{step}`, which it does not have")]
    UnknownStep {
        /// The procedure.
        procedure: String,
        /// The step.
        step: String,
    },
    /// The Ledger was written elsewhere: what it names is not what stands here, or another checkout is responsible for it.
    #[error("the Ledger belongs to {how}: it is at home in {recorded}; this is {here}")]
    Elsewhere {
        /// In what.
        how: Elsewhere,
        /// Where it says it is at home.
        recorded: Box<Home>,
        /// Where this is.
        here: Box<Home>,
    },
    /// Something cannot be forgotten, because something else is reached through it.
    #[error("`{address}` cannot be forgotten, because `{by}` is reached through it")]
    StillReached {
        /// What should be forgotten.
        address: Address,
        /// What is reached through it.
        by: Address,
    },
    /// Nothing has been made yet, so nothing can be proved.
    #[error("this program has made nothing yet, so there is nothing to prove")]
    NothingMade,
    /// The program wants nothing, although things were made by it.
    #[error("the program wants nothing, but its Ledger names {made} {} that it has made", if *made == 1 { "thing" } else { "things" })]
    Empty {
        /// How many.
        made: usize,
    },
}

impl EngineError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Arrange(error) => error.hint(),
            Self::Ledger(error) => error.hint(),
            Self::Secrets(error) => error.hint(),
            Self::PlanFile(error) => error.hint(),
            Self::SavedPlan(refusal) => refusal.hint(),
            Self::Target(unknown) => Some(unknown.hint()),
            Self::Exclusion(error) => error.hint(),
            Self::Observe { troubles } => troubles.first().and_then(|trouble| trouble.hint.clone()),
            Self::Refused { .. } => Some("see each step's reason; accept a loss with `--allow-loss ADDRESS`".to_owned()),
            Self::NotPermitted { .. } => Some(NOT_PERMITTED.to_owned()),
            Self::Silent { silent } => silent.first().and_then(|silence| silence.hint.clone()),
            Self::NotAtRest { .. } => Some("run `apply` first, so that the procedure changes nothing but its own".to_owned()),
            Self::UnknownStep { .. } => Some("build the site program with the version of Harmony that began it".to_owned()),
            Self::Elsewhere { how, .. } => Some(elsewhere_hint(*how)),
            Self::StillReached { address, by } => {
                Some(format!("forget both, `forget {address} {by}`, or take `{by}` away first"))
            }
            Self::NothingMade => Some("run `apply` first".to_owned()),
            Self::Empty { .. } => Some("use `destroy` to take everything away".to_owned()),
        }
    }
}

/// Nothing has been changed, so there is nothing to go on from.
const NOT_PERMITTED: &str =
    "give the credential that the run uses the rights to do this, or use one that has them; nothing has been changed";

/// The first of them, and how many there are besides.
fn named(troubles: &[Failed]) -> String {
    match troubles {
        [] => "anything".to_owned(),
        [one] => one.label.clone(),
        [first, second] => format!("{} and {}", first.label, second.label),
        [first, more @ ..] => format!("{} and {} more things", first.label, more.len()),
    }
}

fn unanswered(silent: &[Silence]) -> String {
    silent.iter().map(|Silence { place, why, .. }| format!("{place} does not answer: {why}")).collect::<Vec<_>>().join("; ")
}

fn differ(count: usize) -> String {
    if count == 1 { "1 thing of the site is not".to_owned() } else { format!("{count} things of the site are not") }
}

fn elsewhere_hint(how: Elsewhere) -> String {
    let own = match how {
        Elsewhere::Machine | Elsewhere::Directory => "remove the copy and begin with an empty state directory",
        Elsewhere::Checkout => "give each checkout a state directory of its own with `HARMONY_STATE_DIR`",
    };
    format!("if it was moved here on purpose, and nobody uses it there any more, say so once with `--moved`; else {own}")
}
