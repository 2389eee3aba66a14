//! Trusting the given authorities, and no others.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

/// Why a text cannot be trusted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum TrustError {
    /// Nothing in it is a certificate.
    #[error("the given certificate authorities hold no certificate in PEM")]
    Empty,
    /// A certificate in it cannot be read.
    #[error("the given certificate authorities cannot be read")]
    Pem(#[source] rustls::pki_types::pem::Error),
    /// A certificate in it cannot be an authority.
    #[error("one of the given certificate authorities cannot be used")]
    Certificate(#[source] rustls::Error),
}

/// What a TLS client needs to accept only servers whose certificates the authorities in `pem` have issued. The platform's own are not
/// among them.
///
/// # Errors
/// [`TrustError`] if `pem` holds no usable certificate.
pub(crate) fn trusting(pem: &str) -> Result<ClientConfig, TrustError> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        roots.add(certificate.map_err(TrustError::Pem)?).map_err(TrustError::Certificate)?;
    }
    if roots.is_empty() {
        return Err(TrustError::Empty);
    }
    // Named here, so that nothing depends on which provider of cryptography the process has made its default.
    let ring = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(ring).with_safe_default_protocol_versions();
    Ok(builder.map_err(TrustError::Certificate)?.with_root_certificates(roots).with_no_client_auth())
}
