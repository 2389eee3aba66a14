//! A bounded download over HTTPS.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use harmony_io::Io;
use ureq::Agent;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use super::error::FetchError;

/// A server that has not taken the connection by then is passed over.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// The archive has 7 MB: this is 60 kB/s.
const TOTAL_LIMIT: Duration = Duration::from_secs(120);
/// Eight times the archive.
const LENGTH_LIMIT: u64 = 64 << 20;

/// How a URL is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Transport {
    /// Only HTTPS, through the proxy that `HTTPS_PROXY` names, trusting this machine's root certificates (or those of `SSL_CERT_FILE`).
    Https,
    /// Plain HTTP without proxies, to a server in the same test.
    #[cfg(test)]
    Loopback,
}

/// Downloads `url`, which may redirect.
pub(super) async fn download(io: &Io, url: &str, transport: Transport) -> Result<Vec<u8>, FetchError> {
    let owned = url.to_owned();
    io.request(url, async move {
        match tokio::task::spawn_blocking(move || download_blocking(&owned, transport)).await {
            Ok(downloaded) => downloaded,
            Err(stopped) => Err(FetchError::Download { source: io::Error::from(stopped) }),
        }
    })
    .await
}

fn download_blocking(url: &str, transport: Transport) -> Result<Vec<u8>, FetchError> {
    let failed = |error: ureq::Error| FetchError::Download { source: error.into_io() };
    let mut answer = agent(transport)?.get(url).call().map_err(failed)?;
    answer.body_mut().with_config().limit(LENGTH_LIMIT).read_to_vec().map_err(failed)
}

fn agent(transport: Transport) -> Result<Agent, FetchError> {
    let config = Agent::config_builder()
        .timeout_resolve(Some(CONNECT_LIMIT))
        .timeout_connect(Some(CONNECT_LIMIT))
        .timeout_global(Some(TOTAL_LIMIT));
    Ok(match transport {
        Transport::Https => config.https_only(true).tls_config(tls()?).build().new_agent(),
        #[cfg(test)]
        Transport::Loopback => config.proxy(None).build().new_agent(),
    })
}

fn tls() -> Result<TlsConfig, FetchError> {
    let certificates = rustls_native_certs::load_native_certs().certs;
    if certificates.is_empty() {
        return Err(FetchError::NoCertificates);
    }
    let roots: Vec<_> = certificates.iter().map(|certificate| Certificate::from_der(certificate).to_owned()).collect();
    Ok(TlsConfig::builder()
        .root_certs(RootCerts::new_with_certs(&roots))
        // Without this, ureq panics unless somebody has installed a process-wide provider.
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .build())
}
