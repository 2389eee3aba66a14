//! The conductor of a run.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use harmony_io::{Lock, LockError, Mode};
use serde_json::Value as Json;

use super::events::{Event, Observer, Silent};
pub use super::execute::AfterFailure;
use super::execute::Execution;
use super::items::{ItemKind, Items};
use super::ledger::{Ledger, LedgerError};
use super::observe::{Context, Entries, Observed, observe};
use super::order::Order;
use super::outcome::{Failed, Outcome};
use super::plan::{Allowances, Change, FORMAT, Plan, Step};
use super::status::{self, Standing};
use crate::arrangement::Arrangement;
use crate::error::ArrangeError;
use crate::inventory::Inventory;
use crate::run::{PATIENCE, Run};
use crate::score::Scores;
use crate::stage::Stage;
use crate::topology::{Providers, Site, Topology};
use crate::value;

const LOCK: &str = "lock";

/// Conducts runs over one site program's state: plan, apply, verify, destroy. Usable as a library, once or in a loop.
pub struct Maestro {
    site: Site,
    observer: Arc<dyn Observer>,
    allowances: Allowances,
    after_failure: AfterFailure,
    patience: Duration,
}

/// Why a run did not begin, or could not go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The Scores cannot become an arrangement.
    #[error(transparent)]
    Arrange(#[from] ArrangeError),
    /// The Ledger cannot be used.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// Another run holds the lock, or it cannot be used.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// Some things could not be looked at.
    #[error("failed to look at {}", troubles.first().map_or_else(|| "anything".to_owned(), |trouble| trouble.label.clone()))]
    Observe {
        /// Each of them, and why.
        troubles: Vec<Failed>,
    },
    /// The plan holds steps that are forbidden, or losses that nobody allows. Nothing has been changed.
    #[error("{} of the plan's steps are refused", steps.len())]
    Refused {
        /// Those steps.
        steps: Vec<Step>,
    },
    /// The program is empty, although things were made by it.
    #[error("the program has no Scores, but its Ledger names {made} things that it has made")]
    Empty {
        /// How many.
        made: usize,
    },
}

impl EngineError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Arrange(error) => error.hint(),
            Self::Ledger(error) => error.hint(),
            Self::Lock(LockError::Held { .. }) => {
                Some("wait for that run to end; a run that died frees the lock by itself".to_owned())
            }
            Self::Lock(LockError::Failed(error)) => error.hint().map(str::to_owned),
            Self::Lock(_) => None,
            Self::Observe { troubles } => troubles.first().and_then(|trouble| trouble.hint.clone()),
            Self::Refused { .. } => Some("see each step's reason; accept a loss with `--allow-loss ADDRESS`".to_owned()),
            Self::Empty { .. } => Some("use `destroy` to take everything away".to_owned()),
        }
    }
}

/// A plan that can be carried out, with the lock held since before anything was looked at.
pub struct Prepared {
    plan: Plan,
    items: Items,
    found: Observed,
    ledger: Ledger,
    run: Run,
    allowances: Allowances,
    after_failure: AfterFailure,
    next_steps: Vec<(String, Json)>,
    begun: Instant,
    _lock: Option<Lock>,
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

/// Which of the things that only the Ledger knows a run takes away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Prune {
    Everything,
    Nothing,
}

impl Maestro {
    /// A conductor for the site program that `site` describes.
    #[must_use]
    pub fn new(site: &Site) -> Self {
        Self {
            site: site.clone(),
            observer: Arc::new(Silent),
            allowances: Allowances::default(),
            after_failure: AfterFailure::GoOn,
            patience: PATIENCE,
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
        let played = Stage::play_all(scores, inventory, topology)?;
        Ok(self.prepare_with(played, Prune::Everything, None).await?.plan)
    }

    /// A plan that can be carried out, with the lock held.
    ///
    /// # Errors
    /// [`EngineError::Lock`] if another run holds it; else as [`Maestro::plan`].
    pub async fn prepare<T: Topology + ?Sized>(
        &self,
        inventory: &Inventory,
        topology: &T,
        scores: &Scores<T>,
    ) -> Result<Prepared, EngineError> {
        let played = Stage::play_all(scores, inventory, topology)?;
        let lock = self.lock()?;
        if scores.is_empty() {
            let made = Ledger::load(&self.site.io, &self.site.state)?.entries().count();
            if made > 0 {
                return Err(EngineError::Empty { made });
            }
        }
        self.prepare_with(played, Prune::Everything, Some(lock)).await
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
        let lock = self.lock()?;
        self.prepare_with(played, Prune::Nothing, Some(lock)).await
    }

    /// A plan that takes away everything that the Ledger knows, with the lock held.
    ///
    /// # Errors
    /// As [`Maestro::prepare`].
    pub async fn prepare_destroy(&self, topology: &(impl Topology + ?Sized)) -> Result<Prepared, EngineError> {
        let mut providers = Providers::default();
        topology.register(&mut providers);
        let lock = self.lock()?;
        self.prepare_with((Arrangement::default(), providers), Prune::Everything, Some(lock)).await
    }

    /// Carries out every proof, whether or not it has passed before. Changes nothing else.
    ///
    /// # Errors
    /// [`EngineError`] if the Scores cannot be arranged; what could not be looked at is a failure of the proofs that need it.
    pub async fn verify<T: Topology + ?Sized>(
        &self,
        inventory: &Inventory,
        topology: &T,
        scores: &Scores<T>,
    ) -> Result<Outcome, EngineError> {
        let (arrangement, providers) = Stage::play_all(scores, inventory, topology)?;
        let begun = Instant::now();
        let ledger = Ledger::load(&self.site.io, &self.site.state)?;
        let run = self.run(&ledger);
        let (items, found) = self.look(&arrangement, &providers, &ledger, &run).await?;
        let mut outcome = Outcome { failures: failures(&items, &found), ..Outcome::default() };
        let differs = |step: &&Step| step.change.is_pending() && step.change != Change::Prove;
        outcome.not_begun = found.steps.iter().filter(differs).map(|step| step.address.clone()).collect();
        for index in 0..items.len() {
            if let ItemKind::Proof { .. } = items.items[index].what {
                super::execute::verify_one(&items, index, &found, &run, &mut outcome).await;
            }
        }
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
        let (arrangement, providers) = Stage::play_all(scores, inventory, topology)?;
        let ledger = Ledger::load(&self.site.io, &self.site.state)?;
        let (items, found) = self.look(&arrangement, &providers, &ledger, &self.run(&ledger)).await?;
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
        let (arrangement, providers) = Stage::play_all(scores, inventory, topology)?;
        let ledger = Ledger::load(&self.site.io, &self.site.state)?;
        let (items, found) = self.look(&arrangement, &providers, &ledger, &self.run(&ledger)).await?;
        Ok(status::filled(&arrangement, &items, &found))
    }

    fn lock(&self) -> Result<Lock, EngineError> {
        let io = &self.site.io;
        io.ensure_directory(&self.site.state, Mode::Private).map_err(LockError::from)?;
        Ok(io.lock(&self.site.state.join(LOCK), &holder())?)
    }

    fn run(&self, ledger: &Ledger) -> Run {
        Run::new(self.site.io.clone(), Arc::clone(&self.observer), ledger.serial() + 1, self.patience)
    }

    async fn prepare_with(
        &self,
        (arrangement, providers): (Arrangement, Providers),
        prune: Prune,
        lock: Option<Lock>,
    ) -> Result<Prepared, EngineError> {
        let begun = Instant::now();
        let ledger = Ledger::load(&self.site.io, &self.site.state)?;
        let run = self.run(&ledger);
        let (mut items, mut found) = self.look(&arrangement, &providers, &ledger, &run).await?;
        if prune == Prune::Nothing {
            let keep = arrangement.nodes.len();
            items.items.truncate(keep);
            found.truncate(keep);
        }
        let troubles = failures(&items, &found);
        if !troubles.is_empty() {
            return Err(EngineError::Observe { troubles });
        }
        let plan =
            Plan { format: FORMAT, ledger_serial: ledger.serial(), steps: found.steps.clone(), notes: arrangement.notes.clone() };
        let next_steps = arrangement
            .next_steps
            .iter()
            .filter_map(|(title, what)| serde_json::to_value(what).ok().map(|what| (title.clone(), what)));
        Ok(Prepared {
            plan,
            next_steps: next_steps.collect(),
            items,
            found,
            ledger,
            run,
            allowances: self.allowances.clone(),
            after_failure: self.after_failure,
            begun,
            _lock: lock,
        })
    }

    async fn look(
        &self,
        arrangement: &Arrangement,
        providers: &Providers,
        ledger: &Ledger,
        run: &Run,
    ) -> Result<(Items, Observed), EngineError> {
        let items = Items::new(arrangement, ledger, providers);
        let needs: Vec<Vec<usize>> = items.items.iter().map(|item| item.needs.clone()).collect();
        let order = Order::sort(&needs).map_err(|cycle| ArrangeError::Cycle {
            cycle: cycle.into_iter().map(|at| items.items[at].address.clone()).collect(),
        })?;
        run.emit(&Event::Phase { phase: "looking at", count: items.len() });
        let context = Context { run, entries: Entries::All(ledger), allowances: &self.allowances };
        let found = observe(&items, &order, &context).await;
        Ok((items, found))
    }
}

impl Prepared {
    /// What would happen.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
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
        let refused: Vec<Step> = self.plan.refusals().cloned().collect();
        if !refused.is_empty() {
            return Err(EngineError::Refused { steps: refused });
        }
        let mut outcome = Outcome::default();
        let before = self.plan.counts();
        (outcome.counts.unchanged, outcome.counts.holding) = (before.unchanged, before.holding);
        let count = self.plan.pending().len();
        if count > 0 {
            self.run.emit(&Event::Phase { phase: "applying", count });
        }
        self.note_what_stands()?;
        let execution =
            Execution { items: &self.items, run: &self.run, allowances: &self.allowances, after_failure: self.after_failure };
        let carried = execution.carry_out(&mut self.found, &mut self.ledger, &mut outcome).await;
        let items = &self.items;
        self.ledger.keep_proofs(|proof| items.find(proof).is_some());
        self.ledger.close()?;
        carried?;
        outcome.next_steps =
            self.next_steps.iter().filter_map(|(title, what)| self.known(what).map(|text| (title.clone(), text))).collect();
        outcome.took = self.begun.elapsed();
        Ok(outcome)
    }

    /// What the Ledger did not know yet of things that need no change: that they were made before a kill, and what they hold now.
    fn note_what_stands(&mut self) -> Result<(), LedgerError> {
        for (index, item) in self.items.items.iter().enumerate() {
            let (ItemKind::Wanted { key, provider, .. }, Change::None) = (&item.what, &self.found.steps[index].change) else {
                continue;
            };
            let (Some(live), Some(entry)) = (&self.found.live[index], self.ledger.find(key)) else { continue };
            if !entry.made || entry.held != live.holds {
                let kept = provider.facts().keeps_outputs.then(|| live.outputs.clone());
                self.ledger.made(&key.clone(), kept, live.holds.clone())?;
            }
        }
        Ok(())
    }

    fn known(&self, text: &Json) -> Option<String> {
        let filled = value::resolve(text, &|reference| self.items.output(&self.found.outputs, reference));
        match filled.json {
            Json::String(text) if filled.unknown.is_empty() => Some(text),
            _ => None,
        }
    }
}

fn failures(items: &Items, found: &Observed) -> Vec<Failed> {
    found.troubles.iter().map(|(index, error)| items.items[*index].failure(error)).collect()
}

/// A line for whoever finds the lock taken.
fn holder() -> String {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let program = std::env::args().next().unwrap_or_else(|| "a program".to_owned());
    let program = program.rsplit('/').next().unwrap_or_default().to_owned();
    format!("{program}, process {}, since {since} (seconds of Unix time)", std::process::id())
}
