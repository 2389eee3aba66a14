//! Providers of any kind under one type: the same methods over JSON. Private; the only implementors are the two structs here.

use std::borrow::Cow;
use std::sync::Arc;

use async_trait::async_trait;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use crate::proof::{Evidence, Proof, Prover};
use crate::provider::{Failure, Intended, Known, Live, Observation, Provider, ProviderError, Write};
use crate::resource::{FieldChange, Impact, Loss, Resource};
use crate::run::Run;

/// What is known of a kind without looking.
#[derive(Clone, Copy)]
pub(crate) struct KindFacts {
    pub(crate) noun: &'static str,
    pub(crate) loss: Loss,
    pub(crate) adopts: bool,
    pub(crate) shared: bool,
    pub(crate) hands_over: bool,
    pub(crate) stands_alone: bool,
    pub(crate) keeps_outputs: bool,
    pub(crate) secret_fields: &'static [&'static str],
    pub(crate) impact: fn(&FieldChange) -> Impact,
}

/// A thing as it is, serialised. It can hold secrets in the open, so it has no `Debug`.
#[derive(Clone)]
pub(crate) struct AnyLive {
    pub(crate) state: Json,
    pub(crate) outputs: Json,
    pub(crate) holds: Option<String>,
}

/// What an observation found.
pub(crate) enum AnyObservation {
    Absent,
    There(Unread),
    Unreachable(String),
}

/// A thing as it is, serialised when it is read: of thousands that are looked at together, only those at hand need room for that.
pub(crate) struct Unread(Box<dyn FnOnce() -> Result<AnyLive, ProviderError> + Send>);

impl Unread {
    fn of<R: Resource>(live: Box<Live<R>>) -> Self {
        Self(Box::new(move || {
            Ok(AnyLive {
                state: write::<R>("state", &live.state)?,
                outputs: write::<R>("outputs", &live.outputs)?,
                holds: live.holds,
            })
        }))
    }

    pub(crate) fn read(self) -> Result<AnyLive, ProviderError> {
        (self.0)()
    }
}

impl From<AnyLive> for Unread {
    fn from(live: AnyLive) -> Self {
        Self(Box::new(move || Ok(live)))
    }
}

/// What is already known of a thing to be observed, serialised.
#[derive(Debug, Clone)]
pub(crate) struct AnyKnown<'a> {
    pub(crate) identity: Cow<'a, Json>,
    pub(crate) kept: Option<&'a Json>,
}

/// A write that is about to be done, serialised.
#[derive(Debug, Clone)]
pub(crate) struct AnyIntended {
    pub(crate) identity: Json,
    pub(crate) write: Write,
}

#[async_trait]
pub(crate) trait AnyProvider: Send + Sync {
    fn facts(&self) -> KindFacts;
    async fn observe(&self, run: &Run, at: &Json, wanted: &[AnyKnown<'_>]) -> Result<Vec<AnyObservation>, ProviderError>;
    async fn preview(&self, run: &Run, at: &Json, desired: &Json, live: Option<&AnyLive>) -> Result<Json, ProviderError>;
    async fn missing_rights(&self, run: &Run, at: &Json, intended: &[AnyIntended]) -> Result<Vec<String>, ProviderError>;
    async fn apply(&self, run: &Run, at: &Json, desired: &Json, live: Option<&AnyLive>) -> Result<Json, ProviderError>;
    async fn make_if_absent(&self, run: &Run, at: &Json, desired: &Json) -> Result<Option<Json>, ProviderError>;
    async fn delete(&self, run: &Run, at: &Json, identity: &Json) -> Result<(), ProviderError>;
}

#[async_trait]
pub(crate) trait AnyProver: Send + Sync {
    async fn prove(&self, run: &Run, proof: &Json) -> Result<Evidence, ProviderError>;
}

pub(super) struct Erased<R: Resource>(Arc<dyn Provider<R>>);

impl<R: Resource> Erased<R> {
    pub(super) fn new(provider: Arc<dyn Provider<R>>) -> Self {
        Self(provider)
    }
}

#[async_trait]
impl<R: Resource> AnyProvider for Erased<R> {
    fn facts(&self) -> KindFacts {
        KindFacts {
            noun: R::NOUN,
            loss: R::LOSS,
            adopts: R::ADOPTS,
            shared: R::SHARED,
            hands_over: R::HANDS_OVER,
            stands_alone: R::STANDS_ALONE,
            keeps_outputs: R::KEEPS_OUTPUTS,
            secret_fields: R::SECRET_FIELDS,
            impact: R::impact,
        }
    }

    async fn observe(&self, run: &Run, at: &Json, wanted: &[AnyKnown<'_>]) -> Result<Vec<AnyObservation>, ProviderError> {
        let known = wanted.iter().map(typed_known::<R>).collect::<Result<Vec<_>, _>>()?;
        let found = self.0.observe(run, &read::<R, _>("access", at)?, &known).await?;
        if found.len() != wanted.len() {
            let why = format!("{} observations for {} things", found.len(), wanted.len());
            return Err(ProviderError::refused(format!("the provider of {} does not keep its contract", R::KIND), why));
        }
        Ok(found.into_iter().map(any_observation::<R>).collect())
    }

    async fn preview(&self, run: &Run, at: &Json, desired: &Json, live: Option<&AnyLive>) -> Result<Json, ProviderError> {
        let live = live.map(typed_live::<R>).transpose()?;
        let preview = self.0.preview(run, &read::<R, _>("access", at)?, &read::<R, _>("spec", desired)?, live.as_ref()).await?;
        write::<R>("spec", &preview)
    }

    async fn missing_rights(&self, run: &Run, at: &Json, intended: &[AnyIntended]) -> Result<Vec<String>, ProviderError> {
        let typed = |AnyIntended { identity, write }: &AnyIntended| {
            read::<R, _>("identity", identity).map(|identity| Intended { identity, write: *write })
        };
        let intended = intended.iter().map(typed).collect::<Result<Vec<_>, _>>()?;
        self.0.missing_rights(run, &read::<R, _>("access", at)?, &intended).await
    }

    async fn apply(&self, run: &Run, at: &Json, desired: &Json, live: Option<&AnyLive>) -> Result<Json, ProviderError> {
        let live = live.map(typed_live::<R>).transpose()?;
        let outputs = self.0.apply(run, &read::<R, _>("access", at)?, &read::<R, _>("spec", desired)?, live.as_ref()).await?;
        write::<R>("outputs", &outputs)
    }

    async fn make_if_absent(&self, run: &Run, at: &Json, desired: &Json) -> Result<Option<Json>, ProviderError> {
        let made = self.0.make_if_absent(run, &read::<R, _>("access", at)?, &read::<R, _>("spec", desired)?).await?;
        made.map(|outputs| write::<R>("outputs", &outputs)).transpose()
    }

    async fn delete(&self, run: &Run, at: &Json, identity: &Json) -> Result<(), ProviderError> {
        self.0.delete(run, &read::<R, _>("access", at)?, &read::<R, _>("identity", identity)?).await
    }
}

pub(super) struct ErasedProver<P: Proof>(Arc<dyn Prover<P>>);

impl<P: Proof> ErasedProver<P> {
    pub(super) fn new(prover: Arc<dyn Prover<P>>) -> Self {
        Self(prover)
    }
}

#[async_trait]
impl<P: Proof> AnyProver for ErasedProver<P> {
    async fn prove(&self, run: &Run, proof: &Json) -> Result<Evidence, ProviderError> {
        let proof = P::deserialize(proof).map_err(|_| misread(P::KIND, "proof"))?;
        self.0.prove(run, &proof).await
    }
}

fn typed_known<R: Resource>(known: &AnyKnown<'_>) -> Result<Known<R>, ProviderError> {
    let kept = known.kept.map(|kept| read::<R, _>("outputs", kept)).transpose()?;
    Ok(Known { identity: read::<R, _>("identity", &known.identity)?, kept })
}

fn typed_live<R: Resource>(live: &AnyLive) -> Result<Live<R>, ProviderError> {
    Ok(Live {
        state: read::<R, _>("state", &live.state)?,
        outputs: read::<R, _>("outputs", &live.outputs)?,
        holds: live.holds.clone(),
    })
}

fn any_observation<R: Resource>(observation: Observation<R>) -> AnyObservation {
    match observation {
        Observation::Absent => AnyObservation::Absent,
        Observation::Unreachable(why) => AnyObservation::Unreachable(why),
        Observation::There(live) => AnyObservation::There(Unread::of(live)),
    }
}

fn read<R: Resource, V: DeserializeOwned>(what: &str, json: &Json) -> Result<V, ProviderError> {
    // The words of the deserialiser are left out: they can hold the value it fell over, and that can be a secret.
    V::deserialize(json).map_err(|_| misread(R::KIND, what))
}

fn write<R: Resource>(what: &str, value: &impl Serialize) -> Result<Json, ProviderError> {
    serde_json::to_value(value).map_err(|_| misread(R::KIND, what))
}

fn misread(kind: &str, what: &str) -> ProviderError {
    let failure = Failure::new(format!("the {what} of a {kind} does not have the form of this kind"), "");
    ProviderError::Refused(failure.with_hint("its wire format changed without a new version in its kind's name"))
}
