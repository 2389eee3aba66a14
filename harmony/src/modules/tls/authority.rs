//! A certificate authority.

use harmony_secret::SecretName;
use harmony_types::NonBlank;
use serde::{Deserialize, Serialize};

use crate::resource::{FieldChange, Impact, Loss, Resource};
use crate::value::Output;

/// A self-signed authority (P-256, valid for ten years), kept in the secret store with its key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authority {
    /// Under which name it is kept.
    pub name: SecretName,
    /// Its common name.
    pub subject: NonBlank,
}

/// What an authority or a certificate offers.
#[derive(Clone, Serialize, Deserialize)]
pub struct IssuedOutputs {
    pub(super) certificate: String,
    pub(super) key: String,
}

impl Authority {
    /// Its certificate, PEM.
    pub const CERTIFICATE: Output<Self, String> = Output::public("certificate");
    /// Its private key, PKCS #8 PEM.
    pub const KEY: Output<Self, String> = Output::sensitive("key");
}

impl Resource for Authority {
    const KIND: &'static str = "x509-authority/v1";
    const NOUN: &'static str = "certificate authority";
    const LOSS: Loss = Loss::Secret;
    const ADOPTS: bool = true;
    type Identity = SecretName;
    type Access = ();
    type Outputs = IssuedOutputs;

    fn identity(&self) -> SecretName {
        self.name.clone()
    }

    fn impact(_: &FieldChange) -> Impact {
        Impact::Replace("an authority of another name is another authority".to_owned())
    }
}
