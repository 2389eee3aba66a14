//! Plays a scenario on a site in memory, and watches.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::{Arc, Mutex};

use futures::FutureExt;
use harmony::engine::maestro::Prepared;
use harmony::engine::plan::Allowances;
use harmony::resource::Resource;
use harmony::{EngineError, Inventory, Maestro};
use harmony_io::{Faults, Injected, Io, Point};
use harmony_test::{FakeSecret, FakeSite, FakeThing, Stored};
use serde_json::json;

use crate::program::{Key, Program, SLOTS};
use crate::reached;
use crate::record::{End, Event, Record, Snapshot, is_shared, two_for_one};
use crate::rules::{self, Broken};
use crate::scenario::{Act, Allowing, Conditions, Fault, Scenario, Stop};

/// What a killed run unwinds with.
struct Killed;

/// A site, its program, and what is known of it from outside.
pub(crate) struct Player {
    site: Option<FakeSite>,
    pub(crate) program: Program,
    pub(crate) history: Vec<Program>,
    pub(crate) foreign: BTreeMap<Key, Stored>,
    /// What others made while the Ledger named it: nobody can tell whose it is, as long as the Ledger names it.
    pub(crate) anybodys: BTreeSet<Key>,
    /// The proofs that have passed, with nothing under them changed since, and what they were about.
    pub(crate) proven: BTreeMap<String, String>,
    /// The numbers of ports that the Ledger has told.
    pub(crate) numbers: BTreeMap<String, u64>,
}

/// Plays a scenario; the first rule that is broken ends it.
pub(crate) async fn play(scenario: &Scenario) -> Result<(), Broken> {
    let mut player = Player {
        site: Some(FakeSite::in_memory()),
        program: scenario.program.clone(),
        history: Vec::new(),
        foreign: BTreeMap::new(),
        anybodys: BTreeSet::new(),
        proven: BTreeMap::new(),
        numbers: BTreeMap::new(),
    };
    for (number, act) in scenario.acts.iter().enumerate() {
        player.act(act).await.map_err(|broken| format!("act {}: {broken}", number + 1))?;
    }
    player.converge().await.map_err(|broken| format!("at the end: {broken}"))?;
    player.end().await.map_err(|broken| format!("when all is taken away: {broken}"))
}

impl Player {
    pub(crate) fn site(&self) -> &FakeSite {
        self.site.as_ref().unwrap()
    }

    async fn act(&mut self, act: &Act) -> Result<(), Broken> {
        match act {
            Act::Edit(edit) => {
                self.history.push(self.program.clone());
                edit.carry_out(&mut self.program);
                Ok(())
            }
            Act::Undo => {
                self.program = self.history.pop().unwrap_or_else(|| self.program.clone());
                Ok(())
            }
            Act::Hand(hand) => {
                self.hand(hand);
                Ok(())
            }
            Act::Both(hand, edit) => {
                self.hand(hand);
                self.history.push(self.program.clone());
                edit.carry_out(&mut self.program);
                Ok(())
            }
            Act::Plan => self.looks_only(Looking::Plan).await,
            Act::Status => self.looks_only(Looking::Status).await,
            Act::Verify => self.looks_only(Looking::Verify).await,
            Act::Apply(conditions) => self.run(false, conditions).await.map(drop),
            Act::Destroy(conditions) => self.run(true, conditions).await.map(drop),
            Act::Converge => self.converge().await,
        }
    }

    /// Whatever happened before: if everything is allowed, one run converges. A second one is needed only where the first found that
    /// more has to be replaced than could be known before.
    async fn converge(&mut self) -> Result<(), Broken> {
        self.accept_natures();
        self.restore_secrets();
        let destroys = self.program.things().next().is_none();
        let mut last = None;
        for _ in 0..=SLOTS {
            let record = self.run(destroys, &Conditions::converging()).await?;
            if record.success().is_some() {
                return Ok(());
            }
            last = Some(record.end);
        }
        Err(format!("it does not converge, and says {last:?}"))
    }

    /// The program gives in where it wants what cannot be.
    fn accept_natures(&mut self) {
        let live = |key: &Key| self.site().world.find(&key.0, &key.1);
        let natures: Vec<(usize, u8)> = self
            .program
            .things()
            .filter(|(_, key)| key.0 == FakeThing::KIND)
            .filter_map(|(slot, key)| {
                live(&key)?.state["nature"].as_str()?.strip_prefix("nature ")?.parse().ok().map(|n| (slot, n))
            })
            .collect();
        for (slot, nature) in natures {
            if let Some(said) = &mut self.program.slots[slot] {
                said.nature = nature;
            }
        }
    }

    /// Somebody brings back the secrets that the program does not want any more and that open the way to what it has to take away.
    fn restore_secrets(&self) {
        let wanted: BTreeSet<Key> = self.program.things().map(|(_, key)| key).collect();
        for (kind, name) in self.entries().into_keys().filter(|key| key.0 == FakeSecret::KIND && !wanted.contains(key)) {
            if self.site().world.find(&kind, &name).is_none() {
                let outputs = json!({"value": format!("hush-again-{name}")});
                self.site().world.put(&kind, &name, Stored { state: json!({"name": name, "length": 8}), outputs, holds: None });
            }
        }
    }

    /// Nothing of ours is left, and everything of others.
    async fn end(&mut self) -> Result<(), Broken> {
        let record = self.run(true, &Conditions::converging()).await?;
        record.success().ok_or_else(|| format!("{:?}", record.end))?;
        let left: Vec<&Key> =
            record.after.things.keys().filter(|key| !is_shared(key) && !self.foreign.contains_key(*key)).collect();
        if !left.is_empty() || !record.after.entries.is_empty() || self.site().site.state.exists() {
            return Err(format!("{left:?} are left, and in the Ledger {:?}", record.after.entries.keys()));
        }
        Ok(())
    }

    pub(crate) fn entries(&self) -> BTreeMap<Key, harmony::engine::ledger::Entry> {
        let name = |key: &harmony::engine::ledger::Key| serde_json::from_str(&key.identity).unwrap_or_default();
        self.site().entries().into_iter().map(|entry| ((entry.key.kind.clone(), name(&entry.key)), entry)).collect()
    }

    fn snapshot(&self) -> Snapshot {
        Snapshot { things: self.site().world.things(), entries: self.entries(), foreign: self.foreign.clone() }
    }

    fn allowed(&self, allowing: Allowing) -> BTreeSet<String> {
        let programs = self.history.iter().chain([&self.program]);
        match allowing {
            Allowing::Nothing => BTreeSet::new(),
            Allowing::These(bits) => {
                self.program.all().filter(|slot| bits & (1 << slot) != 0).map(|slot| self.program.address(slot)).collect()
            }
            Allowing::Everything => {
                let said = programs.flat_map(|program| program.all().map(|slot| program.address(slot)).collect::<Vec<_>>());
                said.chain(self.entries().into_values().map(|entry| entry.address.to_string())).collect()
            }
        }
    }

    /// Plays one run, checks every rule, and notes what it has changed.
    async fn run(&mut self, destroys: bool, conditions: &Conditions) -> Result<Record, Broken> {
        let program = if destroys { Program::new(vec![None; SLOTS]) } else { self.program.clone() };
        let allowed = self.allowed(conditions.allowing);
        let twin = (conditions.with_twin && conditions.is_undisturbed()).then(|| self.site().twin());
        let (plan, end, events, shown, before) = self.run_watched(&program, destroys, conditions, &allowed).await?;
        self.site().world.heal();
        let mut record = Record {
            program,
            destroys,
            conditions: conditions.clone(),
            allowed,
            before,
            plan: plan.map(two_for_one),
            events,
            end,
            after: self.snapshot(),
            shown,
        };
        self.note_foreign(&record);
        record.after.foreign = self.foreign.clone();
        reached::note_run(&record);
        rules::check(&record)?;
        self.note_proofs(&record);
        for (_, key) in record.writes() {
            self.numbers.remove(&key.1);
        }
        if record.success().is_some() && conditions.meanwhile.is_empty() {
            self.is_as_wanted(&record).await?;
        }
        if let Some(twin) = twin {
            self.twin_does_the_same(twin, &record).await?;
        }
        Ok(record)
    }

    #[allow(clippy::type_complexity, reason = "the parts of a record")]
    async fn run_watched(
        &mut self,
        program: &Program,
        destroys: bool,
        conditions: &Conditions,
        allowed: &BTreeSet<String>,
    ) -> Result<(Option<harmony::engine::plan::Plan>, End, Vec<Event>, String, Snapshot), Broken> {
        let site = self.site.take().unwrap().reopened(Io::with_faults(Arc::new(Trouble(conditions.stop))));
        let maestro = maestro(&site, conditions, allowed);
        self.site = Some(site);
        self.inject(&conditions.faults);
        let mut before = self.snapshot();
        let site = self.site();
        let scores = program.scores(false);
        let inventory = Inventory::empty();
        let preparing = async {
            match destroys {
                true => maestro.prepare_destroy(&site.place).await,
                false => maestro.prepare(&inventory, &site.place, &scores).await,
            }
        };
        let prepared = match AssertUnwindSafe(preparing).catch_unwind().await {
            Ok(Ok(prepared)) => prepared,
            Ok(Err(error)) => {
                let shown = self.shown(&error);
                self.reopen();
                return Ok((None, End::NotBegun(error), Vec::new(), shown, before));
            }
            Err(payload) if payload.is::<Killed>() => {
                self.reopen();
                return Ok((None, End::Killed, Vec::new(), String::new(), before));
            }
            Err(payload) => return Err(format!("it panicked: {}", words(payload.as_ref()))),
        };
        conditions.meanwhile.iter().for_each(|hand| self.hand(hand));
        before.things = self.site().world.things();
        before.foreign = self.foreign.clone();
        let plan = prepared.plan().clone();
        let events = self.watch(program, conditions.stop, &prepared);
        let applied = AssertUnwindSafe(prepared.apply()).catch_unwind().await;
        self.site().world.watch(|_| {});
        let mut shown = serde_json::to_string(&plan).unwrap();
        let end = match applied {
            Ok(Ok(outcome)) => {
                shown += &serde_json::to_string(&outcome).unwrap();
                End::Finished(outcome)
            }
            Ok(Err(error)) => {
                shown += &self.shown(&error);
                End::Failed(error)
            }
            Err(payload) if payload.is::<Killed>() => End::Killed,
            Err(payload) => return Err(format!("it panicked: {}", words(payload.as_ref()))),
        };
        shown += &self.site().events.take().concat();
        self.reopen();
        ["ledger.json", "ledger.journal"].iter().for_each(|name| shown += &self.site().state_file(name));
        let mut events = std::mem::take(&mut *events.lock().unwrap());
        events.extend(self.site().world.take_proofs().into_iter().map(Event::Proved));
        Ok((Some(plan), end, events, shown, before))
    }

    /// The next run is another process, whose input and output work. What a killed one was writing bears the number of a process that
    /// lives, ours: it gets that of one which does not.
    fn reopen(&mut self) {
        let ours = format!(".{}-", std::process::id());
        for file in std::fs::read_dir(&self.site().site.state).into_iter().flatten().map(Result::unwrap) {
            let name = file.file_name().into_string().unwrap();
            if name.contains(&ours) {
                std::fs::rename(file.path(), file.path().with_file_name(name.replace(&ours, ".4294967295-"))).unwrap();
            }
        }
        self.site = Some(self.site.take().unwrap().reopened(Io::real()));
    }

    fn shown(&self, error: &EngineError) -> String {
        let mut shown = format!("{error} {error:?} {:?}", error.hint());
        let _ = write!(shown, "{}", self.site().events.take().concat());
        shown
    }

    fn inject(&self, faults: &[Fault]) {
        let world = &self.site().world;
        let name =
            |slot: usize| [Some(&self.program), self.history.last()].into_iter().flatten().find_map(|program| program.name(slot));
        for fault in faults {
            match fault {
                Fault::Call { call, slot, failing, times } => {
                    if let Some(name) = name(*slot) {
                        world.fail(*call, &name, *failing, *times);
                    }
                }
                Fault::Proof(slot) => {
                    if let Some(name) = name(*slot) {
                        world.fail_proof(&name);
                    }
                }
            }
        }
    }

    /// Notes every write and proof of a run, and kills it or asks it to stop when it is time.
    fn watch(&self, program: &Program, stop: Stop, prepared: &Prepared) -> Arc<Mutex<Vec<Event>>> {
        let events = Arc::new(Mutex::new(Vec::new()));
        let (noted, world, stopper) = (Arc::clone(&events), self.site().world.clone(), prepared.stopper());
        let wanted: BTreeSet<Key> = program.things().map(|(_, key)| key).collect();
        let takes_turns: BTreeSet<Key> = program
            .things()
            .filter(|(slot, _)| program.said(*slot).is_some_and(|said| said.takes_turns))
            .map(|(_, key)| key)
            .collect();
        world.take_proofs();
        let watched = world.clone();
        world.watch(move |happened| {
            let key = (happened.kind.clone(), happened.identity.clone());
            let changes = |did: &str, key: &Key| did != "create" && wanted.contains(key) && takes_turns.contains(key);
            let others = watched.in_flight();
            let out_of_turn = changes(happened.did, &key)
                && others.iter().any(|other| changes(other.did, &(other.kind.clone(), other.identity.clone())));
            let before = watched.find(&key.0, &key.1);
            let mut noted = noted.lock().unwrap();
            noted.extend(watched.take_proofs().into_iter().map(Event::Proved));
            let writes = noted.iter().filter(|event| event.write().is_some()).count();
            if stop == Stop::AtWrite(writes) {
                drop(noted);
                resume_unwind(Box::new(Killed));
            }
            if stop == Stop::Asked(writes) {
                stopper.stop();
            }
            noted.push(Event::Wrote { did: happened.did, key, before, out_of_turn });
        });
        events
    }

    /// What was adopted is ours from now on. What others made while a run was killed that had meant to make it may be anybody's, and
    /// what may be anybody's and the Ledger names no more is theirs.
    fn note_foreign(&mut self, record: &Record) {
        let Snapshot { things, entries, .. } = &record.after;
        let was_killed = !matches!(record.end, End::Finished(_));
        self.foreign.retain(|key, _| things.contains_key(key));
        self.anybodys.retain(|key| things.contains_key(key));
        let claimed = self.foreign.keys().filter(|key| !is_shared(key) && entries.contains_key(*key));
        for key in claimed.cloned().collect::<Vec<_>>() {
            if record.may_be_adopted(&key) || record.took_holder_of(&key) {
                self.foreign.remove(&key);
            } else if was_killed {
                self.foreign.remove(&key);
                self.anybodys.insert(key);
            }
        }
        for key in self.anybodys.extract_if(.., |key| !entries.contains_key(key)) {
            self.foreign.insert(key.clone(), things[&key].clone());
        }
    }

    fn note_proofs(&mut self, record: &Record) {
        let program = &record.program;
        let proofs: Vec<usize> = program.all().filter(|slot| program.key(*slot).is_none()).collect();
        if record.plan.is_some() && (record.success().is_some() || !record.events.is_empty()) {
            let names: BTreeSet<String> = proofs.iter().filter_map(|slot| program.name(*slot)).collect();
            self.proven.retain(|name, _| names.contains(name));
        }
        let fails = |name: &str| {
            let is_it = |slot: usize| self.program.name(slot).is_some_and(|n| n == name);
            record.conditions.faults.iter().any(|fault| matches!(fault, Fault::Proof(slot) if is_it(*slot)))
        };
        for event in &record.events {
            match event {
                Event::Wrote { key, .. } => {
                    let Some(slot) = record.slot_of(key) else { continue };
                    for proof in proofs.iter().filter(|proof| program.below(**proof).contains(&slot)) {
                        self.proven.remove(&program.name(*proof).unwrap());
                    }
                }
                Event::Proved(name) => {
                    if let Some(slot) =
                        proofs.iter().find(|slot| program.name(**slot).as_ref() == Some(name)).filter(|_| !fails(name))
                    {
                        self.proven.insert(name.clone(), program.about(*slot));
                    }
                }
            }
        }
    }

    async fn looks_only(&self, looking: Looking) -> Result<(), Broken> {
        let site = self.site();
        let (files, things) = (site.files(), site.world.things());
        site.world.take_log();
        let (inventory, scores, maestro) = (Inventory::empty(), self.program.scores(false), site.maestro());
        let result = match looking {
            Looking::Plan => maestro.plan(&inventory, &site.place, &scores).await.map(drop),
            Looking::Status => maestro.status(&inventory, &site.place, &scores).await.map(drop),
            Looking::Verify => maestro.verify(&inventory, &site.place, &scores).await.map(drop),
        };
        site.world.take_proofs();
        match result {
            Err(EngineError::Empty { .. } | EngineError::NothingMade) | Ok(()) => {}
            Err(error) => return Err(format!("{looking:?} failed: {error:?}")),
        }
        if site.world.take_log().is_empty() && files == site.files() && things == site.world.things() {
            Ok(())
        } else {
            Err(format!("{looking:?} changed something"))
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Looking {
    Plan,
    Status,
    Verify,
}

pub(crate) fn maestro(site: &FakeSite, conditions: &Conditions, allowed: &BTreeSet<String>) -> Maestro {
    use harmony::engine::maestro::AfterFailure;
    let after_failure = if conditions.goes_on_after_failure { AfterFailure::GoOn } else { AfterFailure::Stop };
    let allowances = Allowances { losses: allowed.clone(), adoptions: allowed.clone(), ..Allowances::default() };
    site.maestro().with_allowances(allowances).with_after_failure(after_failure).with_chance(1)
}

fn words(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload.downcast_ref::<String>().cloned();
    text.or_else(|| payload.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_else(|| "without words".into())
}

/// What becomes of a run's input and output.
struct Trouble(Stop);

impl Faults for Trouble {
    fn at(&self, point: Point<'_>) -> Injected {
        match self.0 {
            Stop::AtPoint(number) if point.number == number => resume_unwind(Box::new(Killed)),
            Stop::Hiccup(number) if point.number == number => Injected::Fail(ErrorKind::StorageFull),
            Stop::DiskGone(number) if point.number >= number => Injected::Fail(ErrorKind::StorageFull),
            _ => Injected::Nothing,
        }
    }
}
