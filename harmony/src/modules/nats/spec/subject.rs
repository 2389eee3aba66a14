//! Subjects and their wildcards: `*` stands for one token, `>` at the end for one or more.

/// Whether `subject` is a subject with or without wildcards, of the application and not of the server.
pub(super) fn is_application(subject: &str) -> bool {
    let first = subject.split('.').next().unwrap_or_default();
    // A wildcard in front would stand for the server's own subjects too.
    is_well_formed(subject) && !first.starts_with('$') && !first.starts_with("_INBOX") && first != "*" && first != ">"
}

/// Whether `text` is what keys of a bucket begin with, up to a dot.
pub(super) fn is_key_prefix(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-/_=".contains(&byte);
    text.split('.').all(|token| !token.is_empty() && token.bytes().all(allowed))
}

fn is_well_formed(subject: &str) -> bool {
    let tokens: Vec<&str> = subject.split('.').collect();
    let last = tokens.len() - 1;
    let visible = |token: &str| token.chars().all(|c| !c.is_whitespace() && !c.is_control());
    let is_token = |(at, token): (usize, &&str)| match *token {
        "" => false,
        ">" => at == last,
        "*" => true,
        token => visible(token) && !token.contains(['*', '>']),
    };
    tokens.iter().enumerate().all(is_token)
}

/// Whether `pattern` covers `subject`, which may have wildcards itself: everything that `subject` stands for, `pattern` does.
#[must_use]
pub fn matches(pattern: &str, subject: &str) -> bool {
    let mut subject = subject.split('.');
    for token in pattern.split('.') {
        match (token, subject.next()) {
            (">", rest) => return rest.is_some(),
            (_, None) | (_, Some(">")) => return false,
            ("*", Some(_)) => {}
            (token, Some(given)) if token == given => {}
            _ => return false,
        }
    }
    subject.next().is_none()
}

/// Whether some subject is covered by both patterns.
#[must_use]
pub fn overlap(one: &str, other: &str) -> bool {
    let (mut one, mut other) = (one.split('.'), other.split('.'));
    loop {
        match (one.next(), other.next()) {
            (None, None) => return true,
            (None, Some(_)) | (Some(_), None) => return false,
            (Some(">"), Some(_)) | (Some(_), Some(">")) => return true,
            (Some("*"), Some(_)) | (Some(_), Some("*")) => {}
            (Some(a), Some(b)) if a == b => {}
            _ => return false,
        }
    }
}
