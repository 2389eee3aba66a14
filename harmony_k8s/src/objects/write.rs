//! Applying an object as it is wished, and waiting until it is ready.

use harmony::modules::k8s::identity::ObjectIdentity;
use harmony::modules::k8s::object::{Claim, Object, ObjectOutputs, Sort};
use harmony::provider::{Live, ProviderError};
use harmony::run::Run;
use serde_json::{Value as Json, json};

use super::Objects;
use super::signature::signed;
use super::state::outputs;
use super::wish::{learn, manifest};
use crate::api::{Api, ApiError, Send};
use crate::ownership::Ownership;
use crate::wait::{wait_until_ready, wait_until_served};

/// A version that no object has: they are numbers of changes of a store, whose first one is empty.
const OF_NONE: &str = "1";

impl Objects {
    pub(super) async fn apply_now<S: Sort>(
        &self,
        run: &Run,
        desired: &Object<S>,
        live: Option<&Live<Object<S>>>,
    ) -> Result<ObjectOutputs, ProviderError> {
        let api = self.connection.api(run).await?;
        let identity = &desired.identity;
        learn(api, desired);
        let what = || format!("failed to apply {identity} in {}", api.cluster());
        if live.is_some_and(|live| live.state.is_leaving()) {
            self.wait_until_gone(run, api, identity).await?;
        }
        let path = wait_until_served(run, api, &self.connection.discovery, identity, &desired.api_version).await?;
        let before = match live {
            Some(_) if S::ADOPTS => self.look(run, std::slice::from_ref(identity)).await?.pop().flatten(),
            _ => None,
        };
        let object = manifest(&signed(desired, before.as_ref(), &api.manager));
        let mut answer = api.send(run, &path, Send::Apply { object: &object, force: false, dry_run: false }).await;
        if let Err(ApiError::Refused(refusal)) = &answer
            && refusal.code == 409
        {
            let before = self.look(run, std::slice::from_ref(identity)).await?.pop().flatten().unwrap_or_default();
            let claims = Ownership::of(&before, &api.manager).claims(refusal);
            // Only what was changed by hand is taken back, and the plan has said from whom.
            if !claims.is_empty() && claims.iter().all(|(_, claim)| matches!(claim, Claim::TakenBackFrom(_))) {
                answer = api.send(run, &path, Send::Apply { object: &object, force: true, dry_run: false }).await;
            }
        }
        let applied = answer.map_err(|error| error.failed(what()))?;
        self.applied(run, api, &path, applied, identity).await
    }

    /// Makes it where it is not: an object that is there has another version than the one that is named.
    pub(super) async fn make_now<S: Sort>(&self, run: &Run, desired: &Object<S>) -> Result<Option<ObjectOutputs>, ProviderError> {
        // What several programs use is signed after a look at who does.
        if S::ADOPTS {
            return Ok(None);
        }
        let api = self.connection.api(run).await?;
        let identity = &desired.identity;
        learn(api, desired);
        let path = wait_until_served(run, api, &self.connection.discovery, identity, &desired.api_version).await?;
        let mut object = manifest(desired);
        object["metadata"]["resourceVersion"] = json!(OF_NONE);
        match api.send(run, &path, Send::Apply { object: &object, force: false, dry_run: false }).await {
            Ok(applied) => self.applied(run, api, &path, applied, identity).await.map(Some),
            Err(ApiError::Refused(refusal)) if refusal.code == 409 => Ok(None),
            Err(error) => Err(error.failed(format!("failed to apply {identity} in {}", api.cluster()))),
        }
    }

    /// Waits until what was applied is ready, and returns what it offers.
    async fn applied(
        &self,
        run: &Run,
        api: &Api,
        path: &str,
        applied: Json,
        identity: &ObjectIdentity,
    ) -> Result<ObjectOutputs, ProviderError> {
        let is_definition = identity.kind == "CustomResourceDefinition";
        if is_definition {
            self.connection.discovery.forget().await;
        }
        let ready = wait_until_ready(run, api, path, applied, identity).await?;
        if is_definition {
            self.connection.discovery.forget().await;
        }
        if identity.kind == "Namespace" {
            self.note_namespace(&identity.name, false);
        }
        Ok(outputs(&ready))
    }
}
