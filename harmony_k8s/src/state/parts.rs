//! The objects that a large Ledger has besides its first one.

use std::time::Duration;

use data_encoding::BASE64;
use futures::StreamExt;
use harmony::provider::ProviderError;
use harmony::run::{Looked, Run};
use serde_json::{Value as Json, json};

use super::keeping::{HowMuch, Keeping, Kind, text};
use crate::api::Send;

/// The label of all objects of a Ledger, whose value is the first one's name.
pub(super) const LABEL: &str = "harmony/ledger";
const CONTENTS: &str = "part";
const METADATA_OF_ALL: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
const AT_ONCE: usize = 4;

/// The labels of an object of a Ledger.
pub(super) fn labels(name: &str) -> Json {
    json!({ "app.kubernetes.io/managed-by": "harmony", LABEL: name })
}

/// Makes them. Each has a name of its own that is never used again: what deletes an old one late does not meet a new one.
pub(super) async fn make(keeping: &Keeping, run: &Run, parts: &[(String, &[u8])]) -> Result<(), ProviderError> {
    let makes: Vec<_> = parts.iter().map(|(name, contents)| make_one(keeping, run, name, contents)).collect();
    let made: Vec<_> = futures::stream::iter(makes).buffer_unordered(AT_ONCE).collect().await;
    made.into_iter().collect()
}

async fn make_one(keeping: &Keeping, run: &Run, name: &str, contents: &[u8]) -> Result<(), ProviderError> {
    let object = json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": { "name": name, "namespace": keeping.namespace, "labels": labels(&keeping.name) },
        "immutable": true,
        "binaryData": { CONTENTS: BASE64.encode(contents) },
    });
    let path = keeping.path_of_all(Kind::ConfigMap);
    let (api, object, path) = (keeping.api(run).await?, &object, &path);
    let make = || async move {
        match api.send(run, path, Send::Create(object)).await {
            Ok(_) => Ok(Looked::Found(())),
            // Its name is of its contents and of this run: it is the one whose answer was lost.
            Err(error) if error.is_conflict() => Ok(Looked::Found(())),
            Err(error) => Err(keeping.failed("failed to write a part of the Ledger", error)),
        }
    };
    run.wait_for("a part of the Ledger", make).await
}

/// The contents of all of them; `None` if one is not there.
pub(super) async fn find(keeping: &Keeping, run: &Run, names: &[String]) -> Result<Option<Vec<Vec<u8>>>, ProviderError> {
    let finds: Vec<_> = names.iter().map(|name| find_one(keeping, run, name)).collect();
    let found: Vec<_> = futures::stream::iter(finds).buffered(AT_ONCE).collect().await;
    found.into_iter().collect()
}

async fn find_one(keeping: &Keeping, run: &Run, name: &str) -> Result<Option<Vec<u8>>, ProviderError> {
    let found = keeping.find(run, &keeping.path(Kind::ConfigMap, name), HowMuch::Whole).await?;
    Ok(found.map(|object| contents(&object, CONTENTS)))
}

/// Bytes that an object holds; none if they cannot be read, which the digest of all of them tells.
pub(super) fn contents(object: &Json, name: &str) -> Vec<u8> {
    BASE64.decode(text(object, &format!("/binaryData/{name}")).as_bytes()).unwrap_or_default()
}

/// Takes all away but these. What is left because this fails is read by nobody, and goes with the next of its kind.
pub(super) async fn remove_all_but(keeping: &Keeping, run: &Run, keep: &[String]) -> Result<(), ProviderError> {
    let path = format!("{}?labelSelector={}%3D{}", keeping.path_of_all(Kind::ConfigMap), LABEL.replace('/', "%2F"), keeping.name);
    let api = keeping.api(run).await?;
    let failed = |error| keeping.failed("failed to look at the parts of the Ledger", error);
    let list = match api.send_accepting(run, &path, Send::Get, METADATA_OF_ALL).await {
        Err(error) if error.is_absent() => return Ok(()),
        answer => answer.map_err(failed)?,
    };
    let list: Json = serde_json::from_slice(&list).unwrap_or_default();
    let listed = list["items"].as_array().map(Vec::as_slice).unwrap_or_default();
    for object in listed {
        let name = text(object, "/metadata/name");
        if name == keeping.name || keep.iter().any(|kept| kept == name) {
            continue;
        }
        match api.send(run, &keeping.path(Kind::ConfigMap, name), Send::Delete(&json!({}))).await {
            Err(error) if !error.is_absent() => return Err(keeping.failed("failed to remove a part of the Ledger", error)),
            _ => {}
        }
    }
    Ok(())
}

/// How long something may take that a run can do without.
pub(super) const TIDYING: Duration = Duration::from_secs(10);
