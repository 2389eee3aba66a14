//! What is written with `--json`: from what happened and what there is to lines.

use harmony::address::Address;
use harmony::arrangement::{Arrangement, Node, What};
use harmony::engine::events::Event;
use harmony::engine::plan::{Plan, Step};
use harmony::engine::silence::Silence;
use harmony::engine::status::Standing;
use harmony::{Origin, Outcome};
use serde_json::Value as Json;

use super::document::{Secrets, redacted};
use super::line::{Action, Line, versioned};
use super::listing::{Own, by_score};
use crate::error::CommandError;

/// One line with an event of the engine.
pub(crate) fn event_line(event: &Event) -> String {
    versioned(event)
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

/// Each place that does not answer, and what waits for them.
pub(crate) fn silence_lines(silent: &[Silence], waiting: &[Address]) -> String {
    let lines: String = silent.iter().map(|silence| Line::Silent(silence).text()).collect();
    if waiting.is_empty() { lines } else { lines + &Line::Waiting { addresses: waiting }.text() }
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
