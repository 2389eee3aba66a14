//! A secret that is random.

use harmony_secret::SecretName;
use serde::{Deserialize, Serialize};

use crate::resource::{FieldChange, Impact, Loss, Resource};
use crate::value::{Output, Text};

/// A random secret, made once and then kept; or a copy of another secret. One that is there already (given by a user, or by a checkout's own store) is used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GeneratedSecret {
    /// Under which name it is kept.
    pub name: SecretName,
    /// What it is.
    pub recipe: Recipe,
    /// The value that it has instead of a random one, and that it follows: that of another secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copy_of: Option<Text>,
}

/// What a random secret is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Recipe {
    /// 32 letters and digits (190 bits) if it is made here; any text if it was given.
    Password,
    /// The seed of an NKey of a NATS user, `SU…`, 58 characters.
    UserNkey,
}

/// What a generated secret offers.
#[derive(Clone, Serialize, Deserialize)]
pub struct GeneratedOutputs {
    value: String,
    public: Option<String>,
}

impl GeneratedOutputs {
    pub(super) fn new(value: String, public: Option<String>) -> Self {
        Self { value, public }
    }

    /// Whether the secret is this one.
    pub(super) fn is(&self, value: &str) -> bool {
        self.value == value
    }
}

const COPY_OF: &str = "/copy_of";

impl GeneratedSecret {
    /// A random secret.
    #[must_use]
    pub fn new(name: SecretName, recipe: Recipe) -> Self {
        Self { name, recipe, copy_of: None }
    }

    /// The same with the value of another secret, whatever it had before.
    #[must_use]
    pub fn copying(self, value: Text) -> Self {
        Self { copy_of: Some(value), ..self }
    }

    /// The secret itself: the password, or the seed.
    pub const VALUE: Output<Self, String> = Output::sensitive("value");
    /// Of an NKey, the public key that belongs to the seed, `U…`, 56 characters.
    pub const PUBLIC: Output<Self, String> = Output::public("public");
}

impl Resource for GeneratedSecret {
    const KIND: &'static str = "secret/v1";
    const NOUN: &'static str = "secret";
    const LOSS: Loss = Loss::Secret;
    const ADOPTS: bool = true;
    type Identity = SecretName;
    type Access = ();
    type Outputs = GeneratedOutputs;

    fn identity(&self) -> SecretName {
        self.name.clone()
    }

    fn impact(change: &FieldChange) -> Impact {
        if change.path == COPY_OF {
            return Impact::Update;
        }
        Impact::Replace("a secret of another form is another secret".to_owned())
    }
}
