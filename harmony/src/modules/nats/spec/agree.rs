//! Putting together what several Scores say of one thing, in an order that does not matter.

use std::collections::BTreeMap;

use serde::Serialize;

use super::rule::Rule;
use crate::error::ArrangeError;
use crate::origin::Origin;
use crate::stage::Contribution;

/// What all that speak of `what` agree on; nothing if nobody does.
pub(super) fn agreed<'a, T: PartialEq + Serialize>(
    what: &str,
    said: impl IntoIterator<Item = (&'a Origin, Option<T>)>,
) -> Result<Option<T>, ArrangeError> {
    let mut found: Option<(&Origin, T)> = None;
    for (origin, value) in said {
        match (&found, value) {
            (_, None) => {}
            (None, Some(value)) => found = Some((origin, value)),
            (Some((_, before)), Some(value)) if *before == value => {}
            (Some((first, before)), Some(value)) => {
                return Err(contradiction(&format!("{what} is both {} and {}", words(before), words(&value)), first, origin));
            }
        }
    }
    Ok(found.map(|(_, value)| value))
}

/// One of each thing, by its key: equal twins become one, and different ones are refused.
pub(super) fn unique<K: Ord, T: PartialEq>(
    said: Vec<Contribution<T>>,
    key: impl Fn(&T) -> K,
    what: impl Fn(&T) -> String,
) -> Result<Vec<Contribution<T>>, ArrangeError> {
    let mut found: BTreeMap<K, Contribution<T>> = BTreeMap::new();
    for each in said {
        match found.get(&key(&each.fragment)) {
            None => {
                found.insert(key(&each.fragment), each);
            }
            Some(first) if first.fragment == each.fragment => {}
            Some(first) => {
                let what = format!("{} is declared twice, differently", what(&each.fragment));
                return Err(contradiction(&what, &first.origin, &each.origin));
            }
        }
    }
    Ok(found.into_values().collect())
}

fn contradiction(what: &str, first: &Origin, second: &Origin) -> ArrangeError {
    Rule::OneWord.refuse(what, &[first, second], "let one of them say it, or both the same")
}

/// A value in words, as it stands in a Score.
fn words(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
