//! The lines of `--json`.

use harmony::Outcome;
use harmony::engine::events::Event;
use harmony::engine::plan::{Change, Plan, Step};
use serde::Serialize;

/// The version of the events of `--json`, said in each of them. Fields and events may be added within one version.
pub const EVENTS: u32 = 1;

#[derive(Serialize)]
struct Line<'a, T> {
    event: &'a str,
    version: u32,
    #[serde(flatten)]
    what: T,
}

/// The last line of every command.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Summary {
    pub(crate) outcome: &'static str,
    pub(crate) create: usize,
    pub(crate) update: usize,
    pub(crate) replace: usize,
    pub(crate) delete: usize,
    pub(crate) unchanged: usize,
    pub(crate) writes: usize,
    pub(crate) proofs: usize,
}

impl Summary {
    /// Of a plan: what would be done.
    pub(crate) fn of_plan(plan: &Plan) -> Self {
        let counts = plan.counts();
        Self {
            outcome: if plan.is_pending() { "changed" } else { "converged" },
            create: counts.create,
            update: counts.update,
            replace: counts.replace,
            delete: counts.delete,
            unchanged: counts.unchanged,
            writes: 0,
            proofs: counts.prove,
        }
    }

    /// Of a run: what was done.
    pub(crate) fn of_outcome(outcome: &Outcome) -> Self {
        let counts = &outcome.counts;
        Self {
            outcome: match outcome.ending() {
                _ if outcome.interrupted => "interrupted",
                harmony::engine::outcome::Ending::Converged => "converged",
                harmony::engine::outcome::Ending::Changed => "changed",
                harmony::engine::outcome::Ending::Failed => "failed",
                harmony::engine::outcome::Ending::Interrupted => "interrupted",
            },
            create: counts.create,
            update: counts.update,
            replace: counts.replace,
            delete: counts.delete,
            unchanged: counts.unchanged,
            writes: outcome.writes,
            proofs: outcome.proofs.len(),
        }
    }

    /// Of a command that counts nothing.
    pub(crate) fn of(outcome: &'static str) -> Self {
        Self { outcome, ..Self::default() }
    }

    pub(crate) fn line(&self, took: std::time::Duration) -> String {
        let Self { outcome, create, update, replace, delete, unchanged, writes, proofs } = self;
        // Written by hand to keep the order of the fields, which people read.
        format!(
            "{{\"event\":\"summary\",\"version\":{EVENTS},\"outcome\":\"{outcome}\",\"create\":{create},\"update\":{update},\
             \"replace\":{replace},\"delete\":{delete},\"unchanged\":{unchanged},\"writes\":{writes},\"proofs\":{proofs},\
             \"seconds\":{:.3}}}\n",
            took.as_secs_f64()
        )
    }
}

/// One line with an event of the given name.
pub(crate) fn json_line(event: &str, what: impl Serialize) -> String {
    let line = Line { event, version: EVENTS, what };
    // Everything that is written here has text keys, so this cannot fail; an empty line would be worse than none.
    serde_json::to_string(&line).map(|line| line + "\n").unwrap_or_default()
}

/// One line with an event of the engine.
pub(crate) fn event_line(event: &Event) -> String {
    #[derive(Serialize)]
    struct Versioned<'a> {
        #[serde(flatten)]
        event: &'a Event,
        version: u32,
    }
    serde_json::to_string(&Versioned { event, version: EVENTS }).map(|line| line + "\n").unwrap_or_default()
}

/// One line for each step that does something.
pub(crate) fn planned_changes<'a>(steps: impl Iterator<Item = &'a Step>) -> String {
    #[derive(Serialize)]
    struct Planned<'a> {
        action: &'static str,
        #[serde(flatten)]
        step: &'a Step,
    }
    steps.map(|step| json_line("planned_change", Planned { action: action(&step.change), step })).collect()
}

fn action(change: &Change) -> &'static str {
    match change {
        Change::None => "none",
        Change::Create => "create",
        Change::Update => "update",
        Change::Replace { .. } => "replace",
        Change::UnknownUntil { .. } => "unknown",
        Change::Delete { .. } => "delete",
        Change::Forget => "forget",
        Change::Forbidden { .. } => "forbidden",
        Change::Prove => "prove",
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_summary_has_its_fields_in_the_promised_order() {
        let summary = Summary { create: 1, writes: 2, ..Summary::of("changed") };
        let line = summary.line(Duration::from_millis(1500));
        assert_eq!(
            line,
            "{\"event\":\"summary\",\"version\":1,\"outcome\":\"changed\",\"create\":1,\"update\":0,\"replace\":0,\"delete\":0,\
             \"unchanged\":0,\"writes\":2,\"proofs\":0,\"seconds\":1.500}\n"
        );
        serde_json::from_str::<serde_json::Value>(&line).unwrap();
    }
}
