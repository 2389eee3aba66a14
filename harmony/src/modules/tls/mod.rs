//! Certificates: an authority of one's own per failure domain ("islands of trust"), and what it issues.
//!
//! Entry point: the capability [`CertificateAuthorities`](crate::capability::CertificateAuthorities). A place that says [`UsesSecretStore`](super::secret::hosting::UsesSecretStore) hosts both kinds. It
//! does not talk to an authority elsewhere, and does not distribute: where a certificate is needed as a file, that file is a resource.

mod authority;
mod certificate;
mod pki;
#[cfg(test)]
mod tests;
mod x509;

pub use authority::{Authority, IssuedOutputs};
pub use certificate::{Certificate, SubjectName};
pub use pki::StoredPki;
