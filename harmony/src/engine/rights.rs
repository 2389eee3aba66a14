//! Whether a run may do what its plan shows: asked before its first write, all at once.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::StreamExt;
use futures::stream;
use serde_json::Value as Json;

use super::filled::fill;
use super::items::{ItemKind, Items};
use super::observe::Observed;
use super::plan::Change;
use crate::provider::Write;
use crate::run::Run;
use crate::topology::{AnyIntended, AnyProvider};
use crate::value;

/// Everything that asking needs.
pub(super) struct Rights<'a> {
    pub(super) items: &'a Items,
    pub(super) found: &'a Observed,
    pub(super) run: &'a Run,
}

/// The writes of one place, kind and access.
struct Batch {
    provider: Arc<dyn AnyProvider>,
    access: Json,
    intended: Vec<AnyIntended>,
}

impl Rights<'_> {
    /// Every right that is missing, in the words of the places. What a place does not say is left to the steps, and so is what lives in
    /// something that is still to come.
    pub(super) async fn missing(&self) -> Vec<String> {
        let mut batches: BTreeMap<(&str, &str, String), Batch> = BTreeMap::new();
        for index in 0..self.items.len() {
            let Some(write) = write_of(&self.found.verdicts[index].change) else { continue };
            let (key, provider, identity) = match &self.items.items[index].what {
                ItemKind::Wanted { resource, key, provider } => (key, provider, resource.identity.clone()),
                ItemKind::Unwanted { entry, provider: Some(provider) } => (&entry.key, provider, entry.key.identity_as_json()),
                _ => continue,
            };
            let access = fill(self.items, index, self.found).access;
            if !value::references(&access).is_empty() {
                continue;
            }
            let batch = (key.place.as_str(), key.kind.as_str(), access.to_string());
            let new = || Batch { provider: Arc::clone(provider), access: access.into_owned(), intended: Vec::new() };
            batches.entry(batch).or_insert_with(new).intended.push(AnyIntended { identity, write });
        }
        let asked = batches.into_values().map(|Batch { provider, access, intended }| async move {
            provider.missing_rights(self.run, &access, &intended).await.unwrap_or_default()
        });
        stream::iter(asked).buffered(self.run.side_by_side()).collect::<Vec<_>>().await.concat()
    }
}

fn write_of(change: &Change) -> Option<Write> {
    match change {
        Change::Create => Some(Write::Make),
        Change::Update => Some(Write::Change),
        Change::Replace { .. } => Some(Write::Replace),
        Change::Delete { .. } => Some(Write::TakeAway),
        Change::None
        | Change::UnknownUntil { .. }
        | Change::Unreachable { .. }
        | Change::Forget
        | Change::Forbidden { .. }
        | Change::Prove
        | Change::Adopt => None,
    }
}
