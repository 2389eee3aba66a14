//! The conductor of a run.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::join_all;

use super::decide::{Context, Entries};
pub use super::error::EngineError;
use super::events::{Event, Observer, Silent};
use super::exclusion::Exclusion;
pub use super::execute::AfterFailure;
use super::filled::fill;
use super::home::Home;
use super::items::{Item, ItemKind, Items};
use super::ledger::{Ledger, LedgerError};
use super::observe::{Observation, Observed};
use super::order::Order;
use super::outcome::{Failed, Outcome, Proved};
use super::perform::prove;
use super::plan::{Allowances, Change, Plan};
pub use super::prepared::{Prepared, Stopper};
pub use super::procedure::{PreparedProcedure, ProcedureStopper};
use super::procedure::{abandoned, standing};
use super::replaced::Pairs;
use super::schedule::Schedule;
use super::scope::{Prune, Targets};
use super::silence::{silences, waiting};
use super::status::{self, Standing};
use crate::address::Address;
use crate::arrangement::{Arrangement, Node};
use crate::error::ArrangeError;
use crate::inventory::Inventory;
use crate::run::{PATIENCE, Run, SIDE_BY_SIDE};
use crate::score::Scores;
use crate::stage::Stage;
use crate::topology::{Providers, Site, Topology};

/// How long a proof may take when nothing is being changed: what runs has elected its leaders, and a new election was seen to take 9 s
/// at most.
const VERIFY_WITHIN: Duration = Duration::from_secs(15);

/// Conducts runs over one site program's state: plan, apply, verify, destroy. Usable as a library, once or in a loop.
#[derive(Clone)]
pub struct Maestro {
    pub(super) site: Site,
    pub(super) observer: Arc<dyn Observer>,
    pub(super) allowances: Allowances,
    pub(super) targets: Targets,
    after_failure: AfterFailure,
    patience: Duration,
    accepts_move: bool,
    side_by_side: NonZeroUsize,
    chance: Option<u64>,
}

impl Maestro {
    /// A conductor for the site program that `site` describes.
    #[must_use]
    pub fn new(site: &Site) -> Self {
        Self {
            site: site.clone(),
            observer: Arc::new(Silent),
            allowances: Allowances::default(),
            targets: Targets::default(),
            after_failure: AfterFailure::GoOn,
            patience: PATIENCE,
            accepts_move: false,
            side_by_side: SIDE_BY_SIDE,
            chance: None,
        }
    }

    /// The same, telling `observer` what happens.
    #[must_use]
    pub fn with_observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = observer;
        self
    }

    /// The same, with what the user allows.
    #[must_use]
    pub fn with_allowances(mut self, allowances: Allowances) -> Self {
        self.allowances = allowances;
        self
    }

    /// The same, with plans and runs limited to `targets`. What they need comes along; in a `destroy`, so does what needs them. The rest is
    /// neither looked at nor changed.
    #[must_use]
    pub fn with_targets(mut self, targets: Targets) -> Self {
        self.targets = targets;
        self
    }

    /// The same, going on after a failure as said.
    #[must_use]
    pub fn with_after_failure(mut self, after_failure: AfterFailure) -> Self {
        self.after_failure = after_failure;
        self
    }

    /// The same, with another limit for each resource and proof than [`PATIENCE`].
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// The same for a site that was moved here on purpose: its Ledger may say that it is at home elsewhere, and from the first run that
    /// applies something on it is at home here.
    #[must_use]
    pub fn accepting_move(mut self) -> Self {
        self.accepts_move = true;
        self
    }

    /// The same, with at most so many steps at the same time instead of [`SIDE_BY_SIDE`].
    #[must_use]
    pub fn with_side_by_side(mut self, steps: NonZeroUsize) -> Self {
        self.side_by_side = steps;
        self
    }

    /// The same, drawing the pauses between tries from this seed: a test that meets failures can be repeated exactly.
    #[must_use]
    pub fn with_chance(mut self, seed: u64) -> Self {
        self.chance = Some(seed);
        self
    }

    /// What the Scores become on the place: pure, nothing is looked at.
    ///
    /// # Errors
    /// [`ArrangeError`] if a Score cannot be arranged, or they contradict each other.
    pub fn arrange<T: Topology + ?Sized>(
        inventory: &Inventory,
        topology: &T,
        scores: &Scores<T>,
    ) -> Result<Arrangement, ArrangeError> {
        Ok(Stage::play_all(scores, inventory, topology)?.0)
    }

    /// What a run would do. Reads only, and takes no lock.
    ///
    /// # Errors
    /// [`EngineError`] if the Scores cannot be arranged or something cannot be looked at.
    pub async fn plan<T: Topology + ?Sized>(
        &self,
        inventory: &Inventory,
        topology: &T,
        scores: &Scores<T>,
    ) -> Result<Plan, EngineError> {
        let (ledger, played) = self.play(inventory, topology, scores).await?;
        refuse_empty(&played.0, &ledger)?;
        Ok(self.prepare_with(played, ledger, Prune::Everything, None).await?.plan)
    }

    /// A plan that can be carried out, with the lock held.
    ///
    /// # Errors
    /// [`EngineError::Exclusion`] if another run holds it; else as [`Maestro::plan`].
    pub async fn prepare<T: Topology + ?Sized>(
        &self,
        inventory: &Inventory,
        topology: &T,
        scores: &Scores<T>,
    ) -> Result<Prepared, EngineError> {
        // What cannot be arranged is refused before there is a lock.
        let played = Stage::play_all(scores, inventory, topology)?;
        let exclusion = self.exclude().await?;
        let (ledger, played) = self.play_on(played, inventory, topology, scores).await?;
        refuse_empty(&played.0, &ledger)?;
        let abandoned = abandoned(&ledger, scores);
        let prepared = self.prepare_with(played, ledger, Prune::Everything, Some(exclusion)).await?;
        Ok(Prepared { abandoned, ..prepared })
    }

    /// A plan that plays these Scores and leaves everything else as it is, with the lock held.
    ///
    /// # Errors
    /// As [`Maestro::prepare`].
    pub async fn prepare_without_prune<T: Topology + ?Sized>(
        &self,
        inventory: &Inventory,
        topology: &T,
        scores: &Scores<T>,
    ) -> Result<Prepared, EngineError> {
        let played = Stage::play_all(scores, inventory, topology)?;
        let exclusion = self.exclude().await?;
        let (ledger, played) = self.play_on(played, inventory, topology, scores).await?;
        self.prepare_with(played, ledger, Prune::Nothing, Some(exclusion)).await
    }

    /// A plan that takes away everything that the Ledger knows, with the lock held.
    ///
    /// # Errors
    /// As [`Maestro::prepare`].
    pub async fn prepare_destroy(&self, topology: &(impl Topology + ?Sized)) -> Result<Prepared, EngineError> {
        let mut providers = Providers::default();
        topology.register(&mut providers);
        let exclusion = self.exclude().await?;
        let ledger = self.ledger(topology).await?;
        self.prepare_with((Arrangement::default(), providers), ledger, Prune::Everything, Some(exclusion)).await
    }

    /// Carries out every proof, whether or not it has passed before. Changes nothing else. What stands in a place that does not answer may fail
    /// those that need it.
    ///
    /// # Errors
    /// [`EngineError`] if the Scores cannot be arranged; what could not be looked at is a failure of the proofs that need it.
    pub async fn verify<T: Topology + ?Sized>(
        &self,
        inventory: &Inventory,
        topology: &T,
        scores: &Scores<T>,
    ) -> Result<Outcome, EngineError> {
        let (ledger, (arrangement, providers)) = self.play(inventory, topology, scores).await?;
        if ledger.count() == 0 && arrangement.nodes.values().any(|node| node.resource().is_some()) {
            return Err(EngineError::NothingMade);
        }
        let begun = Instant::now();
        let run = self.run(None);
        let (items, mut found) = self.look(arrangement.nodes, &providers, &ledger, &run, &Prune::Everything).await?;
        found.take_as_it_is();
        let mut outcome = Outcome { failures: failures(&items, &found), silent: silences(&items), ..Outcome::default() };
        let differs = |index: &usize| {
            let change = &found.verdicts[*index].change;
            change.is_pending() && *change != Change::Prove && !found.is_dim[*index]
        };
        outcome.not_begun = (0..items.len()).filter(differs).map(|index| items.items[index].address.clone()).collect();
        let proofs = (0..items.len()).filter(|index| matches!(items.items[*index].what, ItemKind::Proof { .. }));
        for proof in join_all(proofs.map(|index| verify_one(&items, index, &found, &run))).await {
            match proof {
                Ok(proved) => outcome.proofs.push(proved),
                Err(failed) => outcome.failures.push(failed),
            }
        }
        outcome.counts.prove = outcome.proofs.len();
        outcome.took = begun.elapsed();
        Ok(outcome)
    }

    /// How every thing stands. Reads only, takes no lock, and does not fail where something does not answer: it says so.
    ///
    /// # Errors
    /// [`EngineError`] if the Scores cannot be arranged, or the Ledger cannot be read.
    pub async fn status<T: Topology + ?Sized>(
        &self,
        inventory: &Inventory,
        topology: &T,
        scores: &Scores<T>,
    ) -> Result<Vec<Standing>, EngineError> {
        let (ledger, (arrangement, providers)) = self.play(inventory, topology, scores).await?;
        let (items, found) = self.look(arrangement.nodes, &providers, &ledger, &self.run(None), &Prune::Everything).await?;
        Ok(status::standings(&items, &found, &ledger))
    }

    /// What the Scores become, with everything filled in that what is there already says. It holds secrets in the open, as
    /// `{"$secret": …}`. Reads only.
    ///
    /// # Errors
    /// As [`Maestro::status`].
    pub async fn arrange_filled<T: Topology + ?Sized>(
        &self,
        inventory: &Inventory,
        topology: &T,
        scores: &Scores<T>,
    ) -> Result<Arrangement, EngineError> {
        let (ledger, (arrangement, providers)) = self.play(inventory, topology, scores).await?;
        let nodes = arrangement.nodes.clone();
        let (items, found) = self.look(nodes, &providers, &ledger, &self.run(None), &Prune::Everything).await?;
        Ok(status::filled(arrangement, &items, &found))
    }

    /// What the Scores become, with the state that procedures under way have brought about so far; says that there are some.
    pub(super) async fn play<T: Topology + ?Sized>(
        &self,
        inventory: &Inventory,
        topology: &T,
        scores: &Scores<T>,
    ) -> Result<(Ledger, (Arrangement, Providers)), EngineError> {
        self.play_on(Stage::play_all(scores, inventory, topology)?, inventory, topology, scores).await
    }

    /// The same, with what they have become already if there are no procedures.
    async fn play_on<T: Topology + ?Sized>(
        &self,
        played: (Arrangement, Providers),
        inventory: &Inventory,
        topology: &T,
        scores: &Scores<T>,
    ) -> Result<(Ledger, (Arrangement, Providers)), EngineError> {
        let ledger = self.ledger(topology).await?;
        if ledger.underway().is_empty() {
            return Ok((ledger, played));
        }
        let offered = scores.procedures();
        for underway in ledger.underway() {
            self.observer.on(&Event::Remark { says: standing(underway, &offered) });
        }
        let played = Stage::play_during(scores, inventory, topology, ledger.underway())?;
        Ok((ledger, played))
    }

    /// The things that the Scores want, that are there, and that the Ledger does not know although this program does not share them with
    /// others. Where the Ledger is empty, it may have been lost.
    ///
    /// # Errors
    /// As [`Maestro::status`].
    pub async fn foreign<T: Topology + ?Sized>(
        &self,
        inventory: &Inventory,
        topology: &T,
        scores: &Scores<T>,
    ) -> Result<Vec<Address>, EngineError> {
        let (ledger, (arrangement, providers)) = self.play(inventory, topology, scores).await?;
        let (items, found) = self.look(arrangement.nodes, &providers, &ledger, &self.run(None), &Prune::Nothing).await?;
        Ok(foreign(&items, &found, &ledger))
    }

    /// Whoever has lost the Ledger should not have to take things over one by one.
    fn remark_lost_ledger(&self, items: &Items, found: &Observed, ledger: &Ledger) {
        let foreign = foreign(items, found, ledger).len();
        if foreign > 0 && ledger.count() == 0 && !self.allowances.adopts_all {
            let there = if foreign == 1 {
                "1 of the things that the Scores want is there".to_owned()
            } else {
                format!("{foreign} of the things that the Scores want are there")
            };
            let says = format!(
                "the Ledger of this program names nothing, and {there} already: if it was lost, `--adopt-all` takes everything over, \
                 `--adopt ADDRESS` what is at and below an address"
            );
            self.observer.on(&Event::Remark { says });
        }
    }

    /// The Ledger of this program, which has to be at home here if the place is.
    pub(super) async fn ledger(&self, topology: &(impl Topology + ?Sized)) -> Result<Ledger, EngineError> {
        self.at_home(Ledger::of(&self.site).await?, topology.is_of_this_machine())
    }

    /// The same without a place at hand: what says where it is at home is of a place that is there.
    pub(super) async fn ledger_of_any_place(&self) -> Result<Ledger, EngineError> {
        let ledger = Ledger::of(&self.site).await?;
        let says_so = ledger.home().is_some();
        self.at_home(ledger, says_so)
    }

    fn at_home(&self, mut ledger: Ledger, is_of_this_machine: bool) -> Result<Ledger, EngineError> {
        if is_of_this_machine {
            let here = Home::here(&self.site.io, &self.site.state).map_err(LedgerError::from)?;
            let elsewhere = ledger.elsewhere(&self.site.io, &here)?;
            match elsewhere {
                Some((recorded, how)) if !self.accepts_move => {
                    return Err(EngineError::Elsewhere { how, recorded: Box::new(recorded), here: Box::new(here) });
                }
                elsewhere => ledger.settle(here, elsewhere.is_some()),
            }
        }
        Ok(ledger)
    }

    /// Makes this the only run.
    pub(super) async fn exclude(&self) -> Result<Exclusion, EngineError> {
        Ok(Exclusion::take(&self.site, &self.observer).await?)
    }

    fn run(&self, exclusion: Option<&Exclusion>) -> Run {
        let number = exclusion.map_or((0, None), Exclusion::number);
        Run::under(self.site.io.clone(), Arc::clone(&self.observer), number, self.patience)
            .with_pace(self.side_by_side, self.chance)
    }

    pub(super) async fn prepare_with(
        &self,
        (mut arrangement, providers): (Arrangement, Providers),
        mut ledger: Ledger,
        mut prune: Prune,
        exclusion: Option<Exclusion>,
    ) -> Result<Prepared, EngineError> {
        let begun = Instant::now();
        if !self.targets.is_everything() {
            prune = self.targets.choose(&mut arrangement.nodes, &ledger)?;
        }
        ledger.set_fence(exclusion.as_ref().and_then(Exclusion::fence));
        let run = self.run(exclusion.as_ref());
        let (items, found) = self.look(arrangement.nodes, &providers, &ledger, &run, &prune).await?;
        let troubles = failures(&items, &found);
        if !troubles.is_empty() {
            return Err(EngineError::Observe { troubles });
        }
        self.remark_lost_ledger(&items, &found, &ledger);
        let pairs = Pairs::find(&items, &found);
        let steps = items.items.iter().zip(&found.verdicts).map(|(item, verdict)| item.step(verdict.clone())).collect();
        let steps = pairs.as_one(steps);
        let left = prune.left().to_vec();
        let silent = silences(&items);
        let waiting = match silent.as_slice() {
            [] => Vec::new(),
            _ => waiting(&items, &found, &Schedule::new(&items, &found).held_up()),
        };
        let plan = Plan { steps, notes: arrangement.notes, left, silent, waiting, ..Plan::on(ledger.serial()) };
        let next_steps = arrangement.next_steps;
        let (allowances, after_failure) = (self.allowances.clone(), self.after_failure);
        let abandoned = Vec::new();
        Ok(Prepared {
            plan,
            items,
            found,
            ledger,
            site: self.site.clone(),
            run,
            allowances,
            after_failure,
            prune,
            pairs,
            next_steps,
            begun,
            exclusion,
            abandoned,
        })
    }

    async fn look(
        &self,
        nodes: BTreeMap<Address, Node>,
        providers: &Providers,
        ledger: &Ledger,
        run: &Run,
        prune: &Prune,
    ) -> Result<(Items, Observed), EngineError> {
        let items = Items::new(nodes, ledger, providers, prune);
        let order = Order::sort(&items.needs()).map_err(|knot| {
            let cycle: Vec<&Item> = knot.cycle.into_iter().map(|at| &items.items[at]).collect();
            let said_at = |address: &Address| Some(cycle.iter().find(|item| item.address == *address)?.origin.clone());
            ArrangeError::cycle(cycle.iter().map(|item| item.address.clone()).collect(), said_at)
        })?;
        run.emit(&Event::Phase { phase: "looking at", count: items.len() });
        let context = Context { entries: Entries::All(ledger), allowances: &self.allowances, took_over: run.took_over() };
        let found = Observation { items: &items, run, context }.carry_out(&order).await;
        Ok((items, found))
    }
}

/// A program that wants nothing would take everything away; that is more likely a mistake, and `destroy` says it better.
pub(super) fn refuse_empty(arrangement: &Arrangement, ledger: &Ledger) -> Result<(), EngineError> {
    let wants_something = arrangement.nodes.values().any(|node| node.resource().is_some());
    match ledger.count() {
        made if made > 0 && !wants_something => Err(EngineError::Empty { made }),
        _ => Ok(()),
    }
}

/// What needs every place of the program is not begun while one does not answer.
pub(super) fn refuse_silent(plan: &Plan) -> Result<(), EngineError> {
    if plan.silent.is_empty() { Ok(()) } else { Err(EngineError::Silent { silent: plan.silent.clone() }) }
}

/// Carries out one proof.
async fn verify_one(items: &Items, index: usize, found: &Observed, run: &Run) -> Result<Proved, Failed> {
    let item = &items.items[index];
    let (address, claim) = (item.address.clone(), item.label());
    run.emit(&Event::Started { address: address.clone(), doing: "proving", label: claim.clone() });
    let begun = Instant::now();
    match prove(item, fill(items, index, found), run.on(&item.address).within(VERIFY_WITHIN)).await {
        Ok(evidence) => {
            run.emit(&Event::Finished { address: address.clone(), done: "proved", label: claim.clone(), took: begun.elapsed() });
            Ok(Proved { address, claim, evidence })
        }
        Err(error) => {
            let failed = item.failure(&error);
            run.emit(&failed.event());
            Err(failed)
        }
    }
}

fn foreign(items: &Items, found: &Observed, ledger: &Ledger) -> Vec<Address> {
    let is_foreign = |(index, item): &(usize, &Item)| match &item.what {
        ItemKind::Wanted { key, provider, .. } => {
            let may_be_others = provider.facts().adopts || provider.facts().shared;
            found.live[*index].is_some() && ledger.find(key).is_none() && !may_be_others
        }
        _ => false,
    };
    items.items.iter().enumerate().filter(is_foreign).map(|(_, item)| item.address.clone()).collect()
}

fn failures(items: &Items, found: &Observed) -> Vec<Failed> {
    found.troubles.iter().map(|(index, error)| items.items[*index].failure(error)).collect()
}
