//! A certificate for a server that is also a client of its peers.

use harmony_secret::SecretName;
use harmony_types::{HostName, NonBlank};
use serde::{Deserialize, Serialize};

use super::authority::IssuedOutputs;
use crate::resource::Resource;
use crate::value::{Output, Text, Value};

/// A name that a certificate is for: what others dial. It may be known only later, as the address that a load balancer is given.
pub type SubjectName = Value<HostName>;

/// A leaf certificate (P-256, valid for 397 days, renewed from 30 days before its end), for both sides of mutual TLS: extended key usages
/// server and client authentication. Kept in the secret store with its key; made anew when a field changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// Under which name it is kept.
    pub name: SecretName,
    /// Its common name.
    pub subject: NonBlank,
    /// The names it is for (subject alternative names). In what there is they are sorted.
    pub names: Vec<SubjectName>,
    /// The certificate of the authority that issues it, PEM.
    pub issuer: Text,
    /// That authority's key, PEM.
    pub issuer_key: Text,
    /// Whether its end is near. Never, in a wish.
    #[serde(default)]
    pub expires_soon: bool,
}

impl Certificate {
    /// The certificate, PEM.
    pub const CERTIFICATE: Output<Self, String> = Output::public("certificate");
    /// Its private key, PKCS #8 PEM.
    pub const KEY: Output<Self, String> = Output::sensitive("key");
}

impl Resource for Certificate {
    const KIND: &'static str = "x509-certificate/v1";
    const NOUN: &'static str = "certificate";
    const ADOPTS: bool = true;
    const SECRET_FIELDS: &'static [&'static str] = &["/issuer_key"];
    type Identity = SecretName;
    type Access = ();
    type Outputs = IssuedOutputs;

    fn identity(&self) -> SecretName {
        self.name.clone()
    }
}
