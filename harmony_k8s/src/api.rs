//! Requests to one API server, through the fault layer.

use std::sync::Arc;
use std::time::Duration;

use harmony::explain::chain;
use harmony::provider::{Failure, ProviderError};
use harmony::run::Run;
use harmony_io::IoError;
use http::{Method, Request, header};
use k8s_openapi::api::core::v1::Pod;
use kube::Client;
use kube::client::Body;
use serde::Deserialize;
use serde_json::Value as Json;

use crate::redaction::Redaction;
use crate::sign::of_words;

/// How long an answer is waited for: a list of 5000 objects was seen to take 1.5 s on two busy cores.
const ANSWER: Duration = Duration::from_secs(30);
/// How long at least, however close the deadline is: connecting and a handshake.
const LEAST: Duration = Duration::from_secs(2);

/// One API server, as one user.
#[derive(Clone)]
pub(crate) struct Api {
    client: Client,
    /// What people call the cluster.
    cluster: String,
    /// Under which name it applies.
    pub(crate) manager: String,
    /// What it must not quote.
    redaction: Arc<Redaction>,
}

/// Why a request gave nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    /// The API says no.
    #[error("{0}")]
    Refused(Refusal),
    /// No answer, or half of one.
    #[error("{words}")]
    Lost { words: String },
    /// The answer is not what it should be.
    #[error("the answer cannot be read: {words}")]
    Unreadable { words: String },
    /// An injected fault.
    #[error(transparent)]
    Io(#[from] IoError),
}

/// The API's `Status` of a request that failed.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Refusal {
    pub(crate) code: u16,
    pub(crate) reason: String,
    pub(crate) message: String,
    details: Details,
    #[serde(skip)]
    pub(crate) causes: Vec<Cause>,
    #[serde(skip)]
    retry_after: Option<Duration>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Details {
    causes: Vec<Cause>,
}

/// One of the reasons of a refusal.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Cause {
    pub(crate) reason: String,
    pub(crate) message: String,
    pub(crate) field: String,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.message.is_empty() { write!(f, "the API answers {}", self.code) } else { f.write_str(&self.message) }
    }
}

impl ApiError {
    /// Whether there is no such thing.
    pub(crate) fn is_absent(&self) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.code == 404)
    }

    /// Whether something else has changed it, or made it, meanwhile.
    pub(crate) fn is_conflict(&self) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.code == 409)
    }

    /// The API's words, if it has spoken.
    pub(crate) fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }

    /// The same as the failure of `what`.
    pub(crate) fn failed(self, what: impl Into<String>) -> ProviderError {
        let what = what.into();
        match self {
            Self::Io(error) => error.into(),
            Self::Lost { .. } => ProviderError::unreachable(what, self),
            Self::Unreadable { .. } => ProviderError::refused(what, self),
            Self::Refused(refusal) => refused(what, &refusal),
        }
    }
}

fn refused(what: String, refusal: &Refusal) -> ProviderError {
    let (_, hint) = of_words(&refusal.message);
    let failure = hint.into_iter().fold(Failure::new(what, refusal), Failure::with_hint);
    match (refusal.code, refusal.reason.as_str()) {
        (401, _) => {
            ProviderError::NotPermitted(failure.with_hint("log in again, or give the run a credential that the cluster knows"))
        }
        (403, _) if refusal.message.contains("being terminated") => ProviderError::RetryLater(failure),
        // What somebody has to permit to us has no advice of its own.
        (403, _) if hint.is_none() => ProviderError::NotPermitted(failure),
        (409, "AlreadyExists" | "Conflict") => ProviderError::Conflict(failure),
        (429, _) | (503, _) => ProviderError::RetryLater(match refusal.retry_after {
            Some(time) => failure.with_retry_after(time),
            None => failure,
        }),
        (500 | 502 | 504, _) if !refusal.message.contains("admission webhook") => ProviderError::Unreachable(failure),
        _ => ProviderError::Refused(failure),
    }
}

/// What is sent.
pub(crate) enum Send<'a> {
    Get,
    /// Server-side apply of this object.
    Apply {
        object: &'a Json,
        force: bool,
        dry_run: bool,
    },
    Delete(&'a Json),
    /// A new object.
    Create(&'a Json),
    /// An object in the place of the one that is there, in the version that it names.
    Update(&'a Json),
    /// What of an object changes (RFC 7386).
    Merge(&'a Json),
    /// A review, which is answered and not kept.
    Ask(&'a Json),
}

impl Api {
    pub(crate) fn new(client: Client, cluster: String, manager: String) -> Self {
        Self { client, cluster, manager, redaction: Arc::default() }
    }

    /// Learns which values of an object must not be quoted.
    pub(crate) fn learn_secrets(&self, object: &Json, is_secret: bool) {
        self.redaction.learn(object, is_secret);
    }

    /// `text`, which somebody else has written, without the secrets that went through here.
    pub(crate) fn redacted(&self, text: String) -> String {
        self.redaction.of(text)
    }

    /// The pods of a namespace, for what is not one question and one answer.
    pub(crate) fn pods(&self, namespace: &str) -> kube::Api<Pod> {
        kube::Api::namespaced(self.client.clone(), namespace)
    }

    /// What people call the cluster.
    pub(crate) fn cluster(&self) -> &str {
        &self.cluster
    }

    /// Sends a request and returns the answer in JSON.
    ///
    /// # Errors
    /// [`ApiError`].
    pub(crate) async fn send(&self, run: &Run, path: &str, what: Send<'_>) -> Result<Json, ApiError> {
        let bytes = self.send_accepting(run, path, what, "application/json").await?;
        serde_json::from_slice(&bytes).map_err(|error| ApiError::Unreadable { words: error.to_string() })
    }

    /// The same, asking for an answer in another form, and as it came.
    ///
    /// # Errors
    /// [`ApiError`].
    pub(crate) async fn send_accepting(&self, run: &Run, path: &str, what: Send<'_>, accept: &str) -> Result<Vec<u8>, ApiError> {
        let (method, path, content, body) = match what {
            Send::Get => (Method::GET, path.to_owned(), None, Vec::new()),
            Send::Apply { object, force, dry_run } => {
                let dry = if dry_run { "&dryRun=All" } else { "" };
                let query = format!("{path}?fieldManager={}&force={force}&fieldValidation=Strict{dry}", self.manager);
                (Method::PATCH, query, Some("application/apply-patch+yaml"), object.to_string().into_bytes())
            }
            Send::Ask(review) => (Method::POST, path.to_owned(), Some("application/json"), review.to_string().into_bytes()),
            Send::Create(object) => (Method::POST, self.managed(path), Some("application/json"), object.to_string().into_bytes()),
            Send::Update(object) => (Method::PUT, self.managed(path), Some("application/json"), object.to_string().into_bytes()),
            Send::Merge(patch) => {
                (Method::PATCH, self.managed(path), Some("application/merge-patch+json"), patch.to_string().into_bytes())
            }
            Send::Delete(options) => {
                (Method::DELETE, path.to_owned(), Some("application/json"), options.to_string().into_bytes())
            }
        };
        let target = format!("{method} {path} of {}", self.cluster);
        let mut request = Request::builder().method(method).uri(path).header(header::ACCEPT, accept);
        if let Some(content) = content {
            request = request.header(header::CONTENT_TYPE, content);
        }
        let request = request.body(Body::from(body)).map_err(|error| ApiError::Unreadable { words: error.to_string() })?;
        let limit = ANSWER.min(run.remaining().max(LEAST));
        run.io().request(&target, self.exchange(request, limit)).await
    }

    /// The path of a write under the name by which we apply.
    fn managed(&self, path: &str) -> String {
        format!("{path}?fieldManager={}", self.manager)
    }

    async fn exchange(&self, request: Request<Body>, limit: Duration) -> Result<Vec<u8>, ApiError> {
        let lost = |error: &kube::Error| ApiError::Lost { words: chain(error) };
        let answered = async {
            let response = self.client.send(request).await.map_err(|error| lost(&error))?;
            let (head, body) = response.into_parts();
            let bytes = body.collect_bytes().await.map_err(|error| lost(&error))?;
            if head.status.is_success() {
                return Ok(bytes.to_vec());
            }
            let mut refusal: Refusal = serde_json::from_slice(&bytes).unwrap_or_default();
            refusal.code = head.status.as_u16();
            refusal.causes = std::mem::take(&mut refusal.details.causes);
            refusal.message = self.redacted(refusal.message);
            let seconds = head.headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
            refusal.retry_after = seconds.map(Duration::from_secs);
            Err(ApiError::Refused(refusal))
        };
        let waited = tokio::time::timeout(limit, answered).await;
        waited.unwrap_or_else(|_| Err(ApiError::Lost { words: format!("no answer within {:.1} s", limit.as_secs_f64()) }))
    }
}
