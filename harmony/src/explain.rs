//! Putting an error and its causes into one line.

use std::error::Error;

/// The error and its causes, joined by `: `; a cause whose words the line already ends with is not repeated.
#[must_use]
pub fn chain(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let words = inner.to_string();
        if !line.ends_with(&words) {
            line.push_str(": ");
            line.push_str(&words);
        }
        cause = inner.source();
    }
    line
}
