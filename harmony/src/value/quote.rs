//! Quoting a text for the syntax it is written into.

use std::fmt::Write;

use serde::{Deserialize, Serialize};

/// A syntax in which a text can be quoted so that it is read back as the same text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Syntax {
    /// A string of the NATS server's configuration language, in double quotes.
    NatsConf,
    /// A JSON string as Go's `encoding/json` writes it: `<`, `>`, `&`, U+2028 and U+2029 are escaped too. The server's own digest of
    /// its configuration is computed over such JSON.
    GoJson,
    /// User or password in a URL: all but the unreserved characters of RFC 3986 are percent-encoded; no quotes.
    UrlUserInfo,
    /// A word of a POSIX shell: as it is if no character of it means anything to a shell, else in single quotes.
    Shell,
}

impl Syntax {
    /// `text` as a literal of this syntax, with its quotes.
    #[must_use]
    pub fn quote(self, text: &str) -> String {
        match self {
            Self::NatsConf => nats_conf(text),
            Self::GoJson => go_json(text),
            Self::UrlUserInfo => url_user_info(text),
            Self::Shell => shell(text),
        }
    }
}

fn shell(text: &str) -> String {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "-_./:@%+=,".contains(character);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// The language knows the escapes `\xXX`, `\t`, `\n`, `\r`, `\"` and `\\` in double quotes (nats-server, conf/lex.go).
fn nats_conf(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

fn go_json(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\u{8}' => quoted.push_str("\\b"),
            '\u{c}' => quoted.push_str("\\f"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\u{0}'..='\u{1f}' => {
                // Writing to a String cannot fail.
                let _ = write!(quoted, "\\u{:04x}", u32::from(character));
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

fn url_user_info(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}
