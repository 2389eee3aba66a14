//! What there is in memory, and what was done to it.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use harmony::provider::{Failure, ProviderError};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// Things by kind and identity. Clones are the same world.
#[derive(Clone, Default)]
pub struct World(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    /// By kind and identity, as JSON text: a world is what is outside, and should take little of the room and time of what is measured.
    things: BTreeMap<String, HashMap<String, String>>,
    log: Vec<Happened>,
    observations: usize,
    made: u64,
    running: Vec<Happened>,
    most_at_once: usize,
    faults: Vec<Fault>,
    failing_proofs: BTreeMap<String, ProviderError>,
    proofs: Vec<String>,
    watch: Option<Watch>,
    makes_at_once: bool,
}

type Watch = Arc<dyn Fn(&Happened) + Send + Sync>;

/// A thing as the world has it: no references, no marks of secrets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stored {
    /// Its state, as a spec without unknowns.
    pub state: Json,
    /// Its outputs.
    pub outputs: Json,
    /// What it holds.
    pub holds: Option<String>,
}

#[allow(clippy::unwrap_used, reason = "what was written as JSON can be read as it")]
impl Stored {
    fn text(&self) -> String {
        serde_json::to_string(self).unwrap()
    }

    fn read(text: &str) -> Self {
        serde_json::from_str(text).unwrap()
    }
}

/// A method of a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the methods' own names")]
pub enum Call {
    Observe,
    Preview,
    Apply,
    Delete,
}

/// How a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failing {
    /// It is refused, and nothing has been done.
    Refused,
    /// Something else changed it meanwhile; nothing has been done.
    Conflict,
    /// Nobody answers; nothing has been done.
    Unreachable,
    /// Not now; nothing has been done.
    RetryLater,
    /// Not before this long; nothing has been done.
    RetryAfter(Duration),
    /// We may not; nothing has been done.
    NotPermitted,
    /// It has been done, but the answer is lost.
    AnswerLost,
    /// It has been done, but then it is refused, as if the program had been killed in between.
    KilledAfter,
    /// It takes this long.
    Slow(Duration),
}

struct Fault {
    call: Call,
    identity: String,
    failing: Failing,
    times: usize,
}

/// A write that a provider was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happened {
    /// `create`, `update` or `delete`.
    pub did: &'static str,
    /// The kind's wire name.
    pub kind: String,
    /// The identity.
    pub identity: String,
    /// The number of the run.
    pub fence: u64,
}

impl std::fmt::Display for Happened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.did, self.identity)
    }
}

impl World {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How often a provider was told to make, change or delete something.
    #[must_use]
    pub fn writes(&self) -> usize {
        self.state().log.len()
    }

    /// How often a provider was asked to look, in batches.
    #[must_use]
    pub fn observations(&self) -> usize {
        self.state().observations
    }

    /// The writes so far, as lines (`create a`); the list is emptied.
    pub fn take_log(&self) -> Vec<String> {
        self.state().log.drain(..).map(|happened| happened.to_string()).collect()
    }

    /// The proofs carried out so far, by name; the list is emptied.
    pub fn take_proofs(&self) -> Vec<String> {
        std::mem::take(&mut self.state().proofs)
    }

    /// The most writes that were in flight at the same time; counted anew from now.
    pub fn take_most_at_once(&self) -> usize {
        std::mem::take(&mut self.state().most_at_once)
    }

    /// A world in which everything is as it is here now, and which goes its own way from then on.
    #[must_use]
    pub fn twin(&self) -> Self {
        let state = self.state();
        let twin = State { things: state.things.clone(), made: state.made, ..State::default() };
        Self(Arc::new(Mutex::new(twin)))
    }

    /// The writes that are in flight. After a kill, those that it cut off stay here until [`World::heal`].
    #[must_use]
    pub fn in_flight(&self) -> Vec<Happened> {
        self.state().running.clone()
    }

    /// Everything there is, by kind and identity.
    #[must_use]
    pub fn things(&self) -> BTreeMap<(String, String), Stored> {
        let read = |kind: &String, (identity, text): (&String, &String)| ((kind.clone(), identity.clone()), Stored::read(text));
        self.state().things.iter().flat_map(|(kind, things)| things.iter().map(move |thing| read(kind, thing))).collect()
    }

    /// The identities of everything there is, by kind.
    #[must_use]
    pub fn identities(&self) -> Vec<String> {
        self.things().into_keys().map(|(_, identity)| identity).collect()
    }

    /// A thing as it is.
    #[must_use]
    pub fn find(&self, kind: &str, identity: &str) -> Option<Stored> {
        self.state().things.get(kind)?.get(identity).map(|text| Stored::read(text))
    }

    /// Puts a thing there by hand.
    pub fn put(&self, kind: &str, identity: &str, stored: Stored) {
        self.state().things.entry(kind.to_owned()).or_default().insert(identity.to_owned(), stored.text());
    }

    /// Changes a thing by hand; nothing happens if it is not there.
    pub fn edit(&self, kind: &str, identity: &str, edit: impl FnOnce(&mut Stored)) {
        if let Some(text) = self.state().things.get_mut(kind).and_then(|things| things.get_mut(identity)) {
            let mut stored = Stored::read(text);
            edit(&mut stored);
            *text = stored.text();
        }
    }

    /// Takes a thing away by hand; whether it was there.
    pub fn remove(&self, kind: &str, identity: &str) -> bool {
        self.state().things.get_mut(kind).is_some_and(|things| things.remove(identity).is_some())
    }

    /// From now on it makes what is not there without having been looked at, and refuses what is.
    pub fn make_at_once(&self) {
        self.state().makes_at_once = true;
    }

    pub(super) fn makes_at_once(&self) -> bool {
        self.state().makes_at_once
    }

    /// Lets the next `times` calls on a thing fail.
    pub fn fail(&self, call: Call, identity: &str, failing: Failing, times: usize) {
        self.state().faults.push(Fault { call, identity: identity.to_owned(), failing, times });
    }

    /// Lets everything succeed again.
    pub fn heal(&self) {
        let mut state = self.state();
        state.faults.clear();
        state.failing_proofs.clear();
        state.running.clear();
    }

    /// Lets a proof fail until the world is healed.
    pub fn fail_proof(&self, name: &str) {
        let error = ProviderError::refused(format!("the proof {name} does not hold"), "it was told to fail");
        self.state().failing_proofs.insert(name.to_owned(), error);
    }

    /// Calls `watch` before each write.
    pub fn watch(&self, watch: impl Fn(&Happened) + Send + Sync + 'static) {
        self.state().watch = Some(Arc::new(watch));
    }

    pub(super) fn next_number(&self) -> u64 {
        let mut state = self.state();
        state.made += 1;
        state.made
    }

    pub(super) fn count_observation(&self) {
        self.state().observations += 1;
    }

    /// Takes away everything of a kind whose identity begins like this.
    pub(super) fn remove_all(&self, kind: &str, beginning: &str) {
        if let Some(things) = self.state().things.get_mut(kind) {
            things.retain(|identity, _| !identity.starts_with(beginning));
        }
    }

    pub(super) fn prove(&self, name: &str) -> Result<(), ProviderError> {
        let mut state = self.state();
        state.proofs.push(name.to_owned());
        state.failing_proofs.get(name).cloned().map_or(Ok(()), Err)
    }

    /// What a call on a thing meets before anything is done.
    pub(super) async fn meet(&self, call: Call, identity: &str) -> Result<(), ProviderError> {
        match self.take_fault(call, identity, |failing| !is_after(failing)) {
            None => Ok(()),
            Some(Failing::Slow(time)) => {
                tokio::time::sleep(time).await;
                Ok(())
            }
            Some(failing) => Err(error(failing, identity)),
        }
    }

    /// What a write meets after it has been done.
    pub(super) fn meet_after(&self, call: Call, identity: &str) -> Result<(), ProviderError> {
        self.take_fault(call, identity, is_after).map_or(Ok(()), |failing| Err(error(failing, identity)))
    }

    fn take_fault(&self, call: Call, identity: &str, applies: impl Fn(Failing) -> bool) -> Option<Failing> {
        let mut state = self.state();
        let fault = state
            .faults
            .iter_mut()
            .find(|fault| fault.times > 0 && fault.call == call && fault.identity == identity && applies(fault.failing))?;
        fault.times -= 1;
        Some(fault.failing)
    }

    pub(super) fn begin_write(&self, happened: Happened) {
        let watch = self.state().watch.clone();
        if let Some(watch) = watch {
            watch(&happened);
        }
        let mut state = self.state();
        state.log.push(happened.clone());
        state.running.push(happened);
        state.most_at_once = state.most_at_once.max(state.running.len());
    }

    pub(super) fn end_write(&self, happened: &Happened) {
        let mut state = self.state();
        if let Some(at) = state.running.iter().position(|running| running == happened) {
            state.running.swap_remove(at);
        }
    }
}

fn is_after(failing: Failing) -> bool {
    matches!(failing, Failing::AnswerLost | Failing::KilledAfter)
}

fn error(failing: Failing, identity: &str) -> ProviderError {
    let what = format!("failed to reach {identity}");
    match failing {
        Failing::Refused | Failing::KilledAfter => {
            ProviderError::refused(format!("{identity} was refused"), "it was told to fail")
        }
        Failing::Conflict => ProviderError::Conflict(Failure::new(what, "somebody else was faster")),
        Failing::RetryLater => ProviderError::retry_later(what, "it is busy"),
        Failing::RetryAfter(time) => ProviderError::RetryLater(Failure::new(what, "it is busy").with_retry_after(time)),
        Failing::NotPermitted => ProviderError::NotPermitted(Failure::new(what, "it says no")),
        Failing::Unreachable | Failing::AnswerLost | Failing::Slow(_) => ProviderError::unreachable(what, "nobody answers"),
    }
}
