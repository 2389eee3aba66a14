//! The few requests that the testbed itself makes of an API server.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use ureq::Agent;
use ureq::tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig};

use crate::authority::Identity;
use crate::error::TestbedError;

const LIMIT: Duration = Duration::from_secs(10);
/// The longest answer that is read: a list of many thousand objects.
const LONGEST: u64 = 256 << 20;

/// An API server as somebody reaches it.
#[derive(Debug)]
pub(crate) struct Api {
    url: String,
    agent: Agent,
}

impl Api {
    /// The one at `url`, asked by `identity`, believed if its certificate is the authority's.
    pub(crate) fn new(url: &str, authority: &str, identity: &Identity) -> Self {
        let certificate = |pem: &str| Certificate::from_pem(pem.as_bytes()).ok();
        let client = certificate(&identity.certificate)
            .zip(PrivateKey::from_pem(identity.key.as_bytes()).ok())
            .map(|(certificate, key)| ClientCert::new_with_certs(&[certificate], key));
        let roots: Vec<_> = certificate(authority).into_iter().collect();
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::new_with_certs(&roots))
            .client_cert(client)
            // Without this, ureq panics unless somebody has installed a process-wide provider.
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .build();
        let config = Agent::config_builder().proxy(None).http_status_as_error(false).timeout_global(Some(LIMIT)).tls_config(tls);
        Self { url: url.to_owned(), agent: config.build().new_agent() }
    }

    /// What the server says of `path`.
    pub(crate) fn get(&self, path: &str) -> Result<Value, TestbedError> {
        answer(path, self.agent.get(format!("{}{path}", self.url)).call())
    }

    /// The same in this form.
    pub(crate) fn get_as(&self, path: &str, form: &str) -> Result<Value, TestbedError> {
        answer(path, self.agent.get(format!("{}{path}", self.url)).header("Accept", form).call())
    }

    /// Creates an object in the collection `path`.
    pub(crate) fn create(&self, path: &str, object: &Value) -> Result<Value, TestbedError> {
        let request = self.agent.post(format!("{}{path}", self.url)).content_type("application/json");
        answer(path, request.send(object.to_string()))
    }
}

fn answer(path: &str, answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<Value, TestbedError> {
    let unreachable = |error: ureq::Error| TestbedError::Unreachable { path: path.to_owned(), source: error.into_io() };
    let mut answer = answer.map_err(unreachable)?;
    let body = answer.body_mut().with_config().limit(LONGEST).read_to_string().map_err(unreachable)?;
    let status = answer.status().as_u16();
    if !answer.status().is_success() {
        let message = serde_json::from_str::<Value>(&body).ok().and_then(|body| Some(body.get("message")?.as_str()?.to_owned()));
        return Err(TestbedError::Refused { path: path.to_owned(), status, said: message.unwrap_or(body) });
    }
    // Some answers are plain words, such as `ok`.
    Ok(serde_json::from_str(&body).unwrap_or(Value::String(body)))
}
