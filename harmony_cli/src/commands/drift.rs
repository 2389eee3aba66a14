//! `drift`.

use harmony::engine::plan::{Change, Step};
use harmony::topology::Topology;

use super::look::{Ended, On};
use super::other_run::note_other_run;
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
    let differs: Vec<&Step> = plan.steps.iter().filter(|step| step.change.is_pending() && step.change != Change::Prove).collect();
    session.text(&report::drift(&differs, &session.layout));
    session.json(|| report::planned_changes(differs.iter().copied()));
    let exit = if differs.is_empty() { Exit::Done } else { Exit::Pending };
    Ok(Ended { exit, summary: Summary { outcome: exit.outcome(), ..Summary::of_plan(&plan) } })
}
