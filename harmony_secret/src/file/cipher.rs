//! Keys, and what is done with them.

use std::fmt;

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use data_encoding::{BASE64, HEXLOWER};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::generate;
use crate::value::SecretValue;

const NONCE: usize = 24;
const ID_CONTEXT: &[u8] = b"harmony-secrets/v1 key id\0";

/// Which key a file is encrypted for: 16 hexadecimal digits that do not tell the key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeyId([u8; 8]);

/// A key of 32 bytes, wiped when dropped.
#[derive(Clone)]
pub(crate) struct Key(Zeroizing<[u8; 32]>);

/// How a key is derived from a passphrase (RFC 9106).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Argon2id {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    salt: String,
}

impl Key {
    pub(crate) fn generate() -> Self {
        Self(generate::bytes())
    }

    /// The key that `text` is in base64, blanks around it not counted.
    pub(crate) fn find_in(text: &SecretValue) -> Option<Self> {
        let bytes = Zeroizing::new(BASE64.decode(text.expose_bytes().trim_ascii()).ok()?);
        let mut key = Self(Zeroizing::new([0; 32]));
        (bytes.len() == key.0.len()).then(|| key.0.copy_from_slice(&bytes))?;
        Some(key)
    }

    pub(crate) fn to_base64(&self) -> SecretValue {
        SecretValue::from(BASE64.encode(self.0.as_slice()))
    }

    pub(crate) fn id(&self) -> KeyId {
        let digest = Sha256::new().chain_update(ID_CONTEXT).chain_update(self.0.as_slice()).finalize();
        let mut id = [0; 8];
        id.copy_from_slice(&digest[..8]);
        KeyId(id)
    }

    /// Encrypts `text` for this `context`; `None` if it is longer than the cipher can take (256 GiB).
    pub(crate) fn encrypt(&self, text: &[u8], context: &[u8]) -> Option<String> {
        let nonce = generate::bytes::<NONCE>();
        let encrypted = self.cipher().encrypt(XNonce::from_slice(nonce.as_slice()), Payload { msg: text, aad: context }).ok()?;
        Some(BASE64.encode(&[nonce.as_slice(), &encrypted].concat()))
    }

    /// The text that was encrypted with this key for this `context`; `None` if `encrypted` is anything else.
    pub(crate) fn decrypt(&self, encrypted: &str, context: &[u8]) -> Option<SecretValue> {
        let bytes = BASE64.decode(encrypted.as_bytes()).ok()?;
        let (nonce, text) = bytes.split_at_checked(NONCE)?;
        self.cipher().decrypt(XNonce::from_slice(nonce), Payload { msg: text, aad: context }).ok().map(SecretValue::from)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(self.0.as_slice().into())
    }
}

impl Argon2id {
    // The second recommendation of RFC 9106, section 4: a committed file can be attacked at leisure.
    const MEMORY_KIB: u32 = 64 * 1024;
    const PASSES: u32 = 3;
    const LANES: u32 = 4;
    // A file from elsewhere must not take all memory or run for hours.
    const MOST_MEMORY_KIB: u32 = 1024 * 1024;
    const MOST_PASSES: u32 = 64;
    const MOST_LANES: u32 = 64;

    pub(crate) fn with_new_salt() -> Self {
        let salt = BASE64.encode(generate::bytes::<16>().as_slice());
        Self { memory_kib: Self::MEMORY_KIB, passes: Self::PASSES, lanes: Self::LANES, salt }
    }

    /// The key of the passphrase; `None` if the costs or the salt are not usable. Takes about 0.2 s and 64 MiB.
    pub(crate) fn derive(&self, passphrase: &SecretValue) -> Option<Key> {
        let bounded =
            self.memory_kib <= Self::MOST_MEMORY_KIB && self.passes <= Self::MOST_PASSES && self.lanes <= Self::MOST_LANES;
        let costs = bounded.then(|| Params::new(self.memory_kib, self.passes, self.lanes, None).ok())??;
        let salt = BASE64.decode(self.salt.as_bytes()).ok()?;
        let mut key = Key(Zeroizing::new([0; 32]));
        let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, costs);
        argon.hash_password_into(passphrase.expose_bytes(), &salt, key.0.as_mut_slice()).ok()?;
        Some(key)
    }
}

impl TryFrom<String> for KeyId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let bytes = HEXLOWER.decode(text.as_bytes()).ok();
        bytes.and_then(|bytes| bytes.try_into().ok()).map(Self).ok_or("not 16 hexadecimal digits")
    }
}

impl From<KeyId> for String {
    fn from(id: KeyId) -> Self {
        id.to_string()
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(sensitive)")
    }
}
