//! Deleting an object, and waiting until it is gone.

use harmony::modules::k8s::identity::ObjectIdentity;
use harmony::provider::{Failure, ProviderError};
use harmony::run::{Looked, Run};
use serde_json::{Value as Json, json};

use super::Objects;
use super::signature::is_others_too;
use crate::api::{Api, ApiError, Send};
use crate::ownership::Ownership;

impl Objects {
    pub(super) async fn delete_now(&self, run: &Run, identity: &ObjectIdentity) -> Result<(), ProviderError> {
        let api = self.connection.api(run).await?;
        let Some(object) = self.look(run, std::slice::from_ref(identity)).await?.pop().flatten() else { return Ok(()) };
        let failed = |error: ApiError| error.failed(format!("failed to delete {identity} in {}", api.cluster()));
        let Some(served) = self.connection.discovery.find(run, api, identity).await.map_err(failed)? else { return Ok(()) };
        let path = served.path(identity, None);
        if identity.kind == "Namespace" && is_others_too(&object, &Ownership::of(&object, &api.manager), &api.manager) {
            let nothing =
                json!({ "apiVersion": object["apiVersion"], "kind": "Namespace", "metadata": { "name": identity.name } });
            return api
                .send(run, &path, Send::Apply { object: &nothing, force: false, dry_run: false })
                .await
                .map(|_| ())
                .map_err(failed);
        }
        if object.pointer("/metadata/deletionTimestamp").is_none() {
            // What was made anew under its name meanwhile is not what was seen.
            let options =
                json!({ "preconditions": { "uid": object.pointer("/metadata/uid") }, "propagationPolicy": "Foreground" });
            match api.send(run, &path, Send::Delete(&options)).await {
                Err(error) if error.is_absent() => return Ok(()),
                answer => answer.map_err(failed)?,
            };
        }
        self.wait_until_gone(run, api, identity).await?;
        if identity.kind == "CustomResourceDefinition" {
            self.connection.discovery.forget().await;
        }
        Ok(())
    }

    pub(super) async fn wait_until_gone(&self, run: &Run, api: &Api, identity: &ObjectIdentity) -> Result<(), ProviderError> {
        run.wait_for(&format!("{identity} to be gone"), || async {
            let Some(object) = self.look(run, std::slice::from_ref(identity)).await?.pop().flatten() else {
                return Ok(Looked::Found(()));
            };
            if object.pointer("/metadata/deletionTimestamp").is_none() {
                let what = format!("failed to delete {identity} in {}", api.cluster());
                return Err(ProviderError::Conflict(Failure::new(what, "somebody has made it anew")));
            }
            let finalizers = object.pointer("/metadata/finalizers").and_then(Json::as_array);
            let names: Vec<&str> = finalizers.into_iter().flatten().filter_map(Json::as_str).collect();
            let why = if names.is_empty() {
                "it is being deleted".to_owned()
            } else {
                format!("its finalizers are still there: {}", names.join(", "))
            };
            Ok(Looked::NotYet(why))
        })
        .await
    }
}
