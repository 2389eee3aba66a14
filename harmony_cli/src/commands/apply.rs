//! `apply` and `destroy`: the only commands that change something.

use harmony::engine::maestro::{AfterFailure, Prepared};
use harmony::engine::outcome::Ending;
use harmony::engine::saved::SavedPlan;
use harmony::topology::Topology;
use harmony::{EngineError, Outcome};

use super::look::{Ended, On};
use super::plan;
use crate::arguments::{AdoptArguments, ApplyArguments, DestroyArguments};
use crate::asking::{Answer, confirm};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::interrupt::Interrupts;
use crate::invocation::Session;
use crate::report::{self, Summary};

/// Makes everything as the Scores say.
pub(super) async fn apply<T: Topology>(
    session: &Session,
    interrupts: &mut Interrupts,
    arguments: &ApplyArguments,
    (inventory, topology, scores): On<'_, T>,
) -> Result<Ended, CommandError> {
    let losses = &arguments.losses.allow_loss;
    let after_failure = if arguments.fail_fast { AfterFailure::Stop } else { AfterFailure::GoOn };
    let maestro = session
        .maestro_at(topology.site(), arguments.home, &arguments.targets)
        .with_allowances(plan::allowances(losses, &arguments.adoptions))
        .with_after_failure(after_failure);
    if let Some(file) = &arguments.file {
        let saved = SavedPlan::load(&topology.site().io, file).map_err(EngineError::from)?;
        let prepared = prepared(interrupts, maestro.prepare_saved(&saved, inventory, topology, scores)).await?;
        // Whoever saved it has seen it.
        return go_on(session, interrupts, prepared, Question { text: "Apply this plan?", skip: true }).await;
    }
    let prepared = prepared(interrupts, maestro.prepare(inventory, topology, scores)).await?;
    plan::note_idle_flags(session, prepared.plan(), losses, &arguments.adoptions.adopt);
    go_on(session, interrupts, prepared, Question { text: "Apply these changes?", skip: arguments.yes }).await
}

/// Takes everything away that this program has made.
pub(super) async fn destroy<T: Topology>(
    session: &Session,
    interrupts: &mut Interrupts,
    arguments: &DestroyArguments,
    (inventory, topology, scores): On<'_, T>,
) -> Result<Ended, CommandError> {
    let losses = &arguments.losses.allow_loss;
    let maestro = session
        .maestro_at(topology.site(), arguments.home, &arguments.targets)
        .with_allowances(plan::allowances(losses, &AdoptArguments::default()));
    let prepared = prepared(interrupts, maestro.prepare_destroy(topology)).await?;
    plan::note_idle_flags(session, prepared.plan(), losses, &[]);
    if !prepared.plan().is_pending() {
        // Nothing was made by this program, unless it has lost the memory of it. What cannot be looked at says nothing.
        let foreign = maestro.foreign(inventory, topology, scores).await.unwrap_or_default();
        // Carrying out nothing takes the lock away that was taken for it.
        prepared.apply().await?;
        session.progress.end();
        if let Some(first) = foreign.first() {
            let many = foreign.len();
            let says = format!(
                "the Ledger of this program names nothing, and yet {many} of the things that its Scores want are there, `{first}` being the first"
            );
            return Err(CommandError::MayBeLost(says));
        }
        session.text("Nothing to take away: this program has made nothing that is still there.\n");
        return Ok(Ended::with(Exit::Done));
    }
    go_on(session, interrupts, prepared, Question { text: "Take all of this away?", skip: arguments.yes }).await
}

/// What the user is asked before anything is changed.
pub(super) struct Question {
    pub(super) text: &'static str,
    pub(super) skip: bool,
}

/// Looking changes nothing, so it stops at once.
async fn prepared(
    interrupts: &mut Interrupts,
    preparing: impl Future<Output = Result<Prepared, EngineError>>,
) -> Result<Prepared, CommandError> {
    Ok(interrupts.unless(preparing).await.ok_or(CommandError::Interrupted)??)
}

/// Shows the plan, asks, and carries it out.
async fn go_on(
    session: &Session,
    interrupts: &mut Interrupts,
    prepared: Prepared,
    question: Question,
) -> Result<Ended, CommandError> {
    session.progress.end();
    if prepared.plan().is_pending() {
        plan::show(session, prepared.plan());
        if let Some(ended) = plan::refused(session, prepared.plan()) {
            return Ok(ended);
        }
        // Proofs and the Ledger's own lines are nobody's property but this program's.
        let skip = question.skip || !prepared.plan().beginning().any(report::changes_something);
        consent(session, interrupts, Question { skip, ..question }).await?;
        session.text("\n");
    }
    let outcome = watched(session, interrupts, prepared).await?;
    session.progress.end();
    Ok(report_outcome(session, &outcome))
}

/// Goes on only if the user agrees.
pub(super) async fn consent(session: &Session, interrupts: &mut Interrupts, question: Question) -> Result<(), CommandError> {
    if question.skip {
        return Ok(());
    }
    let asked = interrupts.unless(confirm(&session.console, question.text)).await.ok_or(CommandError::Interrupted)?;
    match asked.map_err(|source| CommandError::Input { source })? {
        Answer::Yes => Ok(()),
        Answer::No => Err(CommandError::Declined),
        Answer::Nobody => Err(CommandError::NoConsent { flag: "--yes" }),
    }
}

/// Carries the plan out. The first interrupt lets what is in flight finish, the second one leaves it.
async fn watched(session: &Session, interrupts: &mut Interrupts, prepared: Prepared) -> Result<Outcome, CommandError> {
    let stopper = prepared.stopper();
    let mut applying = Box::pin(prepared.apply());
    let mut stopping = false;
    loop {
        tokio::select! {
            outcome = &mut applying => return Ok(outcome?),
            () = interrupts.next() => {
                if stopping {
                    return Err(CommandError::Aborted);
                }
                stopping = true;
                stopper.stop();
                session.remark(&stop_words(&session.progress.in_flight()));
            }
        }
    }
}

pub(super) fn stop_words(in_flight: &[String]) -> String {
    let work = if in_flight.is_empty() { "nothing is in flight".to_owned() } else { in_flight.join(", ") };
    format!("stopping after what is in flight: {work}; interrupt again to stop at once")
}

pub(super) fn report_outcome(session: &Session, outcome: &Outcome) -> Ended {
    session.console.message(report::failures(&outcome.failures, &session.sources(), &session.messages).as_bytes());
    session.console.message(report::silences(&outcome.silent, &outcome.waiting, &session.messages).as_bytes());
    session.console.message(report::after_failures(outcome, &session.messages).as_bytes());
    session.text(&report::done(outcome, &session.layout));
    session.json(|| report::proof_lines(outcome) + &report::next_step_lines(outcome));
    let exit = match outcome {
        _ if outcome.interrupted => Exit::Interrupted,
        _ if outcome.ending() == Ending::Failed => Exit::Failed,
        _ => Exit::Done,
    };
    Ended { exit, summary: Summary::of_outcome(outcome) }
}
