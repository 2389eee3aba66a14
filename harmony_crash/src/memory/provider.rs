//! One provider for every kind.

use std::marker::PhantomData;

use async_trait::async_trait;
use harmony::provider::{Known, Live, Observation, Provider, ProviderError};
use harmony::resource::Resource;
use harmony::run::Run;
use harmony::value;
use harmony_local::nats::NatsServerProcess;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use super::kinds::MemoryKind;
use super::things::{Stored, Things};

/// Looks at and changes things of one kind, each time through the fault layer.
pub(super) struct MemoryProvider<R> {
    things: Things,
    kind: PhantomData<fn() -> R>,
}

impl<R: MemoryKind> MemoryProvider<R> {
    pub(super) fn new(things: &Things) -> Self {
        Self { things: things.clone(), kind: PhantomData }
    }

    fn enter(&self) -> Result<(), ProviderError> {
        if R::IN_A_SERVER && !self.things.has_any(NatsServerProcess::KIND) {
            return Err(ProviderError::unreachable(format!("failed to reach a {}", R::NOUN), "no server answers"));
        }
        Ok(())
    }

    fn look(&self, known: &Known<R>) -> Result<Observation<R>, ProviderError> {
        if R::KEEPS_OUTPUTS && known.kept.is_none() {
            return Ok(Observation::Absent);
        }
        let Some(stored) = self.things.look(R::KIND, &known.identity.to_string()) else { return Ok(Observation::Absent) };
        let outputs = known.kept.clone().map_or_else(|| read(stored.outputs), Ok)?;
        Ok(Observation::there(read(stored.state)?, outputs))
    }

    fn make(&self, desired: &R) -> Result<R::Outputs, ProviderError> {
        let identity = desired.identity().to_string();
        let before = self.things.find(R::KIND, &identity);
        let outputs = before.map_or_else(|| desired.outputs(self.things.next_number()), |before| before.outputs);
        let stored = Stored { state: value::plain(&write(desired)?), outputs: outputs.clone() };
        self.things.write(R::KIND, &identity, Some(stored));
        read(outputs)
    }
}

#[async_trait]
impl<R: MemoryKind> Provider<R> for MemoryProvider<R> {
    async fn observe(&self, run: &Run, _: &R::Access, wanted: &[Known<R>]) -> Result<Vec<Observation<R>>, ProviderError> {
        let look = async {
            self.enter()?;
            wanted.iter().map(|known| self.look(known)).collect()
        };
        run.io().request(&format!("look at {}s", R::NOUN), look).await
    }

    async fn preview(&self, run: &Run, _: &R::Access, desired: &R, _: Option<&Live<R>>) -> Result<R, ProviderError> {
        run.io().request(&format!("preview of {} {}", R::NOUN, desired.identity()), async { Ok(desired.clone()) }).await
    }

    async fn apply(&self, run: &Run, _: &R::Access, desired: &R, _: Option<&Live<R>>) -> Result<R::Outputs, ProviderError> {
        let make = async {
            self.enter()?;
            self.make(desired)
        };
        run.io().request(&format!("write of {} {}", R::NOUN, desired.identity()), make).await
    }

    async fn delete(&self, run: &Run, _: &R::Access, identity: &R::Identity) -> Result<(), ProviderError> {
        let delete = async {
            self.enter()?;
            self.things.write(R::KIND, &identity.to_string(), None);
            Ok(())
        };
        run.io().request(&format!("deletion of {} {identity}", R::NOUN), delete).await
    }
}

fn read<V: DeserializeOwned>(json: Json) -> Result<V, ProviderError> {
    serde_json::from_value(json).map_err(|error| ProviderError::refused("failed to read what is in memory", error))
}

fn write(value: &impl serde::Serialize) -> Result<Json, ProviderError> {
    serde_json::to_value(value).map_err(|error| ProviderError::refused("failed to write into memory", error))
}
