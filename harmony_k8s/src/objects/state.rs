//! What an object that is there says of itself: its state, what it offers others, and what would be lost with it.

use harmony::modules::k8s::identity::ObjectIdentity;
use harmony::modules::k8s::object::{Object, ObjectOutputs, Sort};
use harmony::provider::Live;
use serde_json::{Map, Value as Json};

use super::signature::is_others_too;
use crate::compare::shown;
use crate::ownership::Ownership;
use crate::ready::{Readiness, readiness};

/// The output that tells one state of an object from the next.
pub(super) const VERSION: &str = "resource-version";

pub(super) fn live<S: Sort>(identity: &ObjectIdentity, object: &Json, managers: &Ownership, us: &str) -> Live<Object<S>> {
    let mut fields = shown(object, &managers.all);
    if let Some(leaving) = object.pointer("/metadata/deletionTimestamp") {
        let metadata = fields.entry("metadata").or_insert_with(|| Json::Object(Map::new()));
        metadata["deletionTimestamp"] = leaving.clone();
    }
    let reason = match readiness(object) {
        Readiness::Ready => None,
        Readiness::NotYet(reason) | Readiness::Failed(reason) => Some(reason),
    };
    let version = object["apiVersion"].as_str().unwrap_or_default();
    let state = Object::new(identity.clone(), version).with_fields(fields).with_readiness(reason);
    let stays = is_others_too(object, managers, us);
    Live { state, outputs: outputs(object), holds: holds(object, stays) }
}

/// What would be lost with an object.
fn holds(object: &Json, stays: bool) -> Option<String> {
    match object["kind"].as_str()? {
        "Namespace" if stays => None,
        "Namespace" => Some("everything in it".to_owned()),
        "CustomResourceDefinition" => Some("every object of its kind".to_owned()),
        "PersistentVolumeClaim" | "PersistentVolume" => {
            let size = object.pointer("/status/capacity/storage").or_else(|| object.pointer("/spec/capacity/storage"));
            Some(size.and_then(Json::as_str).map_or_else(|| "its volume".to_owned(), |size| format!("its volume of {size}")))
        }
        _ => None,
    }
}

pub(super) fn outputs(object: &Json) -> ObjectOutputs {
    let mut outputs = ObjectOutputs::new();
    let mut put = |name: String, value: Option<&Json>| {
        outputs.extend(value.map(|value| (name, value.clone())));
    };
    put("uid".to_owned(), object.pointer("/metadata/uid"));
    put(VERSION.to_owned(), object.pointer("/metadata/resourceVersion"));
    if object["kind"] == "Service" {
        for port in object.pointer("/spec/ports").and_then(Json::as_array).into_iter().flatten() {
            let name = port["name"].as_str().map_or_else(|| port["port"].to_string(), str::to_owned);
            put(format!("node-port/{name}"), port.get("nodePort"));
        }
        let ingress = object.pointer("/status/loadBalancer/ingress/0");
        put("load-balancer".to_owned(), ingress.and_then(|ingress| ingress.get("hostname").or_else(|| ingress.get("ip"))));
    }
    outputs
}
