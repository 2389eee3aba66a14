//! `verify`.

use harmony::topology::Topology;

use super::look::{Ended, On};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::invocation::Session;
use crate::report::{self, Summary};

/// Carries out every proof.
pub(super) async fn verify<T: Topology>(
    session: &Session,
    (inventory, topology, scores): On<'_, T>,
) -> Result<Ended, CommandError> {
    let outcome = session.maestro(topology.site()).verify(inventory, topology, scores).await?;
    session.progress.end();
    session.console.message(report::failures(&outcome.failures, &session.sources(), &session.messages).as_bytes());
    session.console.message(report::silences(&outcome.silent, &[], &session.messages).as_bytes());
    if !outcome.not_begun.is_empty() {
        session.remark("what is there is not as the Scores say: `drift` shows in what");
    }
    session.text(&report::verified(&outcome, &session.layout));
    session.json(|| report::proof_lines(&outcome) + &report::silence_lines(&outcome.silent, &[]));
    let exit = if outcome.failures.is_empty() && outcome.silent.is_empty() { Exit::Done } else { Exit::Failed };
    Ok(Ended { exit, summary: Summary::of_outcome(&outcome) })
}
