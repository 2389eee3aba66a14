//! A secret that is random.

use harmony_secret::SecretName;
use serde::{Deserialize, Serialize};

use crate::resource::{FieldChange, Impact, Loss, Resource};
use crate::value::Output;

/// A random secret, made once and then kept. One that is there already (given by a user, or by a checkout's own store) is used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GeneratedSecret {
    /// Under which name it is kept.
    pub name: SecretName,
    /// What it is.
    pub recipe: Recipe,
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
}

impl GeneratedSecret {
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

    fn impact(_: &FieldChange) -> Impact {
        Impact::Replace("a secret of another form is another secret".to_owned())
    }
}
