//! What a provider is given: access and spec with the values filled in that are known by now.

use std::borrow::Cow;

use serde_json::Value as Json;

use super::items::{ItemKind, Items};
use super::observe::Observed;
use crate::value;

/// Access and spec (or proof) of an item, filled in as far as is known.
pub(super) struct Filled<'a> {
    pub(super) access: Cow<'a, Json>,
    pub(super) spec: Cow<'a, Json>,
    /// One that gives a value for it which is not known yet, if there is one.
    pub(super) unknown: Option<String>,
}

static NOTHING: Json = Json::Null;

/// The item `index` as far as it is known.
pub(super) fn fill<'a>(items: &'a Items, index: usize, found: &Observed) -> Filled<'a> {
    let (access, spec) = match &items.items[index].what {
        ItemKind::Wanted { resource, .. } => (&resource.access, &resource.spec),
        ItemKind::Unwanted { entry, .. } => (&entry.access, &NOTHING),
        ItemKind::Proof { proof, .. } => (&NOTHING, &proof.proof),
        ItemKind::Unhosted { .. } => (&NOTHING, &NOTHING),
    };
    let fill = |json: &'a Json| value::resolve(json, &|reference| items.output_for(index, found, reference));
    let (access, spec) = (fill(access), fill(spec));
    let unknown = access.unknown.iter().chain(&spec.unknown).map(|reference| reference.of.to_string()).next();
    Filled { access: access.json, spec: spec.json, unknown }
}
