//! What is in a part of a cluster, as it is in every other one that is as it should be.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value as Json};

use super::others::THEIRS;

/// Objects by kind, namespace and name, each without what differs from part to part.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Things(BTreeMap<String, Json>);

/// What is about the moment, or comes and goes by itself.
const NOT_COUNTED: [&str; 4] = ["Event", "EndpointSlice", "Endpoints", "Lease"];
/// What only the cluster can say, and says otherwise of each.
const CHOSEN_BY_THE_CLUSTER: [&str; 9] = [
    "uid",
    "resourceVersion",
    "creationTimestamp",
    "generation",
    "clusterIP",
    "clusterIPs",
    "nodePort",
    "volumeName",
    "hostPath",
];

impl Things {
    /// Those of `objects` that are in the part called `life`: in its namespace, or with its name.
    pub(crate) fn of(objects: &[Json], life: &str) -> Self {
        let counted = objects.iter().filter(|object| !NOT_COUNTED.iter().any(|kind| object["kind"] == *kind));
        let own = counted.filter(|object| is_of(object, life));
        Self(own.map(|object| (name_of(object, life), steady(object, life))).collect())
    }

    /// What is more, less or otherwise than expected.
    pub(crate) fn differences(&self, expected: &Self) -> Vec<String> {
        let names = self.0.keys().chain(expected.0.keys().filter(|name| !self.0.contains_key(*name)));
        let differ = names.filter(|name| self.0.get(*name) != expected.0.get(*name));
        differ
            .map(|name| match (self.0.get(name), expected.0.get(name)) {
                (Some(_), None) => format!("{name} is left over"),
                (None, _) => format!("{name} is missing"),
                (Some(is), Some(should)) => format!("{name} is {is} and should be {should}"),
            })
            .collect()
    }
}

impl fmt::Display for Things {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.keys().try_for_each(|name| writeln!(f, "{name}"))
    }
}

fn text<'a>(object: &'a Json, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Json::as_str).unwrap_or_default()
}

fn is_of(object: &Json, life: &str) -> bool {
    let is_signed = || object.pointer("/metadata/annotations").is_some_and(|said| said.get(format!("harmony/{life}")).is_some());
    text(object, "/metadata/namespace") == life
        || text(object, "/metadata/name").contains(life)
        || text(object, "/spec/claimRef/namespace") == life
        || (text(object, "/metadata/name") == THEIRS && is_signed())
}

/// A volume is called after what claims it: its own name is another one each time.
fn name_of(object: &Json, life: &str) -> String {
    let name = match object.pointer("/spec/claimRef/name") {
        Some(claim) => format!("of {claim}"),
        None => text(object, "/metadata/name").replace(life, "~"),
    };
    format!("{} {}/{name}", text(object, "/kind"), text(object, "/metadata/namespace").replace(life, "~"))
}

fn steady(object: &Json, life: &str) -> Json {
    let mut object = without_chosen(object);
    if let Json::Object(fields) = &mut object {
        fields.remove("status");
        if fields.get("kind").is_some_and(|kind| kind == "Secret")
            && let Some(Json::Object(data)) = fields.get_mut("data")
        {
            data.values_mut().for_each(|value| *value = Json::Bool(true));
        }
    }
    if let Some(Json::Object(metadata)) = object.get_mut("metadata") {
        keep_ours(metadata, life);
    }
    if text(&object, "/metadata/name").starts_with("pvc-") {
        object["metadata"]["name"] = Json::Null;
    }
    serde_json::from_str(&object.to_string().replace(life, "~")).expect("it was JSON before")
}

fn without_chosen(json: &Json) -> Json {
    match json {
        Json::Object(map) => {
            let kept = map.iter().filter(|(name, _)| !CHOSEN_BY_THE_CLUSTER.contains(&name.as_str()));
            Json::Object(kept.map(|(name, json)| (name.clone(), without_chosen(json))).collect())
        }
        Json::Array(items) => Json::Array(items.iter().map(without_chosen).collect()),
        other => other.clone(),
    }
}

/// Of the managers of its fields only this program, and of the signatures only its own.
fn keep_ours(metadata: &mut Map<String, Json>, life: &str) {
    if let Some(Json::Object(annotations)) = metadata.get_mut("annotations") {
        annotations.retain(|name, _| !name.starts_with("harmony/") || name.contains(life));
    }
    if let Some(Json::Array(managers)) = metadata.get_mut("managedFields") {
        managers.retain(|manager| manager["manager"] == life);
        managers.iter_mut().filter_map(Json::as_object_mut).for_each(|manager| drop(manager.remove("time")));
    }
}
