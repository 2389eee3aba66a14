//! Striking things from the Ledger without touching them.

use std::collections::BTreeSet;

use super::error::EngineError;
use super::exclusion::Exclusion;
use super::ledger::{Entry, Key, Ledger};
use super::maestro::Maestro;
use super::outcome::Outcome;
use super::plan::{Change, Plan, Step, Subject};
use super::prepared::leave_nothing;
use super::scope::Targets;
use crate::address::Address;
use crate::topology::Site;
use crate::value;

/// Things that are to be struck from the Ledger, with the lock held.
pub struct Forgetting {
    plan: Plan,
    keys: Vec<Key>,
    ledger: Ledger,
    site: Site,
    exclusion: Exclusion,
}

impl Maestro {
    /// Strikes what `targets` mean from the Ledger: from then on it is foreign. Nothing is done to it, and no place is looked at.
    ///
    /// # Errors
    /// [`EngineError::Target`] if one of them means nothing that the Ledger names; [`EngineError::StillReached`] if something else is
    /// reached through it; else as [`Maestro::prepare`].
    pub async fn prepare_forget(&self, targets: &Targets) -> Result<Forgetting, EngineError> {
        let exclusion = self.exclude().await?;
        let mut ledger = self.ledger_of_any_place().await?;
        ledger.set_fence(exclusion.fence());
        let known: Vec<_> = ledger.entries().map(|entry| (&entry.address, &entry.origin)).collect();
        targets.check(known.into_iter())?;
        let struck: Vec<&Entry> = ledger.entries().filter(|entry| targets.mean(&entry.address, &entry.origin)).collect();
        refuse_if_reached(&ledger, &struck)?;
        let keys = struck.iter().map(|entry| entry.key.clone()).collect();
        let mut steps: Vec<Step> = struck.into_iter().map(step).collect();
        steps.sort_by(|one, other| one.address.cmp(&other.address));
        let plan = Plan { steps, ..Plan::on(ledger.serial()) };
        Ok(Forgetting { plan, keys, ledger, site: self.site.clone(), exclusion })
    }
}

impl Forgetting {
    /// What would be struck.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Strikes it.
    ///
    /// # Errors
    /// [`EngineError::Ledger`] if that cannot be written down.
    pub async fn carry_out(mut self) -> Result<Outcome, EngineError> {
        self.ledger.strike(&self.keys).await?;
        let mut exclusion = Some(self.exclusion);
        leave_nothing(&self.ledger, &self.site, &mut exclusion).await?;
        if let Some(exclusion) = &mut exclusion {
            exclusion.give_lease_back().await;
        }
        let mut outcome = Outcome::default();
        outcome.counts.forget = self.keys.len();
        Ok(outcome)
    }
}

/// What lives in a forgotten thing could never be taken away: nobody would know how to reach it.
fn refuse_if_reached(ledger: &Ledger, struck: &[&Entry]) -> Result<(), EngineError> {
    let addresses: BTreeSet<&Address> = struck.iter().map(|entry| &entry.address).collect();
    let through =
        |entry: &Entry| value::references(&entry.access).into_iter().find(|reference| addresses.contains(&reference.of));
    let stays = ledger.entries().filter(|entry| !addresses.contains(&entry.address));
    let reached = stays.filter_map(|entry| Some((entry.address.clone(), through(entry)?.of)));
    match reached.min() {
        Some((by, address)) => Err(EngineError::StillReached { address, by }),
        None => Ok(()),
    }
}

fn step(entry: &Entry) -> Step {
    Step {
        address: entry.address.clone(),
        subject: Subject::Resource,
        kind: entry.key.kind.clone(),
        label: format!("{} {}", entry.key.kind, entry.label),
        origin: entry.origin.clone(),
        change: Change::Forget,
        fields: Vec::new(),
        loss: None,
    }
}
