//! Comparing what should be with what is. Pure.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use crate::resource::{FieldChange, Shown};
use crate::value;

/// The fields in which `desired` (values may be known later) differs from `live`. A field in `hidden` shows on neither side; so does
/// one that is a secret in `desired`. Objects are compared field by field, everything else as a whole.
#[must_use]
pub fn differences(desired: &Json, live: Option<&Json>, hidden: &BTreeSet<String>) -> Vec<FieldChange> {
    if live == Some(desired) {
        return Vec::new();
    }
    let mut walk = Walk { hidden, path: String::new(), changes: Vec::new() };
    walk.compare(Some(desired), live);
    walk.changes
}

struct Walk<'a> {
    hidden: &'a BTreeSet<String>,
    path: String,
    changes: Vec<FieldChange>,
}

impl Walk<'_> {
    fn compare(&mut self, desired: Option<&Json>, live: Option<&Json>) {
        match (desired.filter(|d| !d.is_null()), live.filter(|l| !l.is_null())) {
            (Some(Json::Object(desired)), Some(Json::Object(live))) if is_plain_object(desired) => {
                let keys: BTreeSet<&String> = desired.keys().chain(live.keys()).collect();
                for key in keys.into_iter().filter(|key| desired.get(*key) != live.get(*key)) {
                    let length = self.path.len();
                    value::push_key(&mut self.path, key);
                    self.compare(desired.get(key), live.get(key));
                    self.path.truncate(length);
                }
            }
            (None, None) => {}
            (desired, live) => self.compare_whole(desired, live),
        }
    }

    fn compare_whole(&mut self, desired: Option<&Json>, live: Option<&Json>) {
        let unknown = desired.map(value::references).unwrap_or_default();
        if unknown.is_empty() && desired.map(value::plain).as_ref() == live {
            return;
        }
        let secret = self.is_hidden() || desired.is_some_and(value::holds_secret);
        let side = |side: Option<&Json>| match side {
            None => Shown::Absent,
            Some(_) if secret => Shown::Sensitive,
            Some(value) => Shown::Value(value.clone()),
        };
        let desired = match desired {
            Some(_) if !unknown.is_empty() => {
                let after: BTreeMap<_, ()> = unknown.into_iter().map(|reference| (reference.of, ())).collect();
                Shown::KnownAfter(after.into_keys().collect())
            }
            desired => side(desired),
        };
        self.changes.push(FieldChange { path: self.path.clone(), live: side(live), desired });
    }

    fn is_hidden(&self) -> bool {
        // A hidden field hides what is inside it, and what it is inside of when that is compared as a whole.
        let path = &self.path;
        let inside =
            |outer: &str, inner: &str| inner == outer || inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with('/'));
        self.hidden.iter().any(|hidden| inside(hidden, path) || inside(path, hidden))
    }
}

fn is_plain_object(map: &serde_json::Map<String, Json>) -> bool {
    !(map.len() == 1 && map.keys().all(|key| key == "$later" || key == "$secret"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn changed(desired: &Json, live: &Json) -> Vec<String> {
        differences(desired, Some(live), &BTreeSet::new()).into_iter().map(|change| change.path).collect()
    }

    #[test]
    fn equal_things_do_not_differ_and_absent_is_null() {
        assert!(changed(&json!({"a": 1, "b": null, "c": {"d": []}}), &json!({"a": 1, "c": {"d": []}, "e": null})).is_empty());
    }

    #[test]
    fn only_the_fields_that_differ_are_named() {
        assert_eq!(
            changed(&json!({"a": 1, "b": {"c": 2, "d": 3}}), &json!({"a": 1, "b": {"c": 9, "d": 3, "e": 1}})),
            ["/b/c", "/b/e"]
        );
    }

    #[test]
    fn a_secret_shows_on_neither_side() {
        let change = &differences(&json!({"p": {"$secret": "new"}}), Some(&json!({"p": "old"})), &BTreeSet::new())[0];
        assert_eq!((&change.live, &change.desired), (&Shown::Sensitive, &Shown::Sensitive));
        assert!(changed(&json!({"p": {"$secret": "same"}}), &json!({"p": "same"})).is_empty());
    }

    #[test]
    fn a_field_that_once_held_a_secret_stays_hidden() {
        let hidden = BTreeSet::from(["/p".to_owned()]);
        for live in [json!({"p": "old"}), json!({"p": {"inner": "old"}})] {
            let change = &differences(&json!({"p": "public now"}), Some(&live), &hidden)[0];
            assert_eq!(change.live, Shown::Sensitive);
        }
        assert_eq!(differences(&json!({"p": "x"}), Some(&json!([])), &hidden)[0].live, Shown::Sensitive);
    }

    #[test]
    fn what_is_not_known_yet_says_what_it_waits_for() {
        let desired = json!({"url": {"$later": "a/b#port"}});
        let change = &differences(&desired, Some(&json!({"url": "x"})), &BTreeSet::new())[0];
        assert_eq!(change.desired, Shown::KnownAfter(vec!["a/b".parse().unwrap()]));
    }
}
