//! A plan that can be carried out.

use std::collections::BTreeMap;
use std::time::Instant;

use serde_json::Value as Json;

use super::error::EngineError;
use super::events::Event;
use super::exclusion::Exclusion;
use super::execute::{AfterFailure, Execution};
use super::items::Items;
use super::ledger::{Ledger, LedgerError};
use super::observe::Observed;
use super::outcome::Outcome;
use super::plan::{Allowances, Plan, Step};
use super::replaced::Pairs;
use super::rights::Rights;
use super::scope::Prune;
use super::witness::KEY_FILE;
use crate::procedure::Underway;
use crate::run::Run;
use crate::topology::Site;
use crate::value::{self, Text};

/// A plan that can be carried out, with the lock held since before anything was looked at, and the lease if the site has one. Dropping it
/// frees both, the lease in the background: see [`Lease::settle`](crate::lease::Lease::settle).
pub struct Prepared {
    pub(super) plan: Plan,
    pub(super) items: Items,
    pub(super) found: Observed,
    pub(super) ledger: Ledger,
    pub(super) site: Site,
    pub(super) run: Run,
    pub(super) allowances: Allowances,
    pub(super) after_failure: AfterFailure,
    pub(super) prune: Prune,
    pub(super) pairs: Pairs,
    pub(super) next_steps: BTreeMap<String, Text>,
    pub(super) begun: Instant,
    pub(super) exclusion: Option<Exclusion>,
    /// Procedures that have begun, and that no Score offers any more: they end when the Scores' own state is reached.
    pub(super) abandoned: Vec<Underway>,
}

/// Stops a run from elsewhere: what is in flight finishes, nothing new begins.
#[derive(Clone)]
pub struct Stopper(Run);

impl Stopper {
    /// Asks the run to stop.
    pub fn stop(&self) {
        self.0.cancel();
    }
}

impl Prepared {
    /// What would happen.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    pub(super) fn into_plan(self) -> Plan {
        self.plan
    }

    /// The run's fencing number, higher than that of every run before it.
    #[must_use]
    pub fn fence(&self) -> u64 {
        self.run.fence()
    }

    /// Something to stop the run with.
    #[must_use]
    pub fn stopper(&self) -> Stopper {
        Stopper(self.run.clone())
    }

    /// Carries the plan out.
    ///
    /// # Errors
    /// [`EngineError::Refused`] if it holds a refusal: nothing has been changed then; [`EngineError::Ledger`] if something cannot be
    /// written down. What failed on the way is in the outcome.
    pub async fn apply(mut self) -> Result<Outcome, EngineError> {
        let applied = self.carry_out().await;
        if let Some(exclusion) = &mut self.exclusion {
            exclusion.give_lease_back().await;
        }
        applied
    }

    pub(super) async fn carry_out(&mut self) -> Result<Outcome, EngineError> {
        let refused: Vec<Step> = self.plan.refusals().cloned().collect();
        if !refused.is_empty() {
            return Err(EngineError::Refused { steps: refused });
        }
        let missing = self.missing_rights().await;
        if !missing.is_empty() {
            return Err(EngineError::NotPermitted { missing });
        }
        let (silent, waiting) = (self.plan.silent.clone(), self.plan.waiting.clone());
        let mut outcome = Outcome { silent, waiting, ..Outcome::default() };
        let before = self.plan.counts();
        (outcome.counts.unchanged, outcome.counts.holding) = (before.unchanged, before.holding);
        let count = self.plan.beginning().count();
        if count > 0 {
            self.run.emit(&Event::Phase { phase: "applying", count });
        }
        let execution = Execution {
            items: &self.items,
            run: &self.run,
            allowances: &self.allowances,
            after_failure: self.after_failure,
            prune: &self.prune,
            pairs: &self.pairs,
        };
        let written = execution.carry_out(&mut self.found, &mut self.ledger, &mut outcome).await;
        let written = match written {
            Ok(()) => self.write_the_end(&outcome).await,
            Err(error) => Err(error.into()),
        };
        self.note_lost_lease(&mut outcome, written)?;
        outcome.next_steps =
            self.next_steps.iter().filter_map(|(title, what)| self.known(what).map(|text| (title.clone(), text))).collect();
        outcome.took = self.begun.elapsed();
        Ok(outcome)
    }

    /// All rights that are missing for what the plan would do, and for writing that down.
    async fn missing_rights(&self) -> Vec<String> {
        let mut missing = Rights { items: &self.items, found: &self.found, run: &self.run }.missing().await;
        if self.plan.is_pending() {
            missing.extend(self.ledger.missing_rights().await);
        }
        missing
    }

    async fn write_the_end(&mut self, outcome: &Outcome) -> Result<(), EngineError> {
        self.ledger.close().await?;
        if !self.abandoned.is_empty() && outcome.is_complete() {
            self.ledger.end(|underway| self.abandoned.contains(underway)).await?;
        }
        leave_nothing(&self.ledger, &self.site, &mut self.exclusion).await
    }

    /// A run whose lease was lost has an outcome all the same: what it did before counts, and its Ledger knows what it meant to do.
    fn note_lost_lease(&self, outcome: &mut Outcome, written: Result<(), EngineError>) -> Result<(), EngineError> {
        let is_done = written.is_ok() && outcome.is_complete();
        outcome.lease_lost = self.run.lost_lease().filter(|_| !is_done);
        if outcome.lease_lost.is_some() { Ok(()) } else { written }
    }

    /// The text, unless something in it is unknown or a secret.
    fn known(&self, text: &Text) -> Option<String> {
        let text = serde_json::to_value(text).ok()?;
        match value::resolve(&text, &|reference| self.items.output(&self.found.outputs, reference)).json.into_owned() {
            Json::String(text) => Some(text),
            _ => None,
        }
    }
}

/// Removes the lock, and the state directory with it, when nothing is left that was made. What others put there stays.
pub(super) async fn leave_nothing(ledger: &Ledger, site: &Site, exclusion: &mut Option<Exclusion>) -> Result<(), EngineError> {
    if ledger.count() > 0 {
        return Ok(());
    }
    site.secrets.ensure_no_remains().await?;
    let (io, state) = (&site.io, &site.state);
    let removed = io.ensure_no_file(&state.join(KEY_FILE)).and_then(|()| {
        exclusion.as_mut().map_or(Ok(()), |exclusion| exclusion.remove_lock(io))?;
        io.ensure_no_directory(state)
    });
    match removed {
        Err(error) if !error.is_not_empty() => Err(LedgerError::from(error).into()),
        _ => Ok(()),
    }
}
