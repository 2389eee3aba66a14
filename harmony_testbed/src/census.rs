//! Every object that an API server holds: what is there, to be compared with what was there before.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::api::Api;
use crate::error::TestbedError;
use crate::waiting::{Look, wait_for};

/// Aggregated discovery, <https://kubernetes.io/docs/concepts/overview/kubernetes-api/#aggregated-discovery>.
const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
/// What is listed, but not kept: asking for it asks the components how they are.
const NOT_KEPT: &str = "componentstatuses";
/// How long a kind that is defined may take until it is served.
const SERVED: Duration = Duration::from_secs(30);

/// They come and go, or are renewed, without anybody's doing.
const RESTLESS: [&str; 4] = ["Event", "Lease", "EndpointSlice", "Endpoints"];

/// All objects of a cluster by kind, namespace and name, as they are to be compared: without those that come and go by themselves, without what
/// the API says of versions, and nodes without how they do.
#[derive(Debug, Clone, PartialEq)]
pub struct Census(BTreeMap<String, Value>);

impl Census {
    /// Of these objects.
    #[must_use]
    pub fn of(objects: Vec<Value>) -> Self {
        let lasting = objects.into_iter().filter(|object| !RESTLESS.iter().any(|kind| object["kind"] == *kind));
        Self(lasting.map(|object| (name(&object), settled(object))).collect())
    }

    /// What of the one is not in the other, or not the same: kind, namespace and name.
    #[must_use]
    pub fn differing(&self, other: &Self) -> Vec<String> {
        let mut names: Vec<String> = self.0.keys().chain(other.0.keys()).cloned().collect();
        names.sort();
        names.dedup();
        names.retain(|name| self.0.get(name) != other.0.get(name));
        names
    }
}

fn name(object: &Value) -> String {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or("-");
    format!("{} {} {}", text("/kind"), text("/metadata/namespace"), text("/metadata/name"))
}

fn settled(mut object: Value) -> Value {
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.retain(|field, _| !["resourceVersion", "managedFields"].contains(&field.as_str()));
    }
    if object["kind"] == "Node" {
        object["status"] = Value::Null;
    }
    object
}

#[derive(Deserialize)]
struct Groups {
    items: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    #[serde(default)]
    metadata: Named,
    #[serde(default)]
    versions: Vec<Version>,
}

#[derive(Default, Deserialize)]
struct Named {
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
struct Version {
    version: String,
    #[serde(default)]
    resources: Vec<Resource>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Resource {
    resource: String,
    #[serde(default)]
    response_kind: Option<Kind>,
    #[serde(default)]
    verbs: Vec<String>,
}

#[derive(Deserialize)]
struct Kind {
    kind: String,
}

/// Every object of every kind, in the version that the API prefers.
pub(crate) fn all_objects(api: &Api) -> Result<Vec<Value>, TestbedError> {
    let mut objects = Vec::new();
    for root in ["/api", "/apis"] {
        let groups: Groups =
            serde_json::from_value(api.get_as(root, AGGREGATED)?).map_err(|source| TestbedError::Discovery { source })?;
        for group in &groups.items {
            for (version, resource, kind) in group.kinds() {
                let api_version = if root == "/api" { version.to_owned() } else { format!("{}/{version}", group.metadata.name) };
                let path =
                    if root == "/api" { format!("/api/{version}/{resource}") } else { format!("/apis/{api_version}/{resource}") };
                let listed = list(api, &path)?;
                objects.extend(listed.into_iter().flat_map(|mut list| elements(&mut list, &api_version, kind)));
            }
        }
    }
    Ok(objects)
}

/// All objects of a kind; none if its definition has gone meanwhile. A kind that was just defined is served a moment later.
fn list(api: &Api, path: &str) -> Result<Option<Value>, TestbedError> {
    wait_for("a kind is served", SERVED, || match api.get(path) {
        Ok(list) => Ok(Look::Done(Some(list))),
        Err(TestbedError::Refused { status: 404, .. }) => Ok(Look::Done(None)),
        Err(error @ TestbedError::Refused { status: 429 | 503, .. }) => Ok(Look::NotYet(error.to_string())),
        Err(error) => Err(error),
    })
}

impl Group {
    /// The kinds that can be listed, each once, with the version that is preferred for it.
    fn kinds(&self) -> Vec<(&str, &str, &str)> {
        let mut kinds: Vec<(&str, &str, &str)> = Vec::new();
        for Version { version, resources } in &self.versions {
            for Resource { resource, response_kind, verbs } in resources {
                let Some(Kind { kind }) = response_kind else { continue };
                let counts = resource != NOT_KEPT && verbs.iter().any(|verb| verb == "list");
                if counts && !kinds.iter().any(|(_, known, _)| known == resource) {
                    kinds.push((version, resource, kind));
                }
            }
        }
        kinds
    }
}

/// The elements of a list, each with its kind, which a list says once.
fn elements(list: &mut Value, api_version: &str, kind: &str) -> Vec<Value> {
    let Some(Value::Array(items)) = list.get_mut("items").map(Value::take) else { return Vec::new() };
    let whole = |mut item: Value| {
        item["apiVersion"] = json!(api_version);
        item["kind"] = json!(kind);
        item
    };
    items.into_iter().map(whole).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(kind: &str, name: &str, version: &str, field: &str) -> Value {
        json!({ "kind": kind, "metadata": { "namespace": "shop", "name": name, "resourceVersion": version }, "field": field })
    }

    #[test]
    fn what_differs_is_named_whoever_has_it_and_what_changes_by_itself_does_not() {
        let before = [object("Event", "a", "1", "x"), object("Secret", "same", "1", "x"), object("Secret", "gone", "1", "x")];
        let now = [
            object("Lease", "b", "2", "x"),
            object("Secret", "same", "2", "x"),
            object("Service", "new", "2", "x"),
            object("Pod", "p", "2", "x"),
        ];
        let (before, now) = (Census::of(before.to_vec()), Census::of(now.to_vec()));
        assert_eq!(before.differing(&now), ["Pod shop p", "Secret shop gone", "Service shop new"]);
        assert_eq!(now.differing(&before), before.differing(&now));
        let changed = Census::of(vec![object("Secret", "same", "3", "y"), object("Secret", "gone", "3", "x")]);
        assert_eq!(before.differing(&changed), ["Secret shop same"]);
    }
}
