//! What is there against what is wished, by the answer of the API or without one.

use std::collections::BTreeMap;

use harmony::modules::k8s::object::{Claim, Object, Sort};
use harmony::provider::Live;
use serde_json::{Map, Value as Json};

use super::wish::with_open_values;
use crate::api::ApiError;
use crate::claims::{SIZE, refused_size};
use crate::compare::{merged, shown};
use crate::fields::Fields;
use crate::ownership::Ownership;

/// What the dry-run `after` says against what is there.
pub(super) fn compared<S: Sort>(
    desired: &Object<S>,
    live: &Live<Object<S>>,
    before: Option<&Ownership>,
    after: &Json,
    us: &str,
    mut holders: BTreeMap<String, Claim>,
) -> Object<S> {
    let now = Ownership::of(after, us);
    let nothing = Ownership::default();
    let before = before.unwrap_or(&nothing);
    let mut all: Fields = before.all.clone();
    all.add(&now.all);
    let fields = shown(after, &all);
    if before.our_version.is_none() {
        holders.insert("*".to_owned(), Claim::Taken);
    } else {
        let is_as_it_was = |path: &str| fields_at(&fields, path) == fields_at(&live.state.fields, path);
        let taken = before.ours.lacks(&now.ours).into_iter().map(|path| (path, Claim::Taken));
        let given_up = now.ours.lacks(&before.ours).into_iter().map(|path| (path, Claim::GivenUp));
        let silent = taken.chain(given_up).filter(|(path, _)| is_as_it_was(path));
        holders.extend(silent.map(|(path, claim)| (path.trim_start_matches('/').replace('/', "."), claim)));
    }
    let version = after["apiVersion"].as_str().unwrap_or(&desired.api_version);
    let version = if live.state.api_version == desired.api_version { version } else { &live.state.api_version };
    Object::new(desired.identity.clone(), version).with_fields(fields).with_holders(holders)
}

/// What is there with the wish written over it: where the API cannot be asked.
pub(super) fn compared_unasked<S: Sort>(wish: &Map<String, Json>, live: &Live<Object<S>>, managed: Option<&Fields>) -> Object<S> {
    let fields = merged(&live.state.fields, wish, managed);
    live.state.clone().with_readiness(None).with_fields(fields)
}

fn fields_at<'a>(fields: &'a Map<String, Json>, path: &str) -> Option<&'a Json> {
    let (first, rest) = path.strip_prefix('/')?.split_once('/').unwrap_or((path.strip_prefix('/')?, ""));
    let first = fields.get(&first.replace("~1", "/").replace("~0", "~"))?;
    if rest.is_empty() { Some(first) } else { first.pointer(&format!("/{rest}")) }
}

/// What the API says of a change that it never makes, and of which field.
pub(super) fn refused<S: Sort>(desired: &Object<S>, before: Option<&Json>, error: &ApiError) -> Option<(String, Claim)> {
    let wish = with_open_values(&desired.fields);
    if let Some(words) = before.and_then(|before| refused_size(&desired.identity, &wish, before, error)) {
        return Some((SIZE.to_owned(), Claim::Impossible(words)));
    }
    let refusal = error.refusal().filter(|refusal| refusal.code == 422 && is_fixed(&refusal.message))?;
    Some((String::new(), Claim::Fixed(refusal.message.clone())))
}

/// Whether the API says that what differs cannot be changed in place.
fn is_fixed(message: &str) -> bool {
    message.contains("field is immutable")
        || message.contains("spec is immutable after creation")
        || message.contains("updates to statefulset spec for fields other than")
        || message.contains("may not change once set")
}
