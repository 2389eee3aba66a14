//! The lines of `--json`, as types: their JSON Schema is what is published.

use harmony::address::Address;
use harmony::arrangement::{Arrangement, Node, What};
use harmony::engine::events::Event;
use harmony::engine::exclusion::Holding;
use harmony::engine::outcome::{Failed, Proved};
use harmony::engine::plan::{Change, Plan, Step};
use harmony::engine::saved::Moved;
use harmony::engine::status::Standing;
use harmony::topology::Check;
use harmony::{Origin, Outcome};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value as Json;

use super::document::{Secrets, redacted};
use super::listing::{Own, by_score};
use crate::error::CommandError;

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
    /// That is known once something else has been applied.
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

/// How a command ended, and what it did or would do.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Summary {
    /// In one word.
    #[schemars(extend("enum" = ["converged", "changed", "failed", "refused", "interrupted"]))]
    pub(crate) outcome: &'static str,
    /// How many things were made, or would be.
    pub(crate) create: usize,
    /// How many were changed in place.
    pub(crate) update: usize,
    /// How many were deleted and made again.
    pub(crate) replace: usize,
    /// How many were taken away.
    pub(crate) delete: usize,
    /// How many needed nothing.
    pub(crate) unchanged: usize,
    /// How many times something was told to be made, changed or deleted.
    pub(crate) writes: usize,
    /// How many proofs passed, or would be carried out.
    pub(crate) proofs: usize,
    /// How long the command took.
    pub(crate) seconds: f64,
}

impl Summary {
    /// Of a command that counts nothing.
    pub(crate) fn of(outcome: &'static str) -> Self {
        Self { outcome, ..Self::default() }
    }
}

impl From<&Change> for Action {
    fn from(change: &Change) -> Self {
        match change {
            Change::None => Self::None,
            Change::Create => Self::Create,
            Change::Update => Self::Update,
            Change::Replace { .. } => Self::Replace,
            Change::UnknownUntil { .. } => Self::Unknown,
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
            Self::Summary(summary) => summary_text(summary),
            line => versioned(line),
        }
    }
}

/// One line with an event of the engine.
pub(crate) fn event_line(event: &Event) -> String {
    versioned(event)
}

fn versioned(line: &impl Serialize) -> String {
    #[derive(Serialize)]
    struct Versioned<'a, T> {
        #[serde(flatten)]
        line: &'a T,
        version: u32,
    }
    // Everything that is written here has text keys, so this cannot fail; an empty line would be worse than none.
    serde_json::to_string(&Versioned { line, version: EVENTS }).map(|line| line + "\n").unwrap_or_default()
}

/// Written by hand to keep the order of the fields, which people read.
fn summary_text(summary: &Summary) -> String {
    let Summary { outcome, create, update, replace, delete, unchanged, writes, proofs, seconds } = summary;
    format!(
        "{{\"event\":\"summary\",\"version\":{EVENTS},\"outcome\":\"{outcome}\",\"create\":{create},\"update\":{update},\
         \"replace\":{replace},\"delete\":{delete},\"unchanged\":{unchanged},\"writes\":{writes},\"proofs\":{proofs},\
         \"seconds\":{seconds:.3}}}\n"
    )
}

/// The error that ended a command.
pub(crate) fn error_line(error: &CommandError) -> String {
    Line::Error {
        error: harmony::explain::chain(error),
        hint: error.hint(),
        said_at: error.origins(),
        failed: error.troubles(),
        refused: error.refused().iter().map(|step| &step.address).collect(),
        moved: error.moved(),
        held: error.holding(),
    }
    .text()
}

/// A command line that cannot be understood; `said` is what people read: what is wrong up to an empty line, tips, the usage.
pub(crate) fn misunderstood_line(said: &str) -> String {
    let words: Vec<&str> = said.lines().take_while(|line| !line.is_empty()).map(str::trim).collect();
    let error = words.join(" ").trim_start_matches("error: ").to_owned();
    let hint = said.lines().find_map(|line| line.trim().strip_prefix("tip: ")).map(str::to_owned);
    Line::Error { error, hint, said_at: Vec::new(), failed: &[], refused: Vec::new(), moved: &[], held: None }.text()
}

/// One line for each step that does something.
pub(crate) fn planned_changes<'a>(steps: impl Iterator<Item = &'a Step>) -> String {
    steps.map(|step| Line::PlannedChange { action: Action::from(&step.change), step }.text()).collect()
}

/// What a limited plan leaves as it is, if it is limited.
pub(crate) fn left_line(plan: &Plan) -> String {
    if plan.left.is_empty() { String::new() } else { Line::LeftOut { addresses: &plan.left }.text() }
}

/// Each proof that passed.
pub(crate) fn proof_lines(outcome: &Outcome) -> String {
    outcome.proofs.iter().map(|proved| Line::Proved(proved).text()).collect()
}

/// What a user can do next.
pub(crate) fn next_step_lines(outcome: &Outcome) -> String {
    outcome.next_steps.iter().map(|(title, text)| Line::NextStep { title, text }.text()).collect()
}

/// How each thing stands.
pub(crate) fn standing_lines(standings: &[Standing]) -> String {
    standings.iter().map(|standing| Line::Standing(standing).text()).collect()
}

/// What was found by looking at the place.
pub(crate) fn facts_line(facts: &Json) -> String {
    Line::Facts { facts }.text()
}

/// What a shell needs to complete command lines.
pub(crate) fn completions_line(shell: &str, script: &str) -> String {
    Line::Completions { shell, script }.text()
}

/// A secret that is kept, with its value only if it is given.
pub(crate) fn secret_line(name: &str, value: Option<&str>) -> String {
    Line::Secret { name, value }.text()
}

/// A resource or proof of the arrangement, without the values of secrets.
pub(crate) fn node_line(address: &Address, node: &Node, secret_fields: &[&str]) -> String {
    let hidden = |json, fields: &[&str]| redacted(json, fields, Secrets::Hidden);
    let (place, origin) = (node.place.as_str(), &node.origin);
    match &node.what {
        What::Resource(resource) => Line::Resource {
            address,
            place,
            kind: &resource.kind,
            label: &resource.label,
            origin,
            access: hidden(&resource.access, &[]),
            spec: hidden(&resource.spec, secret_fields),
        },
        What::Proof(proof) => {
            let shown = hidden(&proof.proof, &[]);
            Line::Proof { address, place, kind: &proof.kind, claim: &proof.claim, origin, proof: shown }
        }
    }
    .text()
}

/// Each Score with the addresses of what it becomes.
pub(crate) fn listing_lines<'a>(origins: impl Iterator<Item = &'a Origin>, arrangement: &'a Arrangement) -> String {
    let line = |(origin, own): (&Origin, Own<'_>)| {
        let addresses = own.into_iter().map(|(address, _)| address).collect();
        Line::Score { score: &origin.score, file: &origin.file, line: origin.line, addresses }.text()
    };
    by_score(origins, arrangement).into_iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_has_its_fields_in_the_promised_order() {
        let summary = Summary { create: 1, writes: 2, seconds: 1.5, ..Summary::of("changed") };
        let line = Line::Summary(&summary).text();
        assert_eq!(
            line,
            "{\"event\":\"summary\",\"version\":1,\"outcome\":\"changed\",\"create\":1,\"update\":0,\"replace\":0,\"delete\":0,\
             \"unchanged\":0,\"writes\":2,\"proofs\":0,\"seconds\":1.500}\n"
        );
        let read = |text: &str| serde_json::from_str::<Json>(text).unwrap();
        assert_eq!(read(&line), read(&versioned(&Line::Summary(&summary))), "it has the fields that are published");
    }
}
