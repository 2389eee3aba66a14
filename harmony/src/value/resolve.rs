//! Walking a serialised spec: which references it holds, which of its fields are secret, and what it is once they are known.

use std::borrow::Cow;

use data_encoding::BASE64;
use serde::Deserialize;
use serde_json::{Map, Value as Json};

use super::later::{LATER, Later, Part, Reference, SECRET};
use crate::address::Address;

/// A serialised spec with what could be filled in filled in.
#[derive(Debug, Clone, PartialEq)]
pub struct Resolved<'a> {
    /// The spec, borrowed if there was nothing to fill in; holes are still `{"$later": …}`, secrets are `{"$secret": …}`.
    pub json: Cow<'a, Json>,
    /// The references that are not known yet.
    pub unknown: Vec<Reference>,
}

/// Fills in what `find` knows of the references in `json`.
#[must_use]
pub fn resolve<'a>(json: &'a Json, find: &impl Fn(&Reference) -> Option<Json>) -> Resolved<'a> {
    let mut unknown = Vec::new();
    if !holds_later(json) {
        return Resolved { json: Cow::Borrowed(json), unknown };
    }
    let json = walk(json, &mut |later, whole| {
        let mut missing = Vec::new();
        let value = evaluate(later, find, &mut missing);
        match value {
            Some(value) if later.is_sensitive() => Json::Object(Map::from_iter([(SECRET.to_owned(), value)])),
            Some(value) => value,
            None => {
                unknown.append(&mut missing);
                whole.clone()
            }
        }
    });
    Resolved { json: Cow::Owned(json), unknown }
}

/// `json` with its references following things to where they are said now.
pub(crate) fn redirect(json: &Json, to: &impl Fn(&Address) -> Address) -> Json {
    walk(json, &mut |later, whole| {
        let mut later = later.clone();
        later.visit_mut(&mut |reference| reference.of = to(&reference.of));
        serde_json::to_value(&later)
            .map_or_else(|_| whole.clone(), |later| Json::Object(Map::from_iter([(LATER.to_owned(), later)])))
    })
}

/// Whether a secret stands in `json` in the open.
pub(crate) fn holds_secret(json: &Json) -> bool {
    match json {
        Json::Object(map) => sole(map, SECRET).is_some() || map.values().any(holds_secret),
        Json::Array(items) => items.iter().any(holds_secret),
        _ => false,
    }
}

/// Whether something in `json` may be known later.
fn holds_later(json: &Json) -> bool {
    match json {
        Json::Object(map) => sole(map, LATER).is_some() || map.values().any(holds_later),
        Json::Array(items) => items.iter().any(holds_later),
        _ => false,
    }
}

/// Every reference in `json`, in order, with repetitions.
#[must_use]
pub fn references(json: &Json) -> Vec<Reference> {
    let mut found = Vec::new();
    add_references(json, &mut found);
    found
}

fn add_references(json: &Json, found: &mut Vec<Reference>) {
    match json {
        Json::Object(map) => match later_in(map) {
            Some(later) => later.visit(&mut |reference| found.push(reference.clone())),
            None => map.values().for_each(|value| add_references(value, found)),
        },
        Json::Array(items) => items.iter().for_each(|item| add_references(item, found)),
        _ => {}
    }
}

/// The paths (RFC 6901 JSON pointers) of the fields that are secret, known or not.
#[must_use]
pub fn sensitive_paths(json: &Json) -> Vec<String> {
    let mut paths = Vec::new();
    each_later(json, &mut String::new(), &mut |path, later| {
        if later.is_sensitive() {
            paths.push(path.to_owned());
        }
    });
    paths
}

/// `json` with secrets as what they are: only to be compared with what was observed, or handed to a provider; never shown.
#[must_use]
pub fn plain(json: &Json) -> Json {
    match json {
        Json::Object(map) => match sole(map, SECRET) {
            Some(value) => value.clone(),
            None => Json::Object(map.iter().map(|(key, value)| (key.clone(), plain(value))).collect()),
        },
        Json::Array(items) => Json::Array(items.iter().map(plain).collect()),
        other => other.clone(),
    }
}

/// Appends a key to an RFC 6901 pointer.
pub(crate) fn push_key(path: &mut String, key: &str) {
    path.push('/');
    for character in key.chars() {
        match character {
            '~' => path.push_str("~0"),
            '/' => path.push_str("~1"),
            other => path.push(other),
        }
    }
}

fn sole<'a>(map: &'a Map<String, Json>, key: &str) -> Option<&'a Json> {
    if map.len() == 1 { map.get(key) } else { None }
}

fn later_in(map: &Map<String, Json>) -> Option<Later> {
    // Not a later value unless all of it reads as one: free JSON may happen to use the key.
    match sole(map, LATER)? {
        // The common one, without asking for all others first.
        Json::String(text) => Reference::try_from(text.clone()).ok().map(Later::Output),
        inner => Later::deserialize(inner).ok(),
    }
}

fn walk(json: &Json, replace: &mut impl FnMut(&Later, &Json) -> Json) -> Json {
    match json {
        Json::Object(map) => match later_in(map) {
            Some(later) => replace(&later, json),
            None => Json::Object(map.iter().map(|(key, value)| (key.clone(), walk(value, replace))).collect()),
        },
        Json::Array(items) => Json::Array(items.iter().map(|item| walk(item, replace)).collect()),
        other => other.clone(),
    }
}

fn each_later(json: &Json, path: &mut String, visit: &mut impl FnMut(&str, &Later)) {
    let length = path.len();
    match json {
        Json::Object(map) => match later_in(map) {
            Some(later) => visit(path, &later),
            None => {
                for (key, value) in map {
                    push_key(path, key);
                    each_later(value, path, visit);
                    path.truncate(length);
                }
            }
        },
        Json::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                push_key(path, &index.to_string());
                each_later(item, path, visit);
                path.truncate(length);
            }
        }
        _ => {}
    }
}

fn evaluate(later: &Later, find: &impl Fn(&Reference) -> Option<Json>, missing: &mut Vec<Reference>) -> Option<Json> {
    match later {
        Later::Output(reference) => {
            let value = find(reference);
            if value.is_none() {
                missing.push(reference.clone());
            }
            value
        }
        Later::Text(parts) => {
            let mut whole = Some(String::new());
            for part in parts {
                let text = match part {
                    Part::Literal(text) => Some(text.clone()),
                    Part::Later(later) => text_of(later, find, missing),
                };
                // Every part is looked at, so that all that is missing is named.
                whole = whole.zip(text).map(|(whole, text)| whole + &text);
            }
            whole.map(Json::String)
        }
        Later::Quote { syntax, of } => text_of(of, find, missing).map(|text| Json::String(syntax.quote(&text))),
        Later::Base64(of) => text_of(of, find, missing).map(|text| Json::String(BASE64.encode(text.as_bytes()))),
        Later::Digest(of) => {
            text_of(of, find, missing).map(|text| Json::String(harmony_types::Digest::of(text.as_bytes()).to_string()))
        }
    }
}

fn text_of(later: &Later, find: &impl Fn(&Reference) -> Option<Json>, missing: &mut Vec<Reference>) -> Option<String> {
    evaluate(later, find, missing).map(|value| match value {
        Json::String(text) => text,
        other => other.to_string(),
    })
}
