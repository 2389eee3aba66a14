//! Volumes that cannot be as a wish has them.

use harmony::modules::k8s::identity::ObjectIdentity;
use serde_json::{Map, Value as Json};

use crate::api::ApiError;

/// Where a claim says how large its volume is to be.
pub(crate) const SIZE: &str = "spec.resources.requests.storage";

/// Why the volume of a claim cannot have the size that `wish` says, if that is what the API refuses: a volume grows where its class lets it, and never
/// shrinks. To make it anew would be to lose what it holds, so that is never done by itself.
pub(crate) fn refused_size(identity: &ObjectIdentity, wish: &Map<String, Json>, live: &Json, error: &ApiError) -> Option<String> {
    if !identity.group.is_empty() || identity.kind != "PersistentVolumeClaim" {
        return None;
    }
    let message = &error.refusal()?.message;
    let wanted = wish.get("spec")?.pointer("/resources/requests/storage")?.as_str()?;
    let there = ["/status/capacity/storage", "/spec/resources/requests/storage"].iter().find_map(|path| live.pointer(path));
    let there = there.and_then(Json::as_str).unwrap_or("its present size");
    if message.contains("field can not be less than") {
        return Some(format!("a volume of {there} cannot be made as small as {wanted}: ask for {there} or more"));
    }
    if message.contains("must support resize") {
        let class = live.pointer("/spec/storageClassName").and_then(Json::as_str).unwrap_or_default();
        return Some(format!(
            "a volume of {there} of storage class `{class}` cannot be made as large as {wanted}: let the class allow it \
             (`allowVolumeExpansion`), or stay with {there}"
        ));
    }
    None
}
