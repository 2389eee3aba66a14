//! What there is in memory.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use harmony::modules::nats::assets::ServerMembership;
use harmony::resource::Resource;
use harmony_local::kind::LocalPort;
use serde_json::Value as Json;

/// Things by kind and identity. Clones are the same things.
#[derive(Clone, Default)]
pub struct Things(Arc<Mutex<State>>);

#[derive(Clone, Default)]
struct State {
    things: BTreeMap<Key, Thing>,
    made: u64,
    writes: usize,
    stale_looks: usize,
}

type Key = (&'static str, String);

/// A thing: as it is, and as it was before it was last written.
#[derive(Clone, Default)]
struct Thing {
    now: Option<Stored>,
    before: Option<Stored>,
    stale_looks: usize,
}

/// State and outputs.
#[derive(Clone, PartialEq)]
pub(super) struct Stored {
    pub(super) state: Json,
    pub(super) outputs: Json,
}

impl Things {
    /// The same things as they are now, which go on for themselves.
    #[must_use]
    pub(super) fn copied(&self) -> Self {
        Self(Arc::new(Mutex::new(self.state().clone())))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on, the first `looks` at a thing after it was written find it as it was before.
    pub fn answer_stale(&self, looks: usize) {
        let mut state = self.state();
        state.stale_looks = looks;
        if looks == 0 {
            state.things.values_mut().for_each(|thing| thing.stale_looks = 0);
        }
    }

    /// How often something was made, changed or deleted.
    #[must_use]
    pub fn writes(&self) -> usize {
        self.state().writes
    }

    /// Everything that is there, as text; what is random in it is left out.
    #[must_use]
    pub fn all(&self) -> Vec<String> {
        let state = self.state();
        let there = state.things.iter().filter_map(|((kind, identity), thing)| Some((kind, identity, thing.now.as_ref()?)));
        // A port is a choice that the Ledger keeps, and a server's part in JetStream ends with the server: neither is a thing that could be
        // left over.
        let there = there.filter(|(kind, ..)| ![LocalPort::KIND, ServerMembership::KIND].contains(*kind));
        there.map(|(kind, identity, stored)| format!("{kind} {identity} {}", steady(&stored.state.to_string()))).collect()
    }

    /// Puts something there that no program has made.
    pub fn plant(&self, kind: &'static str, identity: &str, state: Json) {
        let now = Some(Stored { state, outputs: Json::Null });
        self.state().things.insert((kind, identity.to_owned()), Thing { now, ..Thing::default() });
    }

    pub(super) fn has_any(&self, kind: &str) -> bool {
        self.state().things.iter().any(|((at, _), thing)| *at == kind && thing.now.is_some())
    }

    pub(super) fn look(&self, kind: &'static str, identity: &str) -> Option<Stored> {
        let mut state = self.state();
        let thing = state.things.get_mut(&(kind, identity.to_owned()))?;
        if thing.stale_looks > 0 {
            thing.stale_looks -= 1;
            return thing.before.clone();
        }
        thing.now.clone()
    }

    /// A number that no other thing was made with.
    pub(super) fn next_number(&self) -> u64 {
        let mut state = self.state();
        state.made += 1;
        state.made
    }

    /// Makes, changes (`Some`) or deletes (`None`) a thing.
    pub(super) fn write(&self, kind: &'static str, identity: &str, now: Option<Stored>) {
        let mut state = self.state();
        state.writes += 1;
        let stale_looks = state.stale_looks;
        let thing = state.things.entry((kind, identity.to_owned())).or_default();
        *thing = Thing { before: thing.now.take(), now, stale_looks };
    }

    /// As it really is.
    pub(super) fn find(&self, kind: &'static str, identity: &str) -> Option<Stored> {
        self.state().things.get(&(kind, identity.to_owned())).and_then(|thing| thing.now.clone())
    }
}

/// Without the numbers of what was generated (`~17`), and without digests, which follow from them.
fn steady(text: &str) -> String {
    let mut steady = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['~', ':']) {
        let (before, from) = rest.split_at(at);
        let is_digest = from.starts_with(':') && before.ends_with("sha256");
        steady.push_str(before);
        steady.push_str(&from[..1]);
        let is_left_out = |c: char| if is_digest { c.is_ascii_hexdigit() } else { from.starts_with('~') && c.is_ascii_digit() };
        rest = from[1..].trim_start_matches(is_left_out);
    }
    steady + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_random_is_left_out_of_what_is_compared() {
        assert_eq!(steady("a~17b sha256:00ff: x"), steady("a~3b sha256:12: x"));
        assert_ne!(steady("port: 17"), steady("port: 18"));
    }
}
