//! A configuration as a tree, and its two forms: the server's own language, and the JSON over which the server computes its digest.

use crate::text;
use crate::value::{IntoParts, Part, Syntax, Text};

/// A value of the configuration.
#[derive(Debug, Clone)]
pub(super) enum Conf {
    Map(Vec<Entry>),
    List(Vec<Conf>),
    Text(Text),
    /// A whole number, as its digits.
    Integer(Text),
    Boolean(bool),
}

/// What stands in a map.
#[derive(Debug, Clone)]
pub(super) enum Entry {
    /// A key and its value.
    Of(&'static str, Conf),
    /// A key that a name of the user's has become, and its value.
    Named(String, Conf),
    /// A line for people.
    Comment(String),
    /// Entries that are in a file of their own, beside the main one.
    Included { file: &'static str, entries: Vec<Entry> },
}

impl Conf {
    pub(super) fn text(text: impl Into<Text>) -> Self {
        Self::Text(text.into())
    }

    pub(super) fn number(number: impl ToString) -> Self {
        Self::Integer(Text::Known(number.to_string()))
    }

    /// The tree without the entries whose path `keep` does not want. Included entries are where they are included.
    pub(super) fn only(&self, path: &mut Vec<String>, keep: &impl Fn(&[String]) -> bool) -> Self {
        match self {
            Self::Map(entries) => {
                let mut kept = Vec::new();
                for (key, value) in fields(entries) {
                    path.push(key.to_owned());
                    if keep(path) {
                        kept.push(Entry::Named(key.to_owned(), value.only(path, keep)));
                    }
                    path.pop();
                }
                Self::Map(kept)
            }
            other => other.clone(),
        }
    }
}

/// The keys and values of a map, those of included files among them.
fn fields(entries: &[Entry]) -> Vec<(&str, &Conf)> {
    entries
        .iter()
        .flat_map(|entry| match entry {
            Entry::Of(key, value) => vec![(*key, value)],
            Entry::Named(key, value) => vec![(key.as_str(), value)],
            Entry::Comment(_) => Vec::new(),
            Entry::Included { entries, .. } => fields(entries),
        })
        .collect()
}

/// The entries in the server's configuration language, one per line, indented by `depth`.
pub(super) fn lines(entries: &[Entry], depth: usize, parts: &mut Vec<Part>) {
    let indent = "  ".repeat(depth);
    for entry in entries {
        match entry {
            Entry::Comment(words) => format!("{indent}# {words}\n").into_parts(parts),
            Entry::Included { file, .. } => format!("{indent}include \"{file}\"\n").into_parts(parts),
            Entry::Of(key, value) => line(key, value, depth, parts),
            Entry::Named(key, value) => line(key, value, depth, parts),
        }
    }
}

fn line(key: &str, value: &Conf, depth: usize, parts: &mut Vec<Part>) {
    let indent = "  ".repeat(depth);
    // A block reads better without the colon that its language allows.
    let colon = if matches!(value, Conf::Map(_)) { "" } else { ":" };
    format!("{indent}{key}{colon} ").into_parts(parts);
    written(value, depth, parts);
    "\n".into_parts(parts);
}

fn written(value: &Conf, depth: usize, parts: &mut Vec<Part>) {
    let indent = "  ".repeat(depth);
    match value {
        Conf::Text(text) => text.clone().quoted(Syntax::NatsConf).into_parts(parts),
        Conf::Integer(digits) => digits.into_parts(parts),
        Conf::Boolean(value) => value.to_string().into_parts(parts),
        Conf::Map(entries) => {
            "{\n".into_parts(parts);
            lines(entries, depth + 1, parts);
            format!("{indent}}}").into_parts(parts);
        }
        Conf::List(items) if items.is_empty() => "[]".into_parts(parts),
        Conf::List(items) => {
            "[\n".into_parts(parts);
            for item in items {
                format!("{indent}  ").into_parts(parts);
                written(item, depth + 1, parts);
                "\n".into_parts(parts);
            }
            format!("{indent}]").into_parts(parts);
        }
    }
}

/// The digest that the server computes when it reads the tree: SHA-256 of the JSON that Go's encoder writes of the parsed map, keys
/// sorted by their bytes, with a line feed at the end (nats-server, conf/parse.go, `configDigest`).
pub(super) fn digest(conf: &Conf) -> Text {
    let mut parts = Vec::new();
    json(conf, &mut parts);
    text![Text::concatenated(parts), "\n"].digest()
}

fn json(value: &Conf, parts: &mut Vec<Part>) {
    match value {
        Conf::Text(text) => text.clone().quoted(Syntax::GoJson).into_parts(parts),
        Conf::Integer(digits) => digits.into_parts(parts),
        Conf::Boolean(value) => value.to_string().into_parts(parts),
        Conf::List(items) => {
            "[".into_parts(parts);
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    ",".into_parts(parts);
                }
                json(item, parts);
            }
            "]".into_parts(parts);
        }
        Conf::Map(entries) => {
            let mut fields = fields(entries);
            fields.sort_by_key(|(key, _)| *key);
            "{".into_parts(parts);
            for (at, (key, value)) in fields.into_iter().enumerate() {
                let comma = if at > 0 { "," } else { "" };
                format!("{comma}{}:", Syntax::GoJson.quote(key)).into_parts(parts);
                json(value, parts);
            }
            "}".into_parts(parts);
        }
    }
}
