//! The value of a secret: owned, wiped when dropped, never shown.

use std::fmt;
use std::io;

use zeroize::Zeroizing;

/// The bytes of a secret, often text. Wiped from memory when dropped; `Debug` and `Display` say `(sensitive)`; it cannot be
/// serialized by accident. Reading it is called exposing it, so that every such place can be found.
#[derive(Clone)]
pub struct SecretValue(Zeroizing<Vec<u8>>);

/// The bytes of a secret that was expected to be text are not UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the secret is not text in UTF-8")]
pub struct NotText;

impl SecretValue {
    /// The value as text.
    ///
    /// # Errors
    /// [`NotText`] if it is not UTF-8.
    pub fn expose_str(&self) -> Result<&str, NotText> {
        std::str::from_utf8(&self.0).map_err(|_| NotText)
    }

    /// The value as it is.
    #[must_use]
    pub fn expose_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl From<String> for SecretValue {
    fn from(text: String) -> Self {
        text.into_bytes().into()
    }
}

impl From<Vec<u8>> for SecretValue {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }
}

/// Takes as long for values that differ early as for values that differ late; their length is not hidden.
impl PartialEq for SecretValue {
    fn eq(&self, other: &Self) -> bool {
        self.0.len() == other.0.len() && self.0.iter().zip(other.0.iter()).fold(0, |differing, (a, b)| differing | (a ^ b)) == 0
    }
}

impl Eq for SecretValue {}

impl fmt::Debug for SecretValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(sensitive)")
    }
}

impl fmt::Display for SecretValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(sensitive)")
    }
}

/// A secret being written. A `Vec` that grows leaves its old bytes in freed memory; this one wipes them.
#[derive(Default)]
pub(crate) struct SecretWriter(Zeroizing<Vec<u8>>);

impl SecretWriter {
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        let needed = self.0.len() + bytes.len();
        if needed > self.0.capacity() {
            let mut wider = Vec::with_capacity(needed.max(2 * self.0.capacity()).max(256));
            wider.extend_from_slice(&self.0);
            self.0 = Zeroizing::new(wider);
        }
        self.0.extend_from_slice(bytes);
    }

    pub(crate) fn finish(self) -> SecretValue {
        SecretValue(self.0)
    }
}

impl io::Write for SecretWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.push(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_and_display_do_not_show_the_value() {
        let value = SecretValue::from("hunter2".to_owned());
        assert_eq!(
            format!("{value} {value:?} {value:#?} {:?}", Some(&value)),
            "(sensitive) (sensitive) (sensitive) Some((sensitive))"
        );
    }

    #[test]
    fn values_are_equal_only_if_every_byte_is() {
        let value = |text: &str| SecretValue::from(text.to_owned());
        assert_eq!(value("hunter2"), value("hunter2"));
        assert_ne!(value("hunter2"), value("hunter3"));
        assert_ne!(value("hunter2"), value("Hunter2"));
        assert_ne!(value("hunter2"), value("hunter"));
    }

    #[test]
    fn bytes_that_are_not_text_are_refused_as_text_only() {
        let value = SecretValue::from(vec![0xff, 0]);
        assert_eq!(value.expose_str(), Err(NotText));
        assert_eq!(value.expose_bytes(), [0xff, 0]);
    }

    #[test]
    fn writer_keeps_everything_while_it_grows() {
        let mut writer = SecretWriter::default();
        let mut expected = Vec::new();
        for length in 0..200_u8 {
            let piece = vec![length; usize::from(length)];
            writer.push(&piece);
            expected.extend(piece);
        }
        assert_eq!(writer.finish().expose_bytes(), expected);
    }
}
