//! The hash of a password.

use harmony_secret::SecretName;
use serde::{Deserialize, Serialize};

use crate::resource::Resource;
use crate::value::{Output, Text};

/// A bcrypt hash of a password, kept because a new one would be another text each time. It is no secret where the password is random, and
/// what a server needs to check a password without having it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasswordHash {
    /// Under which name it is kept.
    pub name: SecretName,
    /// The password.
    pub password: Text,
    /// How expensive it is to check: 2^cost rounds, 4 to 31.
    pub cost: u8,
}

/// What a hash offers.
#[derive(Clone, Serialize, Deserialize)]
pub struct HashOutputs {
    hash: String,
}

impl HashOutputs {
    pub(super) fn new(hash: String) -> Self {
        Self { hash }
    }
}

impl PasswordHash {
    /// The hash, `$2b$…`, 60 characters.
    pub const HASH: Output<Self, String> = Output::public("hash");
    /// The cost that NATS' own tools use: about 0.1 s a check.
    pub const COST: u8 = 11;
}

impl Resource for PasswordHash {
    const KIND: &'static str = "bcrypt-hash/v1";
    const NOUN: &'static str = "password hash";
    const ADOPTS: bool = true;
    const SECRET_FIELDS: &'static [&'static str] = &["/password"];
    type Identity = SecretName;
    type Access = ();
    type Outputs = HashOutputs;

    fn identity(&self) -> SecretName {
        self.name.clone()
    }
}
