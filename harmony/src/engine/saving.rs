//! Making a plan that can be saved, and carrying a saved one out.

use std::collections::BTreeMap;

use super::error::EngineError;
use super::exclusion::Exclusion;
use super::home::Home;
use super::ledger::{Ledger, LedgerError};
use super::maestro::{Maestro, Prepared, refuse_empty, refuse_silent};
use super::moved::moved;
use super::procedure::abandoned;
use super::saved::{Marked, PlanRefusal, SavedPlan, marked};
use super::scope::Prune;
use super::witness::{Key, Mark, Witness};
use crate::address::Address;
use crate::arrangement::Arrangement;
use crate::inventory::Inventory;
use crate::score::Scores;
use crate::stage::Stage;
use crate::topology::{Providers, Topology};

impl Maestro {
    /// What a run would do, in a form that can be saved and carried out later exactly as it is. Reads only, but for a key in the state
    /// directory, under which everything that was seen is marked: the first such plan makes it, with the lock held.
    ///
    /// # Errors
    /// [`EngineError::Silent`] if a place does not answer: of what is there nothing could be compared later. Else as [`Maestro::plan`]; as
    /// [`Maestro::prepare`] if there is no key yet.
    pub async fn plan_to_save<T: Topology + ?Sized>(
        &self,
        inventory: &Inventory,
        topology: &T,
        scores: &Scores<T>,
    ) -> Result<SavedPlan, EngineError> {
        let (ledger, played) = self.play(inventory, topology, scores).await?;
        refuse_empty(&played.0, &ledger)?;
        let key = self.ensure_key().await?;
        let (program, home) = (self.program(), self.home(topology)?);
        let identity = ledger.identity().map(str::to_owned);
        let witness = Witness::new(key);
        let (prepared, things) = self.prepare_seen(played, ledger, &witness, None).await?;
        refuse_silent(prepared.plan())?;
        let (allowances, targets, key) = (self.allowances.clone(), self.targets.clone(), witness.key().name());
        Ok(SavedPlan { program, home, ledger: identity, targets, allowances, plan: prepared.into_plan(), key, things })
    }

    /// The saved plan, to be carried out with the lock held: exactly as it was saved.
    ///
    /// # Errors
    /// [`EngineError::SavedPlan`] if it is the plan of another program, site or Ledger, or if anything is not as it was planned; else as
    /// [`Maestro::prepare`]. What this conductor allows does not count, what was allowed to the plan does.
    pub async fn prepare_saved<T: Topology + ?Sized>(
        &self,
        saved: &SavedPlan,
        inventory: &Inventory,
        topology: &T,
        scores: &Scores<T>,
    ) -> Result<Prepared, EngineError> {
        let planned = self.clone().with_allowances(saved.allowances.clone()).with_targets(saved.targets.clone());
        planned.refuse_others(saved, topology)?;
        Stage::play_all(scores, inventory, topology)?;
        let exclusion = self.exclude().await?;
        let (ledger, played) = self.play(inventory, topology, scores).await?;
        let abandoned = abandoned(&ledger, scores);
        refuse_other_ledger(saved, &ledger)?;
        let key = Key::find(&self.site.io, &self.site.state).map_err(LedgerError::from)?;
        let key = key.filter(|key| key.name() == saved.key);
        let key = key.ok_or_else(|| PlanRefusal::Key { here: self.site.state.clone() })?;
        let (prepared, things) = planned.prepare_seen(played, ledger, &Witness::new(key), Some(exclusion)).await?;
        let moved = moved((&saved.plan, &saved.things), (prepared.plan(), &things));
        if moved.is_empty() { Ok(Prepared { abandoned, ..prepared }) } else { Err(PlanRefusal::Moved { moved }.into()) }
    }

    async fn prepare_seen(
        &self,
        (arrangement, providers): (Arrangement, Providers),
        ledger: Ledger,
        witness: &std::sync::Arc<Witness>,
        exclusion: Option<Exclusion>,
    ) -> Result<(Prepared, Vec<Marked>), EngineError> {
        let wish = |(address, node)| (Address::clone(address), witness.key().of_wish(node));
        let wishes: BTreeMap<Address, Mark> = arrangement.nodes.iter().map(wish).collect();
        let providers = witness.watch(&providers);
        let prepared = self.prepare_with((arrangement, providers), ledger, Prune::Everything, exclusion).await?;
        let things = marked(&prepared.items, &wishes, witness);
        Ok((prepared, things))
    }

    /// The name of the folder in which the program keeps its state is its own.
    fn program(&self) -> String {
        self.site.state.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    fn home(&self, topology: &(impl Topology + ?Sized)) -> Result<Option<Home>, EngineError> {
        let here = || Home::here(&self.site.io, &self.site.state).map_err(LedgerError::from);
        Ok(if topology.is_of_this_machine() { Some(here()?) } else { None })
    }

    async fn ensure_key(&self) -> Result<Key, EngineError> {
        let (io, state) = (&self.site.io, &self.site.state);
        if let Some(key) = Key::find(io, state).map_err(LedgerError::from)? {
            return Ok(key);
        }
        // Two plans that make the key at once would have two keys, and only one of them would be kept.
        let _exclusion = self.exclude().await?;
        match Key::find(io, state).map_err(LedgerError::from)? {
            Some(key) => Ok(key),
            None => Ok(Key::make(io, state).map_err(LedgerError::from)?),
        }
    }

    /// Refuses the plan of another program or site.
    fn refuse_others(&self, saved: &SavedPlan, topology: &(impl Topology + ?Sized)) -> Result<(), EngineError> {
        let (here, home) = (self.program(), self.home(topology)?);
        if saved.program != here {
            return Err(PlanRefusal::Program { planned: saved.program.clone(), here }.into());
        }
        let elsewhere = match (&saved.home, &home) {
            (Some(planned), Some(here)) => planned.differs_from(here, |_, _| false).is_some(),
            (planned, here) => planned.is_some() != here.is_some(),
        };
        if elsewhere {
            let name = |home: &Option<Home>| home.as_ref().map_or_else(|| "no machine in particular".to_owned(), Home::to_string);
            return Err(PlanRefusal::Site { planned: name(&saved.home), here: name(&home) }.into());
        }
        Ok(())
    }
}

/// Refuses a plan that stands on another Ledger, or on another state of it.
fn refuse_other_ledger(saved: &SavedPlan, ledger: &Ledger) -> Result<(), PlanRefusal> {
    let name = |identity: Option<&str>, serial: u64| match identity {
        Some(identity) => format!("run {serial} of the Ledger {identity}"),
        None if serial > 0 => format!("run {serial} of a Ledger without identity"),
        None => "no Ledger: nothing had been made".to_owned(),
    };
    let planned = (saved.ledger.as_deref(), saved.plan.ledger_serial);
    let now = (ledger.identity(), ledger.serial());
    if planned == now {
        return Ok(());
    }
    Err(PlanRefusal::Ledger { planned: name(planned.0, planned.1), here: name(now.0, now.1) })
}
