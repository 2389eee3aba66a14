//! One provider for every fake kind.

use std::marker::PhantomData;

use async_trait::async_trait;
use harmony::provider::{Known, Live, Observation, Provider, ProviderError};
use harmony::run::Run;
use harmony::value;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use super::kinds::{FakeKind, FakeRoom, FakeStore, FakeThing};
use super::world::{Call, Happened, Stored, World};
use harmony::resource::Resource;

/// Looks at and changes things of one kind in a [`World`].
pub struct FakeProvider<R> {
    world: World,
    kind: PhantomData<fn() -> R>,
}

impl<R: FakeKind> FakeProvider<R> {
    /// A provider over this world.
    #[must_use]
    pub fn new(world: &World) -> Self {
        Self { world: world.clone(), kind: PhantomData }
    }

    /// Fails unless what it lives in is there and lets us in.
    fn enter(&self, at: &R::Access) -> Result<(), ProviderError> {
        let what = || format!("failed to enter for a {}", R::NOUN);
        match R::holder(at) {
            Err(why) => Err(ProviderError::refused(what(), why)),
            Ok(Some(holder))
                if [FakeThing::KIND, FakeStore::KIND].iter().all(|kind| self.world.find(kind, &holder).is_none()) =>
            {
                Err(ProviderError::unreachable(what(), format!("nobody answers at {holder}")))
            }
            Ok(_) => Ok(()),
        }
    }

    async fn look(&self, known: &Known<R>) -> Result<Observation<R>, ProviderError> {
        let identity = known.identity.to_string();
        self.world.meet(Call::Observe, &identity).await?;
        let Some(stored) = self.world.find(R::KIND, &identity) else { return Ok(Observation::Absent) };
        let outputs = match (&known.kept, R::KEEPS_OUTPUTS) {
            (Some(kept), _) => kept.clone(),
            (None, true) => read(serde_json::json!({"number": 0}))?,
            (None, false) => read(stored.outputs)?,
        };
        Ok(Observation::There(Box::new(Live { state: read(stored.state)?, outputs, holds: stored.holds })))
    }
}

#[async_trait]
impl<R: FakeKind> Provider<R> for FakeProvider<R> {
    async fn observe(&self, _: &Run, at: &R::Access, wanted: &[Known<R>]) -> Result<Vec<Observation<R>>, ProviderError> {
        self.world.count_observation();
        self.enter(at)?;
        let mut found = Vec::with_capacity(wanted.len());
        for known in wanted {
            found.push(self.look(known).await?);
        }
        Ok(found)
    }

    async fn preview(&self, _: &Run, at: &R::Access, desired: &R, _: Option<&Live<R>>) -> Result<R, ProviderError> {
        self.enter(at)?;
        self.world.meet(Call::Preview, &desired.identity().to_string()).await?;
        Ok(desired.clone())
    }

    async fn apply(&self, run: &Run, at: &R::Access, desired: &R, live: Option<&Live<R>>) -> Result<R::Outputs, ProviderError> {
        self.enter(at)?;
        let identity = desired.identity().to_string();
        let did = if live.is_some() { "update" } else { "create" };
        let happened = Happened { did, kind: R::KIND.to_owned(), identity: identity.clone(), fence: run.fence() };
        self.world.begin_write(happened.clone());
        let met = self.world.meet(Call::Apply, &identity).await;
        // As with real ones, others come to their turn while a write is on its way.
        tokio::task::yield_now().await;
        self.world.end_write(&happened);
        met?;
        let before = self.world.find(R::KIND, &identity);
        let stored = Stored {
            state: value::plain(&write(desired)?),
            outputs: match &before {
                Some(before) => before.outputs.clone(),
                None => write(&desired.outputs(self.world.next_number()))?,
            },
            holds: before.and_then(|before| before.holds),
        };
        let outputs = read(stored.outputs.clone())?;
        self.world.put(R::KIND, &identity, stored);
        self.world.meet_after(Call::Apply, &identity)?;
        Ok(outputs)
    }

    async fn make_if_absent(&self, run: &Run, at: &R::Access, desired: &R) -> Result<Option<R::Outputs>, ProviderError> {
        if !self.world.makes_at_once() || self.world.find(R::KIND, &desired.identity().to_string()).is_some() {
            return Ok(None);
        }
        self.apply(run, at, desired, None).await.map(Some)
    }

    async fn delete(&self, run: &Run, at: &R::Access, identity: &R::Identity) -> Result<(), ProviderError> {
        if !R::STANDS_ALONE {
            self.enter(at)?;
        }
        let identity = identity.to_string();
        let happened = Happened { did: "delete", kind: R::KIND.to_owned(), identity: identity.clone(), fence: run.fence() };
        self.world.begin_write(happened.clone());
        let met = self.world.meet(Call::Delete, &identity).await;
        tokio::task::yield_now().await;
        self.world.end_write(&happened);
        met?;
        self.world.remove(R::KIND, &identity);
        if R::holds_rooms() {
            self.world.remove_all(FakeRoom::KIND, &format!("{identity}."));
        }
        self.world.meet_after(Call::Delete, &identity)
    }
}

fn read<V: DeserializeOwned>(json: Json) -> Result<V, ProviderError> {
    serde_json::from_value(json).map_err(|error| ProviderError::refused("failed to read the world", error))
}

fn write(value: &impl serde::Serialize) -> Result<Json, ProviderError> {
    serde_json::to_value(value).map_err(|error| ProviderError::refused("failed to write the world", error))
}
