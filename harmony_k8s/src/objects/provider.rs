//! The provider, and what it remembers within a run.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use harmony::modules::k8s::identity::ObjectIdentity;
use harmony::modules::k8s::object::{Object, ObjectOutputs, Sort};
use harmony::provider::{Intended, Known, Live, Observation, Provider, ProviderError};
use harmony::run::Run;
use harmony::value;
use serde_json::Value as Json;

use super::comparison::compared_unasked;
use super::state::{VERSION, live};
use super::wish::is_secret;
use crate::connection::Connection;
use crate::ownership::Ownership;
use crate::review::missing_rights;

/// Objects of one cluster.
pub(crate) struct Objects {
    pub(crate) connection: Connection,
    /// What was seen whole when it was looked at, until it is compared with a wish.
    seen: Mutex<HashMap<ObjectIdentity, Json>>,
    /// Namespaces that are still to come: nothing can be asked about what will be in them.
    coming: Mutex<HashSet<String>>,
}

impl Objects {
    pub(crate) fn new(connection: Connection) -> Self {
        Self { connection, seen: Mutex::default(), coming: Mutex::default() }
    }

    fn remember(&self, identity: &ObjectIdentity, object: Json) {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).insert(identity.clone(), object);
    }

    /// Whether the namespace that an object is in is still to come. The API answers late where a namespace is missing, and the same for each object.
    fn is_to_come(&self, identity: &ObjectIdentity) -> bool {
        let coming = self.coming.lock().unwrap_or_else(PoisonError::into_inner);
        identity.namespace.as_ref().is_some_and(|namespace| coming.contains(namespace))
    }

    /// Notes whether a namespace is still to come.
    pub(super) fn note_namespace(&self, name: &str, is_to_come: bool) {
        let mut coming = self.coming.lock().unwrap_or_else(PoisonError::into_inner);
        if is_to_come {
            coming.insert(name.to_owned());
        } else {
            coming.remove(name);
        }
    }

    /// What was seen, if it is what `outputs` are of.
    pub(super) fn recall(&self, identity: &ObjectIdentity, outputs: &ObjectOutputs) -> Option<Json> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner).remove(identity)?;
        (seen.pointer("/metadata/resourceVersion") == outputs.get(VERSION)).then_some(seen)
    }
}

#[async_trait]
impl<S: Sort> Provider<Object<S>> for Objects {
    async fn observe(
        &self,
        run: &Run,
        (): &(),
        wanted: &[Known<Object<S>>],
    ) -> Result<Vec<Observation<Object<S>>>, ProviderError> {
        let identities: Vec<ObjectIdentity> = wanted.iter().map(|known| known.identity.clone()).collect();
        let found = self.look(run, &identities).await?;
        let api = self.connection.api(run).await?;
        let observed = identities.iter().zip(found).map(|(identity, object)| {
            if *identity == ObjectIdentity::of_namespace(&identity.name) {
                self.note_namespace(&identity.name, object.is_none());
            }
            let Some(object) = object else { return Observation::Absent };
            api.learn_secrets(&object, is_secret(identity));
            let mut seen = live(identity, &object, &Ownership::of(&object, &api.manager), &api.manager);
            seen.state.readiness = seen.state.readiness.map(|reason| api.redacted(reason));
            self.remember(identity, object);
            identity.namespace.iter().for_each(|namespace| self.note_namespace(namespace, false));
            Observation::There(Box::new(seen))
        });
        Ok(observed.collect())
    }

    async fn preview(
        &self,
        run: &Run,
        (): &(),
        desired: &Object<S>,
        live: Option<&Live<Object<S>>>,
    ) -> Result<Object<S>, ProviderError> {
        let unknown = desired.fields.values().any(|json| !value::references(json).is_empty());
        match live {
            // The API cannot be asked about what is not known; what is known of it is compared with what is there.
            Some(live) if unknown => {
                let managers = self.recall(&desired.identity, &live.outputs).map(|object| Ownership::of(&object, ""));
                Ok(compared_unasked(&desired.fields, live, managers.as_ref().map(|managers| &managers.all)))
            }
            None if unknown || self.is_to_come(&desired.identity) => Ok(desired.clone()),
            _ => self.preview_known(run, desired, live).await,
        }
    }

    async fn missing_rights(&self, run: &Run, (): &(), intended: &[Intended<Object<S>>]) -> Result<Vec<String>, ProviderError> {
        let api = self.connection.api(run).await?;
        let intended = intended.iter().map(|one| (&one.identity, one.write));
        let missing = missing_rights(run, api, &self.connection.discovery, intended).await;
        let missing = missing.map_err(|error| error.failed(format!("failed to ask for rights in {}", api.cluster())))?;
        Ok(missing.into_iter().map(|right| format!("{right} of {}", api.cluster())).collect())
    }

    async fn apply(
        &self,
        run: &Run,
        (): &(),
        desired: &Object<S>,
        live: Option<&Live<Object<S>>>,
    ) -> Result<ObjectOutputs, ProviderError> {
        self.apply_now(run, desired, live).await
    }

    async fn make_if_absent(&self, run: &Run, (): &(), desired: &Object<S>) -> Result<Option<ObjectOutputs>, ProviderError> {
        self.make_now(run, desired).await
    }

    async fn delete(&self, run: &Run, (): &(), identity: &ObjectIdentity) -> Result<(), ProviderError> {
        self.delete_now(run, identity).await
    }
}
