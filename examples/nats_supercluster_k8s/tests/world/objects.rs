//! All objects of a cluster, but what changes by itself.

#![allow(dead_code, reason = "every test uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends")]

use std::collections::BTreeMap;

use harmony_testbed::Kubectl;
use serde_json::Value as Json;

/// They come and go, or are renewed, without anybody's doing.
const RESTLESS: [&str; 6] = [
    "events",
    "events.events.k8s.io",
    "leases.coordination.k8s.io",
    "endpointslices.discovery.k8s.io",
    "endpoints",
    "componentstatuses",
];

/// Every object by its kind, namespace and name, without what the API says of versions, and of a node without how it does.
pub(crate) fn objects(kubectl: &Kubectl) -> BTreeMap<String, Json> {
    let kinds = kubectl.run(&["api-resources", "--verbs=list", "-o", "name"]).unwrap();
    let kinds: Vec<&str> = kinds.lines().map(str::trim).filter(|kind| !RESTLESS.contains(kind)).collect();
    let all = kubectl.run(&["get", &kinds.join(","), "--all-namespaces", "-o", "json"]).unwrap();
    let mut all: Json = serde_json::from_str(&all).unwrap();
    let Json::Array(items) = all["items"].take() else { return BTreeMap::new() };
    items.into_iter().map(|object| (name(&object), settled(object))).collect()
}

fn name(object: &Json) -> String {
    let text = |pointer: &str| object.pointer(pointer).and_then(Json::as_str).unwrap_or("-").to_owned();
    format!("{} {} {}", text("/kind"), text("/metadata/namespace"), text("/metadata/name"))
}

fn settled(mut object: Json) -> Json {
    if let Some(metadata) = object.get_mut("metadata").and_then(Json::as_object_mut) {
        metadata.retain(|field, _| !["resourceVersion", "managedFields"].contains(&field.as_str()));
    }
    if object["kind"] == "Node" {
        object["status"] = Json::Null;
    }
    object
}

/// What of the one is not in the other, or not the same.
pub(crate) fn differing(one: &BTreeMap<String, Json>, other: &BTreeMap<String, Json>) -> Vec<String> {
    let lacks = |of: &BTreeMap<String, Json>, than: &BTreeMap<String, Json>| {
        of.iter().filter(|(name, object)| than.get(*name) != Some(object)).map(|(name, _)| name.clone()).collect::<Vec<_>>()
    };
    let mut all = [lacks(one, other), lacks(other, one)].concat();
    all.sort();
    all.dedup();
    all
}
