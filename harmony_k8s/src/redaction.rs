//! What must not be quoted. An API server quotes what it refuses, and a program's last words hold what it was given.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use data_encoding::BASE64;
use harmony::value;
use serde_json::Value as Json;

/// A secret shorter than this is part of ordinary words, as `on` of `configuration`.
const PART_OF_WORDS: usize = 4;
/// One shorter than this may be what something is called too, such as the user `nats` of the pod `messaging/nats-0`.
const NAME: usize = 16;
/// A line of a longer secret is quoted alone at times; one shorter than this, such as `}`, is none.
const LEAST_OF_A_LINE: usize = 8;
const HIDDEN: &str = "(sensitive)";

/// The secrets that went through a run, and texts without them.
#[derive(Default)]
pub(crate) struct Redaction {
    secrets: Mutex<BTreeSet<String>>,
}

impl Redaction {
    /// Learns what is secret in the fields of an object: what is marked so (`{"$secret": …}`), and all that a Secret holds.
    pub(crate) fn learn(&self, object: &Json, is_secret: bool) {
        let mut found = Vec::new();
        marked(object, &value::plain(object), &mut found);
        for part in ["data", "stringData"].into_iter().filter(|_| is_secret) {
            texts(object.get(part).map(value::plain).as_ref().unwrap_or(&Json::Null), &mut found);
        }
        if found.is_empty() {
            return;
        }
        let mut secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        found.iter().for_each(|text| secrets.extend(forms(text)));
    }

    /// `text` without them.
    pub(crate) fn of(&self, text: String) -> String {
        let secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        let mut quoted: Vec<&String> = secrets.iter().filter(|secret| text.contains(secret.as_str())).collect();
        // One can be a part of another.
        quoted.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        quoted.into_iter().fold(text, |text, secret| {
            if is_word(secret) { without_alone(&text, secret) } else { text.replace(secret.as_str(), HIDDEN) }
        })
    }
}

/// What differs from `plain` is marked.
fn marked(json: &Json, plain: &Json, found: &mut Vec<String>) {
    match (json, plain) {
        _ if json == plain => {}
        (Json::Object(map), Json::Object(open)) if map.keys().eq(open.keys()) => {
            map.iter().zip(open.values()).for_each(|((_, json), plain)| marked(json, plain, found));
        }
        (Json::Array(items), Json::Array(open)) => items.iter().zip(open).for_each(|(json, plain)| marked(json, plain, found)),
        _ => texts(plain, found),
    }
}

fn texts(json: &Json, found: &mut Vec<String>) {
    match json {
        Json::String(text) => found.push(text.clone()),
        Json::Number(number) => found.push(number.to_string()),
        Json::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Json::Object(map) => map.values().for_each(|item| texts(item, found)),
        Json::Null | Json::Bool(_) => {}
    }
}

/// A secret in all forms in which it is quoted: as it is, as bytes that the API keeps, as what these bytes say, with escapes, by lines.
fn forms(secret: &str) -> BTreeSet<String> {
    let said = BASE64.decode(secret.as_bytes()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let mut forms = BTreeSet::new();
    for text in [secret.to_owned()].into_iter().chain(said) {
        forms.insert(BASE64.encode(text.as_bytes()));
        let escaped = Json::String(text.clone()).to_string();
        let escaped = escaped.get(1..escaped.len() - 1).unwrap_or_default();
        // The escapes of Go's encoder, which a text for browsers would need.
        forms.insert(escaped.replace('&', "\\u0026").replace('<', "\\u003c").replace('>', "\\u003e"));
        forms.insert(escaped.to_owned());
        let lines = text.lines().map(str::trim).filter(|line| line.len() >= LEAST_OF_A_LINE);
        forms.extend(lines.map(str::to_owned));
        forms.insert(text);
    }
    forms.retain(|form| !form.trim().is_empty());
    forms
}

/// Whether it is hidden only where it stands alone.
fn is_word(secret: &str) -> bool {
    let is_of_names = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    secret.len() < PART_OF_WORDS || (secret.len() < NAME && secret.chars().all(is_of_names))
}

fn without_alone(text: &str, secret: &str) -> String {
    let goes_on = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '/'));
    let mut left = text;
    let mut kept = String::with_capacity(text.len());
    while let Some(at) = left.find(secret) {
        let (before, behind) = (&left[..at], &left[at + secret.len()..]);
        let last = before.chars().next_back().or_else(|| kept.chars().next_back());
        let mut next = behind.chars();
        let is_in_a_name =
            goes_on(last) || last == Some('.') || goes_on(next.next()) || (behind.starts_with('.') && goes_on(next.next()));
        kept.push_str(before);
        kept.push_str(if is_in_a_name { secret } else { HIDDEN });
        left = behind;
    }
    kept.push_str(left);
    kept
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn redaction() -> Redaction {
        let redaction = Redaction::default();
        redaction.learn(&json!({ "spec": { "args": ["--mode", { "$secret": "hunter22" }] } }), false);
        redaction.learn(&json!({ "stringData": { "sign": "a<b>&c and \"d\"" } }), true);
        redaction.learn(&json!({ "data": { "pin": "MTI3", "key": BASE64.encode(b"-----BEGIN-----\nabcdefghij\n") } }), true);
        redaction
    }

    #[test]
    fn a_secret_is_hidden_in_every_form_in_which_it_is_quoted() {
        for quoted in [
            "got \"hunter22\"",
            "&{aHVudGVyMjI=}",
            "line abcdefghij",
            r"-----BEGIN-----\nabcdefghij\n",
            "pin: 127,",
            r#"a\u003cb\u003e\u0026c and \"d\""#,
        ] {
            let shown = redaction().of(quoted.to_owned());
            assert!(shown.contains(HIDDEN), "{shown}");
            for secret in ["hunter22", "aHVudGVyMjI", "abcdefghij", "127", "u003cb", "and"] {
                assert!(!shown.contains(secret), "{shown}");
            }
        }
    }

    #[test]
    fn what_is_no_secret_stays_as_it_is() {
        let redaction = redaction();
        redaction.learn(&json!({ "stringData": { "user": "nats" } }), true);
        let words = "mode 1270 on 10.0.31270: pod nats-0 of nats.messaging.svc in messaging/nats";
        assert_eq!(redaction.of(words.to_owned()), words);
        assert_eq!(redaction.of("user \"nats\" of nats.".to_owned()), "user \"(sensitive)\" of (sensitive).");
    }
}
