//! What is sent of an object that is wished.

use harmony::modules::k8s::identity::ObjectIdentity;
use harmony::modules::k8s::object::{Object, Sort};
use harmony::value;
use serde_json::{Map, Value as Json, json};

use crate::api::Api;

/// The object as it is sent.
pub(super) fn manifest<S: Sort>(desired: &Object<S>) -> Json {
    let mut object = with_open_values(&desired.fields);
    let metadata = object.entry("metadata").or_insert_with(|| Json::Object(Map::new()));
    metadata["name"] = json!(desired.identity.name);
    if let Some(namespace) = &desired.identity.namespace {
        metadata["namespace"] = json!(namespace);
    }
    object.insert("apiVersion".to_owned(), json!(desired.api_version));
    object.insert("kind".to_owned(), json!(desired.identity.kind));
    Json::Object(object)
}

/// The fields with secrets as what they are.
pub(super) fn with_open_values(fields: &Map<String, Json>) -> Map<String, Json> {
    fields.iter().map(|(name, json)| (name.clone(), value::plain(json))).collect()
}

pub(super) fn learn<S: Sort>(api: &Api, desired: &Object<S>) {
    api.learn_secrets(&Json::Object(desired.fields.clone()), is_secret(&desired.identity));
}

pub(super) fn is_secret(identity: &ObjectIdentity) -> bool {
    identity.group.is_empty() && identity.kind == "Secret"
}
