//! By what a Namespace tells which programs use it, and which one has made it.

use harmony::modules::k8s::object::{Object, Sort};
use serde_json::{Map, Value as Json, json};

use crate::ownership::Ownership;
use crate::topology::FIELD_MANAGERS;

/// A Namespace that is wished, with what tells who uses it, and who has made it. Without it, one of which nothing else is said would not
/// be ours in any field.
pub(super) fn signed<S: Sort>(desired: &Object<S>, before: Option<&Json>, us: &str) -> Object<S> {
    if !S::ADOPTS {
        return desired.clone();
    }
    let is_ours = before.is_none_or(|before| is_made_by(before, us));
    let mut fields = desired.fields.clone();
    let metadata = fields.entry("metadata").or_insert_with(|| Json::Object(Map::new()));
    metadata["annotations"][signature(us)] = json!(if is_ours { MADE } else { USED });
    desired.clone().with_fields(fields)
}

/// The annotation by which a program signs: what of its name may be in one, at most 63 characters.
fn signature(us: &str) -> String {
    let allowed = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    let name: String = us.chars().map(allowed).take(63).collect();
    format!("harmony/{}", name.trim_matches('-'))
}

const MADE: &str = "made";
const USED: &str = "used";

fn is_made_by(object: &Json, us: &str) -> bool {
    object.pointer("/metadata/annotations").is_some_and(|annotations| annotations[signature(us)] == MADE)
}

/// Whether a Namespace stays when we leave: another program uses it, or somebody else has made it.
pub(super) fn is_others_too(object: &Json, managers: &Ownership, us: &str) -> bool {
    !is_made_by(object, us) || !managers.others(FIELD_MANAGERS, us).is_empty()
}
