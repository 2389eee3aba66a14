//! What the API would make of a wish, without making it.

use std::collections::BTreeMap;

use harmony::modules::k8s::identity::ObjectIdentity;
use harmony::modules::k8s::object::{Claim, Object, Sort};
use harmony::provider::{Live, ProviderError};
use harmony::run::Run;
use serde_json::Value as Json;

use super::Objects;
use super::comparison::{compared, compared_unasked, refused};
use super::signature::signed;
use super::wish::{learn, manifest, with_open_values};
use crate::api::{Api, ApiError, Send};
use crate::compare::{is_as_wished, merged};
use crate::ownership::Ownership;
use crate::review::is_lack_of_right;

/// An object that is there, and who manages its fields.
struct There {
    object: Json,
    managers: Ownership,
}

impl There {
    /// Whether the object is as it should be by what is known of it, so that the API need not be asked.
    fn is_as_wished<S: Sort>(&self, desired: &Object<S>) -> bool {
        let same_version = self.managers.our_version.as_deref() == Some(&desired.api_version)
            && self.object["apiVersion"] == desired.api_version.as_str();
        // One of which nothing is said is as it should be when it is there.
        desired.fields.is_empty()
            || same_version && is_as_wished(&with_open_values(&desired.fields), &self.object, &self.managers.ours)
    }
}

impl Objects {
    pub(super) async fn preview_known<S: Sort>(
        &self,
        run: &Run,
        desired: &Object<S>,
        live: Option<&Live<Object<S>>>,
    ) -> Result<Object<S>, ProviderError> {
        let api = self.connection.api(run).await?;
        let there = match live {
            Some(live) => self.there(run, api, live).await?,
            None => None,
        };
        learn(api, desired);
        let desired = &signed(desired, there.as_ref().map(|there| &there.object), &api.manager);
        if let (Some(there), Some(live)) = (&there, live)
            && there.is_as_wished(desired)
        {
            return Ok(live.state.clone().with_readiness(None));
        }
        let failed =
            |error: ApiError| error.failed(format!("{} cannot be as it should be in {}", desired.identity, api.cluster()));
        let Some(path) = self.path(run, api, &desired.identity, &desired.api_version).await.map_err(failed)? else {
            // Its kind is still to be defined.
            return Ok(desired.clone());
        };
        let (answer, holders) = dry_run(run, api, &path, desired, there.as_ref()).await;
        let judged = match (live, answer) {
            (None, answer) => self.judged_new(desired, answer),
            (Some(live), Ok(after)) => {
                let managers = there.as_ref().map(|there| &there.managers);
                Ok(compared(desired, live, managers, &after, &api.manager, holders))
            }
            (Some(live), Err(error)) => judged_refused(desired, live, there.as_ref(), error),
        };
        judged.map_err(failed)
    }

    async fn there<S: Sort>(&self, run: &Run, api: &Api, live: &Live<Object<S>>) -> Result<Option<There>, ProviderError> {
        let identity = &live.state.identity;
        let object = match self.recall(identity, &live.outputs) {
            Some(object) => Some(object),
            None => self.look(run, std::slice::from_ref(identity)).await?.pop().flatten(),
        };
        Ok(object.map(|object| There { managers: Ownership::of(&object, &api.manager), object }))
    }

    /// The path of an object in this version of its kind.
    async fn path(&self, run: &Run, api: &Api, identity: &ObjectIdentity, api_version: &str) -> Result<Option<String>, ApiError> {
        let version = api_version.rsplit_once('/').map_or(api_version, |(_, version)| version);
        let served = self.connection.discovery.find_again(run, api, identity).await?;
        let served = served.filter(|served| served.has_version(version));
        Ok(served.map(|served| served.path(identity, Some(version))))
    }

    /// Of an object that is not there a plan says what it wishes; what the API adds to it is the API's.
    fn judged_new<S: Sort>(&self, desired: &Object<S>, answer: Result<Json, ApiError>) -> Result<Object<S>, ApiError> {
        match answer {
            Ok(_) => Ok(desired.clone()),
            Err(error) if error.is_absent() => {
                desired.identity.namespace.iter().for_each(|namespace| self.note_namespace(namespace, true));
                Ok(desired.clone())
            }
            // Who may only look is shown what would become of it; the rights are asked for before anything is written.
            Err(error) if is_lack_of_right(&error) => Ok(desired.clone()),
            Err(error) => Err(error),
        }
    }
}

/// What the API says that would come of it, and who else holds something of that.
async fn dry_run<S: Sort>(
    run: &Run,
    api: &Api,
    path: &str,
    desired: &Object<S>,
    there: Option<&There>,
) -> (Result<Json, ApiError>, BTreeMap<String, Claim>) {
    let object = manifest(desired);
    match (api.send(run, path, Send::Apply { object: &object, force: false, dry_run: true }).await, there) {
        (Err(ApiError::Refused(refusal)), Some(there)) if refusal.code == 409 => {
            let forced = api.send(run, path, Send::Apply { object: &object, force: true, dry_run: true }).await;
            (forced, there.managers.claims(&refusal).into_iter().collect())
        }
        (answer, _) => (answer, BTreeMap::new()),
    }
}

/// What is shown of an object that is there where the API does not say what would come of it.
fn judged_refused<S: Sort>(
    desired: &Object<S>,
    live: &Live<Object<S>>,
    there: Option<&There>,
    error: ApiError,
) -> Result<Object<S>, ApiError> {
    let wish = with_open_values(&desired.fields);
    let managed = there.map(|there| &there.managers.all);
    if let Some(why) = refused(desired, there.map(|there| &there.object), &error) {
        let fields = merged(&live.state.fields, &wish, managed);
        return Ok(desired.clone().with_fields(fields).with_holders(BTreeMap::from([why])));
    }
    match is_lack_of_right(&error) {
        true => Ok(compared_unasked(&wish, live, managed)),
        false => Err(error),
    }
}
