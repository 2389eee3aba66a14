//! `drift`.

use harmony::engine::plan::{Change, Step};
use harmony::topology::Topology;

use super::look::{Ended, On};
use super::other_run::note_other_run;
use super::plan::told_silence;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::invocation::Session;
use crate::report::{self, Summary};

/// Tells what is not as the Scores say. That a proof has not been carried out yet is no drift.
pub(super) async fn drift<T: Topology>(
    session: &Session,
    (inventory, topology, scores): On<'_, T>,
) -> Result<Ended, CommandError> {
    note_other_run(session, topology.site()).await;
    let plan = session.maestro(topology.site()).plan(inventory, topology, scores).await?;
    session.progress.end();
    // What waits to be known may well be as it should.
    let is_drift = |step: &&Step| step.change != Change::Prove && !plan.is_in_the_dark(step);
    let differs: Vec<&Step> = plan.pending().filter(is_drift).collect();
    session.text(&report::drift(&differs, &plan.silent, &session.layout));
    session.json(|| report::planned_changes(differs.iter().copied()) + &report::silence_lines(&plan.silent, &[]));
    let exit = match told_silence(session, &plan) {
        Exit::Done if !differs.is_empty() => Exit::Pending,
        exit => exit,
    };
    Ok(Ended { exit, summary: Summary { outcome: exit.outcome(), ..Summary::of_plan(&plan) } })
}
