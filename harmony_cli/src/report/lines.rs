//! What commands say as lines of JSON.

use harmony::address::Address;
use harmony::arrangement::{Arrangement, Node, What};
use harmony::{Origin, Outcome};
use serde_json::json;

use super::document::{Secrets, redacted};
use super::events::json_line;
use super::listing::{Own, by_score};
use crate::error::CommandError;

/// The error that ended a command.
pub(crate) fn error_line(error: &CommandError) -> String {
    let refused: Vec<&Address> = error.refused().iter().map(|step| &step.address).collect();
    let mut line = json!({
        "error": harmony::explain::chain(error), "hint": error.hint(), "failed": error.troubles(), "refused": refused,
        "moved": error.moved()
    });
    if let Some(holding) = error.holding() {
        line["held"] = json!(holding);
    }
    json_line("error", line)
}

/// Each proof that passed.
pub(crate) fn proof_lines(outcome: &Outcome) -> String {
    outcome.proofs.iter().map(|proved| json_line("proved", proved)).collect()
}

/// What a user can do next.
pub(crate) fn next_step_lines(outcome: &Outcome) -> String {
    outcome.next_steps.iter().map(|(title, text)| json_line("next_step", json!({ "title": title, "text": text }))).collect()
}

/// A resource or proof of the arrangement, without the values of secrets.
pub(crate) fn node_line(address: &Address, node: &Node, secret_fields: &[&str]) -> String {
    let hidden = |json, fields: &[&str]| redacted(json, fields, Secrets::Hidden);
    match &node.what {
        What::Resource(resource) => json_line(
            "resource",
            json!({
                "address": address, "place": node.place, "kind": resource.kind, "label": resource.label, "origin": node.origin,
                "access": hidden(&resource.access, &[]), "spec": hidden(&resource.spec, secret_fields),
            }),
        ),
        What::Proof(proof) => json_line(
            "proof",
            json!({
                "address": address, "place": node.place, "kind": proof.kind, "claim": proof.claim, "origin": node.origin,
                "proof": hidden(&proof.proof, &[]),
            }),
        ),
    }
}

/// Each Score with the addresses of what it becomes.
pub(crate) fn listing_lines<'a>(origins: impl Iterator<Item = &'a Origin>, arrangement: &'a Arrangement) -> String {
    let line = |(origin, own): (&Origin, Own<'_>)| {
        let addresses: Vec<&Address> = own.into_iter().map(|(address, _)| address).collect();
        json_line("score", json!({ "score": origin.score, "file": origin.file, "line": origin.line, "addresses": addresses }))
    };
    by_score(origins, arrangement).into_iter().map(line).collect()
}
