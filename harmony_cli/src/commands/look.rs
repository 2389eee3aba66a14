//! Which command does what, and the small ones that only look.

use harmony::topology::Topology;
use harmony::{Inventory, Scores, Stage};

use super::other_run::note_other_run;
use super::{apply, drift, graph, plan, render, run, verify};
use crate::arguments::Command;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::interrupt::Interrupts;
use crate::invocation::Session;
use crate::report::{self, Summary};

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) exit: Exit,
    pub(crate) summary: Summary,
}

impl Ended {
    /// With this exit code, and nothing counted.
    pub(crate) fn with(exit: Exit) -> Self {
        Self { exit, summary: Summary::of(exit.outcome()) }
    }
}

/// What a command works on.
pub(crate) type On<'a, T> = (&'a Inventory, &'a T, &'a Scores<T>);

/// Carries out a command that needs the place.
pub(crate) async fn carry_out<T: Topology>(
    session: &Session,
    interrupts: &mut Interrupts,
    command: Command,
    on: On<'_, T>,
) -> Result<Ended, CommandError> {
    // On the heap, each: together they would leave little of a test's or a worker's stack of 2 MiB.
    let reading = Box::pin(async {
        match &command {
            Command::Plan(arguments) => plan::plan(session, arguments, on).await,
            Command::Verify => verify::verify(session, on).await,
            Command::Drift => drift::drift(session, on).await,
            Command::Render(arguments) => render::render(session, arguments, on).await,
            Command::List(_) => list(session, on),
            Command::Graph(arguments) => graph::graph(session, arguments, on),
            Command::Status => status(session, on).await,
            Command::Apply(_)
            | Command::Destroy(_)
            | Command::Forget(_)
            | Command::Run(_)
            | Command::Secrets(_)
            | Command::Show { .. }
            | Command::Facts
            | Command::Doctor
            | Command::Completions { .. } => Ok(Ended::with(Exit::Done)),
        }
    });
    match &command {
        Command::Apply(arguments) => Box::pin(apply::apply(session, interrupts, arguments, on)).await,
        Command::Destroy(arguments) => Box::pin(apply::destroy(session, interrupts, arguments, on)).await,
        Command::Run(arguments) => Box::pin(run::run(session, interrupts, arguments, on)).await,
        _ => interrupts.unless(reading).await.unwrap_or(Err(CommandError::Interrupted)),
    }
}

fn list<T: Topology>(session: &Session, (inventory, topology, scores): On<'_, T>) -> Result<Ended, CommandError> {
    let (arrangement, _) = Stage::play_all(scores, inventory, topology)?;
    session.text(&report::listing(scores.origins(), &arrangement, &session.layout));
    session.json(|| report::listing_lines(scores.origins(), &arrangement));
    Ok(Ended::with(Exit::Done))
}

async fn status<T: Topology>(session: &Session, (inventory, topology, scores): On<'_, T>) -> Result<Ended, CommandError> {
    note_other_run(session, topology.site()).await;
    let maestro = session.maestro(topology.site());
    let standings = maestro.status(inventory, topology, scores).await?;
    session.progress.end();
    session.text(&report::status(&standings, &session.layout));
    session.json(|| report::standing_lines(&standings));
    Ok(Ended::with(if report::is_well(&standings) { Exit::Done } else { Exit::Pending }))
}
