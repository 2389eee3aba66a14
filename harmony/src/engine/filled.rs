//! What a provider is given: access and spec with the values filled in that are known by now.

use serde_json::Value as Json;

use super::items::{ItemKind, Items};
use super::observe::Observed;
use crate::value;

/// Access and spec (or proof) of an item, filled in as far as is known.
pub(super) struct Filled {
    pub(super) access: Json,
    pub(super) spec: Json,
    /// One that gives a value for it which is not known yet, if there is one.
    pub(super) unknown: Option<String>,
}

/// The item `index` as far as it is known.
pub(super) fn fill(items: &Items, index: usize, found: &Observed) -> Filled {
    let fill = |json: &Json| value::resolve(json, &|reference| items.output_for(index, found, reference));
    let nothing = Json::Null;
    let (access, spec) = match &items.items[index].what {
        ItemKind::Wanted { resource, .. } => (fill(&resource.access), fill(&resource.spec)),
        ItemKind::Unwanted { entry, .. } => (fill(&entry.access), fill(&nothing)),
        ItemKind::Proof { proof, .. } => (fill(&nothing), fill(&proof.proof)),
        ItemKind::Unhosted { .. } => (fill(&nothing), fill(&nothing)),
    };
    let unknown = access.unknown.iter().chain(&spec.unknown).map(|reference| reference.of.to_string()).next();
    Filled { access: access.json, spec: spec.json, unknown }
}
