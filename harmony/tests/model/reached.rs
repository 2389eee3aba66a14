//! What the scenarios have come to: a model that never gets somewhere finds nothing there.

use std::collections::BTreeMap;
use std::sync::Mutex;

use harmony::engine::maestro::EngineError;
use harmony::engine::plan::Change;

use crate::record::{End, Record};

static REACHED: Mutex<BTreeMap<&'static str, usize>> = Mutex::new(BTreeMap::new());

/// What has to come up among the 500 scenarios of a usual run.
pub(crate) const EVERYTHING: [&str; 20] = [
    "run that went well",
    "run in which something failed",
    "run that was refused",
    "run that was killed",
    "run that the user stopped",
    "run whose Ledger could not be written",
    "run without a plan",
    "destruction that went well",
    "create",
    "update",
    "replace",
    "delete",
    "forget",
    "unknown",
    "prove",
    "foreign thing in the way",
    "loss that is refused",
    "loss that is allowed",
    "plan that did not hold",
    "twin",
];

/// Counts something.
pub(crate) fn note(what: &'static str) {
    *REACHED.lock().unwrap().entry(what).or_default() += 1;
}

/// Counts what a run has come to.
pub(crate) fn note_run(record: &Record) {
    note(match &record.end {
        End::NotBegun(_) => "run without a plan",
        End::Failed(EngineError::Refused { .. }) => "run that was refused",
        End::Failed(_) => "run whose Ledger could not be written",
        End::Killed => "run that was killed",
        End::Finished(outcome) if outcome.interrupted => "run that the user stopped",
        End::Finished(outcome) if !outcome.failures.is_empty() => "run in which something failed",
        End::Finished(_) if record.destroys => "destruction that went well",
        End::Finished(_) => "run that went well",
    });
    if let End::Finished(outcome) = &record.end {
        outcome
            .failures
            .iter()
            .filter(|failed| failed.error.contains("no longer holds"))
            .for_each(|_| note("plan that did not hold"));
    }
    for step in record.plan.iter().flat_map(|plan| &plan.steps) {
        match &step.change {
            Change::Create => note("create"),
            Change::Update => note("update"),
            Change::Replace { .. } => note("replace"),
            Change::Delete { .. } => note("delete"),
            Change::Forget => note("forget"),
            Change::Adopt => note("adopt"),
            Change::UnknownUntil { .. } => note("unknown"),
            Change::Prove => note("prove"),
            Change::Forbidden { because, .. } if because.contains("is there already") => note("foreign thing in the way"),
            Change::Forbidden { .. } | Change::Unreachable { .. } | Change::None => {}
        }
        if let Some(loss) = &step.loss {
            note(if loss.allowed { "loss that is allowed" } else { "loss that is refused" });
        }
    }
}

/// All counts.
pub(crate) fn all() -> BTreeMap<&'static str, usize> {
    REACHED.lock().unwrap().clone()
}
