//! A resource as a YAML document, without the values of secrets.

use harmony::address::Address;
use harmony::arrangement::{Node, What};
use harmony::value::{Later, Part};
use serde_json::{Map, Value as Json};

use super::layout::visible;

/// Whether secrets that are known are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Secrets {
    /// They read `(sensitive)`.
    Hidden,
    /// Only for a target that the user has named.
    Open,
}

/// The resource or proof at `address` as one YAML document, under a comment that says who wants it.
pub(crate) fn document(address: &Address, node: &Node, secret_fields: &[&str], secrets: Secrets) -> String {
    let mut page = format!("# {address}, wanted by {}\n", visible(&node.origin.to_string()));
    let mut entry = |key: &str, value: &Json| write_entry(&mut page, key, value, 0);
    match &node.what {
        What::Resource(resource) => {
            entry("kind", &Json::from(resource.kind.as_str()));
            entry("label", &Json::from(resource.label.as_str()));
            if !resource.access.is_null() {
                entry("access", &redacted(&resource.access, &[], secrets));
            }
            entry("spec", &redacted(&resource.spec, secret_fields, secrets));
        }
        What::Proof(proof) => {
            entry("kind", &Json::from(proof.kind.as_str()));
            entry("claim", &Json::from(proof.claim.as_str()));
            entry("proof", &redacted(&proof.proof, &[], secrets));
        }
    }
    page
}

/// The JSON with readable words in place of what is known later or is a secret; `secret_fields` are pointers to fields that always are.
pub(crate) fn redacted(json: &Json, secret_fields: &[&str], secrets: Secrets) -> Json {
    Redaction { secret_fields, secrets }.walk(json, &mut String::new())
}

struct Redaction<'a> {
    secret_fields: &'a [&'a str],
    secrets: Secrets,
}

impl Redaction<'_> {
    fn walk(&self, json: &Json, path: &mut String) -> Json {
        if self.secrets == Secrets::Hidden && !json.is_null() && self.secret_fields.contains(&path.as_str()) {
            return Json::from(SENSITIVE);
        }
        let length = path.len();
        match json {
            Json::Object(map) => {
                if let Some(later) = sole(map, "$later").and_then(|inner| serde_json::from_value::<Later>(inner.clone()).ok()) {
                    return Json::from(words(&later, self.secrets));
                }
                match (sole(map, "$secret"), self.secrets) {
                    (Some(_), Secrets::Hidden) => return Json::from(SENSITIVE),
                    (Some(secret), Secrets::Open) => return secret.clone(),
                    (None, _) => {}
                }
                let entries = map.iter().map(|(key, value)| {
                    path.push('/');
                    path.push_str(&key.replace('~', "~0").replace('/', "~1"));
                    let value = self.walk(value, path);
                    path.truncate(length);
                    (key.clone(), value)
                });
                Json::Object(entries.collect())
            }
            Json::Array(items) => {
                let items = items.iter().enumerate().map(|(index, item)| {
                    path.push_str(&format!("/{index}"));
                    let item = self.walk(item, path);
                    path.truncate(length);
                    item
                });
                Json::Array(items.collect())
            }
            other => other.clone(),
        }
    }
}

const SENSITIVE: &str = "(sensitive)";

fn sole<'a>(map: &'a Map<String, Json>, key: &str) -> Option<&'a Json> {
    if map.len() == 1 { map.get(key) } else { None }
}

fn words(later: &Later, secrets: Secrets) -> String {
    match later {
        Later::Output(reference) if reference.sensitive && secrets == Secrets::Hidden => SENSITIVE.to_owned(),
        Later::Output(reference) => format!("(known after apply: {})", reference.of),
        Later::Text(parts) => parts
            .iter()
            .map(|part| match part {
                Part::Literal(text) => text.clone(),
                Part::Later(later) => words(later, secrets),
            })
            .collect(),
        Later::Quote { of, .. } | Later::Base64(of) => words(of, secrets),
        Later::Digest(of) => {
            let mut addresses = Vec::new();
            of.visit(&mut |reference| addresses.push(reference.of.to_string()));
            format!("(known after apply: {})", addresses.join(", "))
        }
    }
}

fn write_entry(page: &mut String, key: &str, value: &Json, depth: usize) {
    page.push_str(&"  ".repeat(depth));
    page.push_str(&scalar(key));
    page.push(':');
    write_value(page, value, depth);
}

/// Writes a value behind its key or dash, up to and with the line end.
fn write_value(page: &mut String, value: &Json, depth: usize) {
    match value {
        Json::Object(map) if !map.is_empty() => {
            page.push('\n');
            map.iter().for_each(|(key, value)| write_entry(page, key, value, depth + 1));
        }
        Json::Array(items) if !items.is_empty() => {
            page.push('\n');
            for item in items {
                page.push_str(&"  ".repeat(depth + 1));
                page.push('-');
                write_value(page, item, depth + 1);
            }
        }
        Json::String(text) if is_block(text) => write_block(page, text, depth + 1),
        Json::String(text) => page.push_str(&format!(" {}\n", scalar(text))),
        other => page.push_str(&format!(" {other}\n")),
    }
}

/// Whether a text reads better, and safely, as lines of a block.
fn is_block(text: &str) -> bool {
    let first = text.lines().next().unwrap_or_default();
    text.trim_end_matches('\n').contains('\n')
        && !first.is_empty()
        && !first.starts_with([' ', '\t'])
        && text.chars().all(|c| c == '\n' || c == '\t' || is_printable(c))
}

fn is_printable(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{feff}' | '\u{2028}' | '\u{2029}')
}

fn write_block(page: &mut String, text: &str, depth: usize) {
    let trailing = text.len() - text.trim_end_matches('\n').len();
    page.push_str(match trailing {
        0 => " |-\n",
        1 => " |\n",
        _ => " |+\n",
    });
    for line in text.split_terminator('\n') {
        if !line.is_empty() {
            page.push_str(&"  ".repeat(depth));
            page.push_str(line);
        }
        page.push('\n');
    }
}

/// A text bare where no reader of YAML can take it for something else, in JSON's quotes (which are YAML's) otherwise.
fn scalar(text: &str) -> String {
    let plain = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '/' | '-'));
    if plain && !WORDS.contains(&text.to_ascii_lowercase().as_str()) { text.to_owned() } else { Json::from(text).to_string() }
}

/// Words that a reader of YAML may take for a truth value or for nothing.
const WORDS: [&str; 9] = ["true", "false", "yes", "no", "on", "off", "y", "n", "null"];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn yaml(value: &Json) -> String {
        let mut page = String::from("v:");
        write_value(&mut page, value, 0);
        page
    }

    #[test]
    fn texts_that_look_like_something_else_are_quoted() {
        for text in ["true", "No", "1", "", "- a", "a: b", "a #b", "*a", "0600", "y", ".5", "a b"] {
            assert_eq!(yaml(&json!(text)), format!("v: {}\n", json!(text)), "{text}");
        }
        assert_eq!(yaml(&json!("/srv/nats.conf")), "v: /srv/nats.conf\n");
    }

    #[test]
    fn structures_nest_and_lines_become_a_block() {
        let value = json!({"a": [1, {"b": null}], "empty": {}, "text": "one\n\n  two\n"});
        insta::assert_snapshot!(yaml(&value), @r#"
        v:
          a:
            - 1
            -
              b: null
          empty: {}
          text: |
            one

              two
        "#);
    }

    #[test]
    fn a_text_that_a_block_would_change_stays_quoted() {
        for text in [" indented\nfirst", "\nempty first", "bell\u{7}\nrings", "ends\r\n in two"] {
            assert_eq!(yaml(&json!(text)), format!("v: {}\n", json!(text)));
        }
        assert_eq!(yaml(&json!("a\nb\n\n")), "v: |+\n  a\n  b\n\n");
    }

    #[test]
    fn secrets_read_sensitive_however_they_are_written() {
        let spec = json!({
            "known": {"$secret": "hunter2"},
            "field": "hunter2",
            "later": {"$later": "a/password#value (sensitive)"},
            "text": {"$later": {"text": [{"literal": "user: me, password: "}, {"later": {"quote": {"syntax": "nats-conf",
                "of": "a/password#value (sensitive)"}}}]}},
            "url": {"$later": "a/server#url"},
        });
        let shown = redacted(&spec, &["/field"], Secrets::Hidden);
        assert_eq!(
            shown,
            json!({
                "known": "(sensitive)", "field": "(sensitive)", "later": "(sensitive)",
                "text": "user: me, password: (sensitive)", "url": "(known after apply: a/server)",
            })
        );
        assert_eq!(redacted(&spec, &["/field"], Secrets::Open)["known"], "hunter2");
    }
}
