//! Names. Each kind of thing has a type of its own, so that an account's name cannot stand where a bucket's should. Cheap to clone: a
//! run names each place in many things.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::text::serialize_as_text;

/// Why a text is not the name it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {what}: {rule}")]
pub struct NameError {
    /// What was given.
    pub text: String,
    /// What it should have been, with its article.
    pub what: &'static str,
    /// The rule it breaks.
    pub rule: &'static str,
}

const LABEL: &str = "1 to 63 characters of a-z, 0-9 and inner `-`";
const IDENTIFIER: &str = "1 to 64 characters of A-Z, a-z, 0-9, `_` and `-`";

/// An RFC 1123 label: what a DNS name, a Kubernetes object and a NATS server name can all hold.
fn is_label(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=63).contains(&text.len()) && text.bytes().all(inner) && !text.starts_with('-') && !text.ends_with('-')
}

/// What NATS accepts as a stream's or bucket's name without exception, and what needs no quoting in its configuration.
fn is_identifier(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    (1..=64).contains(&text.len()) && text.bytes().all(allowed)
}

macro_rules! name {
    ($(#[$doc:meta])* $type:ident, $what:literal, $rule:ident, $valid:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type(Arc<str>);

        impl $type {
            /// The name's text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $type {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                if $valid(text) {
                    Ok(Self(text.into()))
                } else {
                    Err(NameError { text: text.to_owned(), what: $what, rule: $rule })
                }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        serialize_as_text!($type, $rule);
    };
}

name!(/// A place's name (a topology), unique in a site program: an RFC 1123 label, 1 to 63 bytes of `a-z`, `0-9` and inner `-`.
    PlaceName, "a place's name", LABEL, is_label);
name!(/// A system's name (what several Scores speak of together): an RFC 1123 label.
    SystemName, "a system's name", LABEL, is_label);
name!(/// A site's name, one failure domain of a supercluster: an RFC 1123 label.
    SiteName, "a site's name", LABEL, is_label);
name!(/// A Kubernetes namespace: an RFC 1123 label.
    Namespace, "a namespace", LABEL, is_label);
name!(/// A NATS cluster's name, unique in a supercluster: an RFC 1123 label.
    ClusterName, "a cluster's name", LABEL, is_label);
name!(/// A NATS server's name, unique in a supercluster (JetStream derives its peer id from it): an RFC 1123 label.
    ServerName, "a server's name", LABEL, is_label);
name!(/// A NATS account's name: 1 to 64 bytes of `A-Z`, `a-z`, `0-9`, `_`, `-`.
    AccountName, "an account's name", IDENTIFIER, is_identifier);
name!(/// A NATS user's name: 1 to 64 bytes of `A-Z`, `a-z`, `0-9`, `_`, `-`.
    UserName, "a user's name", IDENTIFIER, is_identifier);
name!(/// A key-value bucket's name: 1 to 64 bytes of `A-Z`, `a-z`, `0-9`, `_`, `-` (ADR-8 of NATS allows the same characters).
    BucketName, "a bucket's name", IDENTIFIER, is_identifier);
name!(/// A JetStream stream's name: 1 to 64 bytes of `A-Z`, `a-z`, `0-9`, `_`, `-`.
    StreamName, "a stream's name", IDENTIFIER, is_identifier);

const NON_BLANK: &str = "text with at least one character that is not white space, and none around it";

fn is_trimmed(text: &str) -> bool {
    !text.is_empty() && text.trim() == text
}

name!(/// A text that says something: not empty, not only white space, and without white space around it.
    NonBlank, "a non-blank text", NON_BLANK, is_trimmed);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_what_dns_can_hold() {
        for good in ["a", "east", "nats-1", "0", &"x".repeat(63)] {
            assert_eq!(good.parse::<SiteName>().unwrap().as_str(), good);
        }
        for bad in ["", "-a", "a-", "A", "a.b", "a b", "é", &"x".repeat(64)] {
            let error = bad.parse::<SiteName>().unwrap_err();
            assert!(error.to_string().starts_with(&format!("`{bad}` is not a site's name: 1 to 63")), "{error}");
        }
    }

    #[test]
    fn an_identifier_needs_no_quoting() {
        assert!("HARMONY_1-x".parse::<BucketName>().is_ok());
        for bad in ["", "a.b", "a b", "a>", "*", "$x", "é"] {
            assert!(bad.parse::<BucketName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn blank_is_not_a_text() {
        for bad in ["", " ", "\t\n", " a"] {
            assert!(bad.parse::<NonBlank>().is_err());
        }
        assert_eq!("a b".parse::<NonBlank>().unwrap().as_str(), "a b");
    }

    #[test]
    fn a_name_serialises_as_its_text_and_is_checked_on_the_way_in() {
        let name: UserName = serde_json::from_str("\"agent\"").unwrap();
        assert_eq!(serde_json::to_string(&name).unwrap(), "\"agent\"");
        assert!(serde_json::from_str::<UserName>("\"a b\"").is_err());
    }
}
