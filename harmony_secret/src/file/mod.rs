//! Secrets in one file that is safe to commit: names readable, values encrypted.
//!
//! Entry point: [`EncryptedFile`]. Format `harmony-secrets/v1`, JSON with sorted keys, one line for each secret:
//!
//! ```json
//! {
//!   "format": "harmony-secrets/v1",
//!   "key": { "id": "0123456789abcdef" },
//!   "seal": "…",
//!   "secrets": { "nats/admin": "…" }
//! }
//! ```
//!
//! - A secret is base64 of a random nonce (24 bytes) and the output of XChaCha20-Poly1305, with the format and the name as
//!   associated data: an entry cannot be altered, renamed or swapped with another.
//! - `seal` is the same of an empty text, with the format and all entries as associated data: an entry cannot be cut out, or put
//!   back as it was earlier, alone. (The whole file can: what must be there is what the Ledger knows.)
//! - `key.id` is the first 8 bytes of a SHA-256 of the key, to tell a wrong key from a damaged file. With a passphrase,
//!   `key.argon2id` has the salt and the costs from which the key is derived.
//! - How long a value is, and how many there are, is not hidden.
//!
//! It deliberately keeps no history and changes no key: version control has the first, for the second make a new file.

mod cipher;
mod document;
mod encrypted;
mod error;
mod identity;
mod keys;
mod waiting;

pub use cipher::KeyId;
pub use encrypted::EncryptedFile;
pub use error::{EncryptedFileError, KeyError};
pub use keys::KeySource;
