//! What a plan or a run counts, for the summary.

use std::time::Duration;

use harmony::Outcome;
use harmony::engine::outcome::Ending;
use harmony::engine::plan::Plan;

use super::line::Line;
use super::summary::Summary;

impl Summary {
    /// Of a plan: what would be done.
    pub(crate) fn of_plan(plan: &Plan) -> Self {
        let counts = plan.counts();
        Self {
            outcome: match plan.is_pending() {
                _ if !plan.silent.is_empty() => "failed",
                true => "changed",
                false => "converged",
            },
            create: counts.create,
            update: counts.update,
            replace: counts.replace,
            delete: counts.delete,
            unchanged: counts.unchanged,
            proofs: counts.prove,
            ..Self::default()
        }
    }

    /// Of a run: what was done.
    pub(crate) fn of_outcome(outcome: &Outcome) -> Self {
        let counts = &outcome.counts;
        Self {
            outcome: match outcome.ending() {
                Ending::Converged => "converged",
                Ending::Changed => "changed",
                Ending::Failed => "failed",
                Ending::Interrupted => "interrupted",
            },
            create: counts.create,
            update: counts.update,
            replace: counts.replace,
            delete: counts.delete,
            unchanged: counts.unchanged,
            writes: outcome.writes,
            proofs: outcome.proofs.len(),
            ..Self::default()
        }
    }

    /// The last line of a command that took so long.
    pub(crate) fn line(&self, took: Duration) -> String {
        Line::Summary(&Self { seconds: took.as_secs_f64(), ..self.clone() }).text()
    }
}
