//! Carrying out a procedure: its states one after another, each written into the Ledger before it is brought about.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use harmony_types::TimeSpan;
use tokio::sync::Notify;

use super::error::EngineError;
use super::events::Event;
use super::ledger::Ledger;
use super::maestro::{Maestro, refuse_silent};
use super::outcome::Outcome;
use super::plan::{Plan, Step as PlanStep, Subject};
use super::prepared::{Prepared, Stopper};
use super::scope::Prune;
use crate::inventory::Inventory;
use crate::procedure::{Procedure, Underway};
use crate::score::Scores;
use crate::stage::Stage;
use crate::topology::Topology;

/// A procedure that can be carried out, or gone on with, with the lock held since before anything was looked at.
pub struct PreparedProcedure<'a, T: Topology + ?Sized> {
    maestro: &'a Maestro,
    on: On<'a, T>,
    procedure: Procedure,
    stands: Option<Underway>,
    held_for: Option<TimeSpan>,
    prepared: Prepared,
    stopper: ProcedureStopper,
}

type On<'a, T> = (&'a Inventory, &'a T, &'a Scores<T>);

/// Stops a procedure from elsewhere: what is in flight finishes, nothing new begins. It goes on from there when it is run again.
#[derive(Clone, Default)]
pub struct ProcedureStopper(Arc<Stopping>);

#[derive(Default)]
struct Stopping {
    stopped: AtomicBool,
    told: Notify,
    run: Mutex<Option<Stopper>>,
}

impl ProcedureStopper {
    /// Asks the procedure to stop.
    pub fn stop(&self) {
        self.0.stopped.store(true, Ordering::SeqCst);
        if let Some(run) = self.0.run.lock().unwrap_or_else(PoisonError::into_inner).as_ref() {
            run.stop();
        }
        self.0.told.notify_one();
    }

    fn is_stopped(&self) -> bool {
        self.0.stopped.load(Ordering::SeqCst)
    }

    fn watch(&self, prepared: &Prepared) {
        let run = prepared.stopper();
        *self.0.run.lock().unwrap_or_else(PoisonError::into_inner) = Some(run.clone());
        if self.is_stopped() {
            run.stop();
        }
    }

    /// Waits so long, or until the procedure is asked to stop.
    async fn wait(&self, span: Duration) {
        if !self.is_stopped() {
            // Being told in the meantime is no error, and neither is hearing nothing.
            let _ = tokio::time::timeout(span, self.0.told.notified()).await;
        }
    }
}

/// Where the procedures of a site stand.
impl Maestro {
    /// The procedures that have begun and not ended. Reads only.
    ///
    /// # Errors
    /// [`EngineError::Ledger`] if the Ledger cannot be read.
    pub async fn underway(&self) -> Result<Vec<Underway>, EngineError> {
        Ok(Ledger::of(&self.site).await?.underway().to_vec())
    }

    /// A procedure that can be carried out, with the lock held. One that has begun earlier goes on from where it stands; `held_for` is
    /// how long its states are held, if not as it says itself.
    ///
    /// # Errors
    /// [`EngineError::NotAtRest`] if it has not begun and `apply` would change something; [`EngineError::Silent`] if a place does not answer;
    /// else as [`Maestro::prepare`].
    pub async fn prepare_procedure<'a, T: Topology + ?Sized>(
        &'a self,
        on: (&'a Inventory, &'a T, &'a Scores<T>),
        procedure: &Procedure,
        held_for: Option<TimeSpan>,
    ) -> Result<PreparedProcedure<'a, T>, EngineError> {
        let (inventory, topology, scores) = on;
        Stage::play_all(scores, inventory, topology)?;
        let exclusion = self.exclude().await?;
        let ledger = self.ledger(topology).await?;
        let stands = ledger.underway().iter().find(|underway| procedure.is(underway)).cloned();
        let held_for = held_for.or(stands.as_ref().and_then(|stands| stands.held_for));
        let played = Stage::play_during(scores, inventory, topology, ledger.underway())?;
        let prepared = self.prepare_with(played, ledger, Prune::Everything, Some(exclusion)).await?;
        refuse_silent(prepared.plan())?;
        let procedure = procedure.clone();
        match &stands {
            Some(stands) if procedure.position(&stands.step).is_none() => {
                let (procedure, step) = (procedure.title(), stands.step.clone());
                return Err(EngineError::UnknownStep { procedure, step });
            }
            Some(_) => {}
            None => refuse_unless_at_rest(&procedure, prepared.plan())?,
        }
        Ok(PreparedProcedure { maestro: self, on, procedure, stands, held_for, prepared, stopper: ProcedureStopper::default() })
    }
}

fn refuse_unless_at_rest(procedure: &Procedure, plan: &Plan) -> Result<(), EngineError> {
    // A proof that has not passed since is carried out by every step.
    let differs = |step: &&PlanStep| step.change.is_pending() && step.subject == Subject::Resource;
    let steps: Vec<PlanStep> = plan.steps.iter().filter(differs).cloned().collect();
    if steps.is_empty() { Ok(()) } else { Err(EngineError::NotAtRest { procedure: procedure.title(), steps }) }
}

impl<T: Topology + ?Sized> PreparedProcedure<'_, T> {
    /// What is done.
    pub fn procedure(&self) -> &Procedure {
        &self.procedure
    }

    /// Where it stands, if it has begun.
    #[must_use]
    pub fn stands(&self) -> Option<&Underway> {
        self.stands.as_ref()
    }

    /// What is left to do for the step at which it stands.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        self.prepared.plan()
    }

    /// Something to stop it with.
    #[must_use]
    pub fn stopper(&self) -> ProcedureStopper {
        self.stopper.clone()
    }

    /// Carries it out to its end, or to where it cannot go on: the state that was reached then holds until it is run again.
    ///
    /// # Errors
    /// As [`Prepared::apply`] and [`Maestro::prepare`]. What failed on the way is in the outcome.
    pub async fn carry_out(mut self) -> Result<Outcome, EngineError> {
        let carried_out = self.go_on().await;
        if let Some(exclusion) = &mut self.prepared.exclusion {
            exclusion.give_lease_back().await;
        }
        carried_out
    }

    async fn go_on(&mut self) -> Result<Outcome, EngineError> {
        let mut outcome = Outcome::default();
        if let Some(stands) = self.stands.take() {
            outcome.add(self.bring_about(stands).await?);
        }
        while let (Some(next), true) = (self.next(), outcome.is_complete()) {
            self.begin(next).await?;
            let Some(stands) = self.stands.take() else { break };
            outcome.add(self.bring_about(stands).await?);
        }
        if outcome.is_complete() {
            let procedure = &self.procedure;
            self.prepared.ledger.end(|underway| procedure.is(underway)).await?;
        }
        Ok(outcome)
    }

    /// The step behind the last one that was brought about.
    fn next(&self) -> Option<usize> {
        let mine = self.prepared.ledger.underway().iter().find(|underway| self.procedure.is(underway));
        let next = mine.and_then(|underway| self.procedure.position(&underway.step)).map_or(0, |at| at + 1);
        (next < self.procedure.steps.len()).then_some(next)
    }

    /// Writes down that the step begins, and looks at what it takes.
    async fn begin(&mut self, number: usize) -> Result<(), EngineError> {
        let Some(step) = self.procedure.steps.get(number) else { return Ok(()) };
        let (name, subject) = (self.procedure.name.clone(), self.procedure.subject.clone());
        let stands = Underway { name, subject, step: step.name.clone(), held_for: self.held_for, reached: None };
        // Looking comes first: what cannot be looked at is no reason to stand at a step of which nothing has been done.
        let (inventory, topology, scores) = self.on;
        let mut would: Vec<Underway> = self.prepared.ledger.underway().to_vec();
        would.retain(|other| !self.procedure.is(other));
        would.push(stands.clone());
        let played = Stage::play_during(scores, inventory, topology, &would)?;
        let ledger = self.maestro.ledger(topology).await?;
        let exclusion = self.prepared.exclusion.take();
        let mut prepared = self.maestro.prepare_with(played, ledger, Prune::Everything, exclusion).await?;
        if prepared.plan().refusals().next().is_none() {
            prepared.ledger.stand(stands.clone()).await?;
        }
        self.prepared = prepared;
        self.stands = Some(stands);
        Ok(())
    }

    /// Brings the state of the step about, and holds it.
    async fn bring_about(&mut self, stands: Underway) -> Result<Outcome, EngineError> {
        let at = self.procedure.position(&stands.step).unwrap_or_default();
        let step = self.procedure.steps.get(at).cloned();
        let Some(step) = step else { return Ok(Outcome::default()) };
        self.stopper.watch(&self.prepared);
        self.prepared.run.emit(&Event::ProcedureStep {
            procedure: self.procedure.name.clone(),
            subject: self.procedure.subject.clone(),
            step: step.name.clone(),
            number: at + 1,
            of: self.procedure.steps.len(),
            changes: step.changes.clone(),
        });
        let mut outcome = self.prepared.carry_out().await?;
        outcome.interrupted |= self.stopper.is_stopped();
        if !outcome.is_complete() {
            return Ok(outcome);
        }
        if let Some(span) = self.held_for.filter(|_| step.held_for.is_some()).or(step.held_for) {
            // Whoever had to be changed once more has not had the whole time yet.
            let since = stands.reached.filter(|_| outcome.writes == 0);
            self.hold(&Underway { reached: Some(since.unwrap_or_else(|| now() + 1)), held_for: self.held_for, ..stands }, span)
                .await?;
            outcome.interrupted |= self.stopper.is_stopped();
        }
        Ok(outcome)
    }

    async fn hold(&mut self, stands: &Underway, span: TimeSpan) -> Result<(), EngineError> {
        self.prepared.ledger.stand(stands.clone()).await?;
        let left = left(stands, span, now());
        if left.is_zero() {
            return Ok(());
        }
        self.prepared.run.emit(&Event::ProcedureHolds {
            procedure: self.procedure.name.clone(),
            subject: self.procedure.subject.clone(),
            step: stands.step.clone(),
            seconds: left.as_secs_f64(),
        });
        self.stopper.wait(left).await;
        Ok(())
    }
}

/// How much longer a state is held; all of it where the clock has gone back. The second in which it was reached does not count.
fn left(stands: &Underway, span: TimeSpan, now: u64) -> Duration {
    let passed = stands.reached.and_then(|reached| now.checked_sub(reached)).unwrap_or_default();
    span.as_duration().saturating_sub(Duration::from_secs(passed))
}

fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// The procedures that have begun, and that no Score offers any more.
pub(super) fn abandoned<T: Topology + ?Sized>(ledger: &Ledger, scores: &Scores<T>) -> Vec<Underway> {
    if ledger.underway().is_empty() {
        return Vec::new();
    }
    let offered = scores.procedures();
    let is_offered = |underway: &&Underway| offered.iter().any(|procedure| procedure.is(underway));
    ledger.underway().iter().filter(|underway| !is_offered(underway)).cloned().collect()
}

/// Where a procedure stands, for users of other commands.
pub(super) fn standing(underway: &Underway, offered: &[Procedure]) -> String {
    let title = underway.title();
    match offered.iter().find(|procedure| procedure.is(underway)) {
        None => format!("`{title}` has begun, and no Score offers it any more: it ends with the next `apply`"),
        Some(procedure) => {
            let number = procedure.position(&underway.step).map_or(0, |at| at + 1);
            let (of, step) = (procedure.steps.len(), &underway.step);
            format!("`{title}` is under way, at step {number} of {of} ({step}), whose state holds: go on with `run {title}`")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reached(at: u64) -> Underway {
        let (name, subject, step) = ("rotate".to_owned(), "a".to_owned(), "hand-out".to_owned());
        Underway { name, subject, step, held_for: None, reached: Some(at) }
    }

    #[test]
    fn a_state_is_held_for_its_whole_time_also_over_several_runs() {
        let span = TimeSpan::seconds(30);
        assert_eq!(left(&reached(1000), span, 1000), Duration::from_secs(30));
        assert_eq!(left(&reached(1000), span, 1010), Duration::from_secs(20));
        assert_eq!(left(&reached(1000), span, 5000), Duration::ZERO);
    }

    #[test]
    fn a_clock_that_went_back_shortens_nothing() {
        assert_eq!(left(&reached(1000), TimeSpan::seconds(30), 900), Duration::from_secs(30));
    }
}
