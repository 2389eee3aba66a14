//! Whether an object is as a program wishes it, without asking the API: the fields that it says are ours, and are as it says.
//!
//! The answer may be "no" where the API would say "yes" (a default inside an atomic list): then a dry-run decides. It must never be "yes" where the
//! API would change something.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use crate::fields::{Fields, label};

/// Whether `live` is what would become of `wish`, of which `ours` are the fields that this program manages.
pub(crate) fn is_as_wished(wish: &Map<String, Json>, live: &Json, ours: &Fields) -> bool {
    let live = live.as_object();
    // `kind`, `apiVersion` and the name are managed by nobody.
    live.is_some_and(|live| objects(wish, live, ours, ""))
}

fn objects(wish: &Map<String, Json>, live: &Map<String, Json>, ours: &Fields, field: &str) -> bool {
    let said_is_there = wish.iter().all(|(name, wish)| match (live.get(name), ours.fields.get(name)) {
        (Some(live), Some(ours)) => values(wish, live, ours, name, field),
        _ => false,
    });
    said_is_there && ours.fields.keys().all(|name| wish.contains_key(name))
}

/// `field` is the name of the value's field, `above` that of the object it is in.
fn values(wish: &Json, live: &Json, ours: &Fields, field: &str, above: &str) -> bool {
    match (wish, live) {
        _ if ours.is_whole() => is_same(wish, live, field, above),
        (Json::Object(wish), Json::Object(live)) => objects(wish, live, ours, field),
        (Json::Array(wish), Json::Array(live)) if !ours.elements.is_empty() => elements(wish, live, ours, field),
        (Json::Array(wish), Json::Array(live)) => {
            wish.len() == ours.values.len() && wish.iter().all(|value| ours.values.contains(value) && live.contains(value))
        }
        _ => false,
    }
}

/// Lists whose elements are told apart by keys; an element of a wish may leave out a key that has a default.
fn elements(wish: &[Json], live: &[Json], ours: &Fields, field: &str) -> bool {
    wish.len() == ours.elements.len()
        && wish.iter().all(|wish| {
            let Some(wish) = wish.as_object() else { return false };
            let is_its =
                |keys: &Map<String, Json>| keys.iter().all(|(key, value)| wish.get(key).is_none_or(|said| said == value));
            let mut candidates = ours.elements.iter().filter(|(keys, _)| is_its(keys));
            let (Some((keys, below)), None) = (candidates.next(), candidates.next()) else { return false };
            let has_keys = |live: &&Map<String, Json>| keys.iter().all(|(key, value)| live.get(key) == Some(value));
            let live = live.iter().filter_map(Json::as_object).find(has_keys);
            live.is_some_and(|live| objects(wish, live, below, field))
        })
}

fn is_same(wish: &Json, live: &Json, field: &str, above: &str) -> bool {
    match (wish, live) {
        (Json::Object(wish), Json::Object(live)) => {
            wish.len() == live.len()
                && wish.iter().all(|(name, wish)| live.get(name).is_some_and(|live| is_same(wish, live, name, field)))
        }
        (Json::Array(wish), Json::Array(live)) => {
            wish.len() == live.len() && wish.iter().zip(live).all(|(wish, live)| is_same(wish, live, field, above))
        }
        (wish, live) => wish == live || (is_quantity(field, above) && same_quantity(wish, live)),
    }
}

/// Whether a field holds an amount, which the API writes in its own way: `1000m` as `1`.
fn is_quantity(field: &str, above: &str) -> bool {
    matches!(above, "requests" | "limits" | "hard" | "capacity" | "default" | "defaultRequest" | "max" | "min" | "allocatable")
        || field == "sizeLimit"
}

fn same_quantity(one: &Json, other: &Json) -> bool {
    let amount = |json: &Json| match json {
        Json::String(text) => quantity(text),
        Json::Number(number) => quantity(&number.to_string()),
        _ => None,
    };
    matches!((amount(one), amount(other)), (Some(one), Some(other)) if one == other)
}

/// An amount in thousandths; `None` if it is none, or no whole number of them.
fn quantity(text: &str) -> Option<i128> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, suffix) = text.split_at(digits);
    let (multiplied, divided): (i128, i128) = match suffix {
        "m" => (1, 1),
        "" => (1000, 1),
        "k" => (1_000_000, 1),
        "M" => (1_000_000_000, 1),
        "G" => (1_000_000_000_000, 1),
        "T" => (1_000_000_000_000_000, 1),
        "Ki" => (1000 << 10, 1),
        "Mi" => (1000 << 20, 1),
        "Gi" => (1000 << 30, 1),
        "Ti" => (1000 << 40, 1),
        _ => return None,
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let scale = 10_i128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
    let product = digits.checked_mul(multiplied)?;
    (product % (scale * divided) == 0).then(|| product / (scale * divided))
}

/// `object` with every list whose elements have keys as an object by these keys, and every set in order; without what the API says of itself.
pub(crate) fn shown(object: &Json, managed: &Fields) -> Map<String, Json> {
    let Json::Object(object) = object else { return Map::new() };
    let fields = object.iter().filter(|(name, _)| !matches!(name.as_str(), "apiVersion" | "kind" | "metadata" | "status"));
    let below = |name: &str| managed.fields.get(name);
    let mut shown: Map<String, Json> = fields.map(|(name, json)| (name.clone(), by_keys(json, below(name)))).collect();
    if let Some(Json::Object(metadata)) = object.get("metadata") {
        let managed = below("metadata");
        let said_by_programs = ["labels", "annotations", "finalizers", "ownerReferences"];
        let of_programs = metadata.iter().filter(|(name, _)| said_by_programs.contains(&name.as_str()));
        let metadata: Map<String, Json> = of_programs
            .map(|(name, json)| (name.clone(), by_keys(json, managed.and_then(|managed| managed.fields.get(name)))))
            .collect();
        if !metadata.is_empty() {
            shown.insert("metadata".to_owned(), Json::Object(metadata));
        }
    }
    shown
}

/// What is there with a wish written over it, where the API cannot be asked because parts of the wish are known only later.
pub(crate) fn merged(live: &Map<String, Json>, wish: &Map<String, Json>, managed: Option<&Fields>) -> Map<String, Json> {
    let mut merged = live.clone();
    for (name, wish) in wish {
        let below = managed.and_then(|managed| managed.fields.get(name));
        let wish = by_keys(wish, below);
        let value = match (merged.get(name), &wish) {
            // A value that is known later is an object too, of one field.
            (Some(Json::Object(live)), Json::Object(said)) if !said.contains_key("$later") && !said.contains_key("$secret") => {
                Json::Object(self::merged(live, said, None))
            }
            _ => wish,
        };
        merged.insert(name.clone(), value);
    }
    merged
}

fn by_keys(json: &Json, managed: Option<&Fields>) -> Json {
    let Some(managed) = managed else { return json.clone() };
    match json {
        Json::Object(map) => {
            Json::Object(map.iter().map(|(name, json)| (name.clone(), by_keys(json, managed.fields.get(name)))).collect())
        }
        Json::Array(items) if !managed.values.is_empty() => {
            let mut items = items.clone();
            items.sort_by_key(Json::to_string);
            Json::Array(items)
        }
        Json::Array(items) => match managed.elements.first() {
            Some((keys, _)) => named(items, keys, managed).unwrap_or_else(|| json.clone()),
            None => json.clone(),
        },
        other => other.clone(),
    }
}

/// The elements by their keys; nothing if one has no such keys, or two have the same.
fn named(items: &[Json], keys: &Map<String, Json>, managed: &Fields) -> Option<Json> {
    let mut named = BTreeMap::new();
    for item in items {
        let own: Option<Map<String, Json>> = keys.keys().map(|key| Some((key.clone(), item.get(key)?.clone()))).collect();
        let own = own?;
        let below = managed.elements.iter().find(|(keys, _)| *keys == own).map(|(_, below)| below);
        if named.insert(label(&own), by_keys(item, below)).is_some() {
            return None;
        }
    }
    Some(Json::Object(named.into_iter().collect()))
}
