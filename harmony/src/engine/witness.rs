//! Remembering what was seen in a form that can be compared and not read.
//!
//! A saved plan must notice that a secret was changed by hand, and hold neither the secret nor anything by which a weak one could be
//! guessed. So it holds digests under a key that stays in the state directory.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use harmony_io::{Io, IoError, Mode};
use harmony_types::{Digest, PlaceName};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::items::Item;
use crate::arrangement::Node;
use crate::provider::ProviderError;
use crate::run::Run;
use crate::topology::{AnyIntended, AnyKnown, AnyLive, AnyObservation, AnyProvider, KindFacts, Providers};

/// The file of the key in the state directory.
pub(super) const KEY_FILE: &str = "plan-key";
/// What stands for the outputs among the fields of a thing.
pub(super) const OUTPUTS: &str = "outputs";

/// A keyed digest: equal for equal values under one key, and nothing to those who do not have the key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Mark(String);

/// 96 bits: no two of a site's values have the same by chance.
const DIGITS: usize = 24;

/// What marks are made with. It never leaves the state directory.
#[derive(Clone)]
pub(super) struct Key(Vec<u8>);

impl Key {
    /// The key of this state directory, if it has one.
    pub(super) fn find(io: &Io, state: &Path) -> Result<Option<Self>, IoError> {
        Ok(io.find_file(&state.join(KEY_FILE))?.map(Self))
    }

    /// A new key for this state directory.
    pub(super) fn make(io: &Io, state: &Path) -> Result<Self, IoError> {
        let key = Self(format!("{:032x}{:032x}", rand::random::<u128>(), rand::random::<u128>()).into_bytes());
        io.write_file(&state.join(KEY_FILE), &key.0, Mode::Private)?;
        Ok(key)
    }

    /// By what the key can be told from others; nothing can be marked with it.
    pub(super) fn name(&self) -> Mark {
        self.mark("the key's name", &Json::Null)
    }

    /// The mark of what `node` says that should be; where the program says it is no part of that.
    pub(super) fn of_wish(&self, node: &Node) -> Mark {
        let what = serde_json::to_value((&node.place, &node.what, &node.after, &node.turn)).unwrap_or_default();
        self.mark("wish", &what)
    }

    /// The digest of a digest, both under the key: one alone could be continued by others.
    fn mark(&self, about: &str, value: &Json) -> Mark {
        let under_key = |text: &str| Digest::of(&[self.0.as_slice(), b"\0", text.as_bytes()].concat());
        let digest = under_key(under_key(&format!("{about}\0{value}")).hex());
        Mark(digest.hex().chars().take(DIGITS).collect())
    }
}

/// Remembers the marks of everything that its providers have seen.
pub(super) struct Witness {
    key: Key,
    seen: Mutex<HashMap<Thing, Marks>>,
}

/// Marks by top-level field, as RFC 6901 pointers, and one of the outputs; none of what is not there.
pub(super) type Marks = BTreeMap<String, Mark>;
/// Place, kind and identity.
type Thing = (PlaceName, String, String);

impl Witness {
    pub(super) fn new(key: Key) -> Arc<Self> {
        Arc::new(Self { key, seen: Mutex::default() })
    }

    pub(super) fn key(&self) -> &Key {
        &self.key
    }

    /// The same providers, watched.
    pub(super) fn watch(self: &Arc<Self>, providers: &Providers) -> Providers {
        providers.wrapped(|place, kind, provider| {
            Arc::new(Watched { place: place.clone(), kind, provider: Arc::clone(provider), witness: Arc::clone(self) })
        })
    }

    /// What was last seen of an item.
    pub(super) fn seen(&self, item: &Item) -> Marks {
        let Some(key) = item.key() else { return Marks::new() };
        let thing = (key.place.clone(), key.kind.clone(), key.identity.clone());
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).get(&thing).cloned().unwrap_or_default()
    }

    fn note(&self, thing: Thing, observation: AnyObservation) -> Result<AnyObservation, ProviderError> {
        let (marks, observation) = match observation {
            AnyObservation::There(live) => {
                let live = live.read()?;
                (self.marks(&thing, &live), AnyObservation::There(live.into()))
            }
            nothing @ (AnyObservation::Absent | AnyObservation::Unreachable(_)) => (Marks::new(), nothing),
        };
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).insert(thing, marks);
        Ok(observation)
    }

    fn marks(&self, (place, kind, identity): &Thing, live: &AnyLive) -> Marks {
        // What it is of is marked with it, so that two equal secrets do not show as equal.
        let mark = |field: &str, value: &Json| self.key.mark(&format!("{place}\0{kind}\0{identity}\0{field}"), value);
        let mut marks = Marks::new();
        match &live.state {
            Json::Object(fields) => marks.extend(fields.iter().map(|(name, value)| {
                let mut path = String::new();
                crate::value::push_key(&mut path, name);
                let mark = mark(&path, value);
                (path, mark)
            })),
            whole => drop(marks.insert(String::new(), mark("", whole))),
        }
        marks.insert(OUTPUTS.to_owned(), mark(OUTPUTS, &live.outputs));
        marks
    }
}

struct Watched {
    place: PlaceName,
    kind: &'static str,
    provider: Arc<dyn AnyProvider>,
    witness: Arc<Witness>,
}

#[async_trait]
impl AnyProvider for Watched {
    fn facts(&self) -> KindFacts {
        self.provider.facts()
    }

    async fn observe(&self, run: &Run, at: &Json, wanted: &[AnyKnown<'_>]) -> Result<Vec<AnyObservation>, ProviderError> {
        let found = self.provider.observe(run, at, wanted).await?;
        let note = |(known, observation): (&AnyKnown<'_>, AnyObservation)| {
            self.witness.note((self.place.clone(), self.kind.to_owned(), known.identity.to_string()), observation)
        };
        wanted.iter().zip(found).map(note).collect()
    }

    async fn preview(&self, run: &Run, at: &Json, desired: &Json, live: Option<&AnyLive>) -> Result<Json, ProviderError> {
        self.provider.preview(run, at, desired, live).await
    }

    async fn missing_rights(&self, run: &Run, at: &Json, intended: &[AnyIntended]) -> Result<Vec<String>, ProviderError> {
        self.provider.missing_rights(run, at, intended).await
    }

    async fn apply(&self, run: &Run, at: &Json, desired: &Json, live: Option<&AnyLive>) -> Result<Json, ProviderError> {
        self.provider.apply(run, at, desired, live).await
    }

    async fn make_if_absent(&self, run: &Run, at: &Json, desired: &Json) -> Result<Option<Json>, ProviderError> {
        self.provider.make_if_absent(run, at, desired).await
    }

    async fn delete(&self, run: &Run, at: &Json, identity: &Json) -> Result<(), ProviderError> {
        self.provider.delete(run, at, identity).await
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_mark_tells_nothing_without_its_key() {
        let (one, other) = (Key(b"one".to_vec()), Key(b"other".to_vec()));
        let mark = |key: &Key, about, value| key.mark(about, &json!(value));
        assert_eq!(mark(&one, "a", "1234"), mark(&one, "a", "1234"));
        assert_ne!(mark(&one, "a", "1234"), mark(&other, "a", "1234"));
        assert_ne!(mark(&one, "a", "1234"), mark(&one, "b", "1234"), "equal secrets do not show as equal");
        assert_ne!(one.name(), other.name());
    }
}
