//! The lines of `--json`, as types: their JSON Schema is what is published.

use harmony::Origin;
use harmony::address::Address;
use harmony::engine::exclusion::Holding;
use harmony::engine::outcome::{Failed, Proved};
use harmony::engine::plan::{Change, Step};
use harmony::engine::saved::Moved;
use harmony::engine::silence::Silence;
use harmony::engine::status::Standing;
use harmony::topology::Check;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value as Json;

use super::summary::Summary;

/// The version of the events of `--json`, said in each of them. Fields and events may be added within one version.
pub const EVENTS: u32 = 1;

/// What a command says besides the events of a run. A new event is a new variant: the published schema follows from it.
#[derive(Serialize, JsonSchema)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(crate) enum Line<'a> {
    /// A step of a plan that does something.
    PlannedChange {
        /// What it does, in one word.
        action: Action,
        #[serde(flatten)]
        step: &'a Step,
    },
    /// What a limited plan leaves as it is, and has not looked at.
    LeftOut {
        /// Where the program says it, or said it last.
        addresses: &'a [Address],
    },
    /// A place that does not answer.
    Silent(&'a Silence),
    /// What is left as it is elsewhere, because it needs something of a place that does not answer.
    Waiting {
        /// Where the program says it, or said it last.
        addresses: &'a [Address],
    },
    /// A proof that passed.
    Proved(&'a Proved),
    /// What a user can do next.
    NextStep {
        /// In a few words.
        title: &'a str,
        /// What to type, or where to look.
        text: &'a str,
    },
    /// How one thing or proof stands.
    Standing(&'a Standing),
    /// A Score of the program, and what it becomes.
    Score {
        /// Its name.
        score: &'a str,
        /// The source file that adds it.
        file: &'a str,
        /// The line in it, from 1.
        line: u32,
        /// What it becomes.
        addresses: Vec<&'a Address>,
    },
    /// A resource as it should be. Secrets read `(sensitive)`, what is not known yet reads `(known after apply: …)`.
    Resource {
        /// Where the program says it.
        address: &'a Address,
        /// The place it is in.
        place: &'a str,
        /// The kind's wire name.
        kind: &'a str,
        /// What the world calls it.
        label: &'a str,
        /// The Score that wants it.
        origin: &'a Origin,
        /// How to reach what it lives in.
        access: Json,
        /// What it should be.
        spec: Json,
    },
    /// A proof that is to pass.
    Proof {
        /// Where the program says it.
        address: &'a Address,
        /// The place it is in.
        place: &'a str,
        /// The proof's wire name.
        kind: &'a str,
        /// What it shows.
        claim: &'a str,
        /// The Score that wants it.
        origin: &'a Origin,
        /// The proof.
        proof: Json,
    },
    /// A procedure that a Score offers.
    Procedure {
        /// Its name: `rotate`.
        procedure: &'a str,
        /// What it is carried out on.
        subject: &'a str,
        /// What it does, in a sentence.
        does: &'a str,
        /// Its steps, in their order.
        steps: &'a [harmony::procedure::Step],
        /// Where it stands, if it has begun.
        underway: Option<Standpoint<'a>>,
    },
    /// What `doctor` looked at, and how it stands.
    Check(&'a Check),
    /// What was found by looking at the place, in its own form.
    Facts {
        /// What `--facts` reads.
        facts: &'a Json,
    },
    /// What a shell needs to complete command lines.
    Completions {
        /// The shell.
        shell: &'a str,
        /// The script.
        script: &'a str,
    },
    /// A box of the graph.
    GraphNode {
        /// Its number, which edges name.
        id: usize,
        /// The place that what it stands for is in.
        place: &'a str,
        /// The Score that wants it.
        origin: &'a Origin,
        /// What it is called.
        title: &'a str,
        /// Whether it stands for proofs.
        is_proof: bool,
        /// What it stands for.
        members: &'a [Address],
    },
    /// A need: `to` needs `from`.
    GraphEdge {
        /// The number of a node.
        from: usize,
        /// The number of a node.
        to: usize,
        /// Whether only the order is wanted, and no value used.
        is_gate: bool,
    },
    /// A secret that is kept.
    Secret {
        /// Its name.
        name: &'a str,
        /// Its value, only where the user asks for it.
        #[serde(skip_serializing_if = "Option::is_none")]
        value: Option<&'a str>,
    },
    /// Why a command did not do what it was asked to.
    Error {
        /// What failed and why, in one line.
        error: String,
        /// What to do about it.
        hint: Option<String>,
        /// The Scores, with file and line, that say what is wrong.
        said_at: Vec<&'a Origin>,
        /// What could not be looked at, one by one.
        failed: &'a [Failed],
        /// The addresses of the steps that are refused.
        refused: Vec<&'a Address>,
        /// What is not as it was when the plan was saved, one by one.
        moved: &'a [Moved],
        /// The other run that goes on.
        #[serde(skip_serializing_if = "Option::is_none")]
        held: Option<Holding>,
    },
    /// The last line of every command.
    Summary(&'a Summary),
}

/// Where a procedure stands.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Standpoint<'a> {
    /// The step that it is at.
    pub(crate) step: &'a str,
    /// Whether the step has been made, so that only its time is waited for.
    pub(crate) reached: bool,
}

/// What a step does.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Action {
    /// Nothing.
    None,
    /// Makes it.
    Create,
    /// Changes it in place.
    Update,
    /// Deletes it and makes it again.
    Replace,
    /// That is known once something else has been applied, or its place answers.
    Unknown,
    /// Takes it away.
    Delete,
    /// Strikes it from the Ledger.
    Forget,
    /// It cannot be done.
    Forbidden,
    /// Carries out a proof.
    Prove,
    /// Takes it over as it is.
    Adopt,
}

impl From<&Change> for Action {
    fn from(change: &Change) -> Self {
        match change {
            Change::None => Self::None,
            Change::Create => Self::Create,
            Change::Update => Self::Update,
            Change::Replace { .. } => Self::Replace,
            Change::UnknownUntil { .. } | Change::Unreachable { .. } => Self::Unknown,
            Change::Delete { .. } => Self::Delete,
            Change::Forget => Self::Forget,
            Change::Forbidden { .. } => Self::Forbidden,
            Change::Prove => Self::Prove,
            Change::Adopt => Self::Adopt,
        }
    }
}

impl Line<'_> {
    /// The line, with its end.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Summary(summary) => summary.text(),
            line => versioned(line),
        }
    }
}

/// What is written, with the version of its form.
pub(super) fn versioned(line: &impl Serialize) -> String {
    #[derive(Serialize)]
    struct Versioned<'a, T> {
        #[serde(flatten)]
        line: &'a T,
        version: u32,
    }
    // Everything that is written here has text keys, so this cannot fail; an empty line would be worse than none.
    serde_json::to_string(&Versioned { line, version: EVENTS }).map(|line| line + "\n").unwrap_or_default()
}
