//! Trusting the given authorities, and no others.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, InvalidDnsNameError, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

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
    /// What a server should be called is neither a DNS name nor an IP address.
    #[error("the server's name can be in no certificate")]
    Name(#[source] InvalidDnsNameError),
    /// The authorities are no good for checking.
    #[error("the given certificate authorities cannot be used for checking")]
    Verifier(#[source] rustls::client::VerifierBuilderError),
}

/// What a TLS client needs to accept only servers whose certificates the authorities in `pem` have issued, for `name` if one is said and for
/// what is dialled otherwise. The platform's own authorities are not among them.
///
/// # Errors
/// [`TrustError`] if `pem` holds no usable certificate, or `name` can be in none.
pub(crate) fn trusting(pem: &str, name: Option<&str>) -> Result<ClientConfig, TrustError> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        roots.add(certificate.map_err(TrustError::Pem)?).map_err(TrustError::Certificate)?;
    }
    if roots.is_empty() {
        return Err(TrustError::Empty);
    }
    // Named here, so that nothing depends on which provider of cryptography the process has made its default.
    let ring = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&ring)).with_safe_default_protocol_versions();
    let builder = builder.map_err(TrustError::Certificate)?;
    let Some(name) = name else { return Ok(builder.with_root_certificates(roots).with_no_client_auth()) };
    let named = Named {
        name: ServerName::try_from(name.to_owned()).map_err(TrustError::Name)?,
        issued: WebPkiServerVerifier::builder_with_provider(Arc::new(roots), ring).build().map_err(TrustError::Verifier)?,
    };
    Ok(builder.dangerous().with_custom_certificate_verifier(Arc::new(named)).with_no_client_auth())
}

/// Checks a certificate as usual, but for a name other than the one that is dialled: what is dialled only leads to the server.
#[derive(Debug)]
struct Named {
    name: ServerName<'static>,
    issued: Arc<WebPkiServerVerifier>,
}

impl ServerCertVerifier for Named {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        revocation: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        self.issued.verify_server_cert(certificate, chain, &self.name, revocation, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.issued.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.issued.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.issued.supported_verify_schemes()
    }
}
