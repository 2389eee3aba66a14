//! Connecting, and saying why it failed.

use std::error::Error as _;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_nats::{Client, ConnectError, ConnectErrorKind, ConnectOptions, Event, ServerError};
use harmony::explain;
use harmony::modules::nats::access::{Credential, NatsAccess};
use harmony::provider::{Failure, ProviderError};
use harmony::run::Run;
use harmony::value::Unresolved;
use tokio::time::timeout;

use crate::connection::{Complaints, Connection};
use crate::trust::trusting;
use crate::way::{Dialled, Ways};

/// How long one server may take to accept a connection: a TLS handshake and a signature take milliseconds.
const PATIENCE: Duration = Duration::from_secs(2);
/// The same for a password: the server computes for 0.1 s of a whole core to check one, and those that come together queue.
const PATIENCE_WITH_PASSWORD: Duration = Duration::from_secs(8);
/// What it is given even when the run's time is up, so that the last look at something says more than that there was no time to look.
pub(crate) const LEAST: Duration = Duration::from_millis(500);

/// Why there is no connection.
#[derive(Clone)]
pub(crate) enum NoConnection {
    /// Every server showed a certificate that the access does not trust.
    Untrusted(Failure),
    /// Anything else.
    Other(ProviderError),
}

impl From<ProviderError> for NoConnection {
    fn from(error: ProviderError) -> Self {
        Self::Other(error)
    }
}

impl From<Unresolved> for NoConnection {
    fn from(error: Unresolved) -> Self {
        Self::Other(error.into())
    }
}

/// Whoever is there instead of the servers, they are not reached.
impl From<NoConnection> for ProviderError {
    fn from(why: NoConnection) -> Self {
        match why {
            NoConnection::Untrusted(failure) => Self::Unreachable(failure),
            NoConnection::Other(error) => error,
        }
    }
}

/// Connects to the first server of `access` that answers.
///
/// # Errors
/// [`ProviderError::NotPermitted`] if a server does not take the credential, [`ProviderError::Unreachable`] naming every server if none
/// answers, [`ProviderError::Refused`] if the access itself is no good; [`NoConnection::Untrusted`] if no server is trusted.
pub(crate) async fn connect(run: &Run, ways: &Ways, access: &NatsAccess) -> Result<Connection, NoConnection> {
    let what = format!("failed to connect as {}", access.who);
    let mut tried = Vec::new();
    let mut untrusted = 0;
    let mut hint = None;
    for server in &access.servers {
        let server = server.get()?;
        if server.contains('@') {
            let why = "a server's URL holds a credential; it belongs into the access's own field";
            return Err(ProviderError::refused(what, why).into());
        }
        let complaints = Arc::new(Complaints::default());
        let usual = match &access.credential {
            Credential::Nkey { .. } => PATIENCE,
            Credential::Password { .. } => PATIENCE_WITH_PASSWORD,
        };
        let dialled = match ways.find(run, server).await {
            Err(ProviderError::Unreachable(failure)) => {
                tried.push(format!("{server}: {}", failure.why));
                continue;
            }
            found => found?,
        };
        let patience = usual.min(run.remaining().max(LEAST));
        let options = options(patience, access, &dialled, &complaints)?;
        match attempt(run, &access.who, &dialled.url, options, patience).await? {
            Ok(client) => return Ok(Connection::new(client, access.who.clone(), server.clone(), complaints)),
            Err(Trouble { kind: Kind::Forbidden, words, .. }) => {
                let failure = Failure::new(format!("{what} to {server}"), words);
                return Err(ProviderError::NotPermitted(failure.with_hint(CREDENTIAL_HINT)).into());
            }
            Err(Trouble { kind: Kind::NoCredential, words, .. }) => return Err(ProviderError::refused(what, words).into()),
            Err(trouble) => {
                untrusted += usize::from(matches!(trouble.kind, Kind::Untrusted));
                hint = hint.or(trouble.hint);
                tried.push(format!("{server}: {}", trouble.words));
            }
        }
    }
    let why = if tried.is_empty() { "the access names no server".to_owned() } else { tried.join("; ") };
    let mut failure = Failure::new(what, why);
    failure.hint = hint.map(str::to_owned);
    Err(match untrusted > 0 && untrusted == tried.len() {
        true => NoConnection::Untrusted(failure),
        false => ProviderError::Unreachable(failure).into(),
    })
}

/// The same for what is not asked again, a look or a proof: a server that is busy is there all the same, and is given a second chance. One
/// that is not there says so at once.
///
/// # Errors
/// As [`connect`].
pub(crate) async fn connect_patiently(run: &Run, ways: &Ways, access: &NatsAccess) -> Result<Connection, NoConnection> {
    let begun = Instant::now();
    // On the heap: what a connection takes would else be on the stack of everybody who looks, twice.
    match Box::pin(connect(run, ways, access)).await {
        Err(NoConnection::Other(ProviderError::Unreachable(_))) if begun.elapsed() >= PATIENCE => {
            Box::pin(connect(run, ways, access)).await
        }
        connected => connected,
    }
}

const CREDENTIAL_HINT: &str = "the servers' configuration does not know this credential: apply the Score that declares the user, or wait \
                               until every server has read its configuration again";

fn options(
    patience: Duration,
    access: &NatsAccess,
    server: &Dialled,
    complaints: &Arc<Complaints>,
) -> Result<ConnectOptions, ProviderError> {
    let heard = Arc::clone(complaints);
    let mut options = ConnectOptions::new()
        .name("harmony")
        .custom_inbox_prefix(&access.inbox_prefix)
        .connection_timeout(patience)
        // The servers of the access are tried one by one, so that each is named in errors; a lost connection is tried once more and
        // then given up, because whoever uses it has its own deadline.
        .ignore_discovered_servers()
        .max_reconnects(1)
        .event_callback(move |event| {
            note(&heard, event);
            std::future::ready(())
        });
    if server.url.starts_with("tls://") || !access.trust.get()?.is_empty() {
        let trust = trusting(access.trust.get()?, server.name.as_deref())
            .map_err(|error| ProviderError::refused(format!("failed to connect as {}", access.who), explain::chain(&error)))?;
        options = options.require_tls(true).tls_client_config(trust);
    }
    Ok(match &access.credential {
        Credential::Nkey { seed } => options.nkey(seed.get()?.clone()),
        Credential::Password { user, password } => options.user_and_password(user.get()?.clone(), password.get()?.clone()),
    })
}

fn note(complaints: &Complaints, event: Event) {
    match event {
        Event::ServerError(ServerError::Other(words)) => complaints.note(words),
        Event::ServerError(error) => complaints.note(error.to_string()),
        Event::Disconnected => complaints.note_loss(),
        _ => {}
    }
}

/// Why one server gave no connection.
struct Trouble {
    kind: Kind,
    words: String,
    hint: Option<&'static str>,
}

enum Kind {
    /// The server does not take the credential.
    Forbidden,
    /// What was given is no credential at all, which shows before anything is sent.
    NoCredential,
    /// Its certificate is not one that the access trusts.
    Untrusted,
    /// Anything else; another server may do better.
    Other,
}

async fn attempt(
    run: &Run,
    who: &str,
    server: &str,
    options: ConnectOptions,
    patience: Duration,
) -> Result<Result<Client, Trouble>, ProviderError> {
    let target = format!("connection of {who} to {server}");
    // The client's own limit is for each address of a host, and does not hold for finding them.
    let connecting = timeout(patience * 2, options.connect(server));
    let connected = run.io().request(&target, async { Ok::<_, ProviderError>(connecting.await) }).await?;
    let silence = || format!("no answer within {:.1} s", patience.as_secs_f64());
    let error = match connected {
        Ok(Ok(client)) => return Ok(Ok(client)),
        Err(_) => return Ok(Err(Trouble { kind: Kind::Other, words: silence(), hint: None })),
        Ok(Err(error)) => error,
    };
    let (kind, words) = match (error.kind(), error.source()) {
        (ConnectErrorKind::AuthorizationViolation, _) => (Kind::Forbidden, "the server says: Authorization Violation".to_owned()),
        (ConnectErrorKind::Authentication, _) => (Kind::NoCredential, "the credential is no NKey seed".to_owned()),
        (ConnectErrorKind::TimedOut, _) => (Kind::Other, silence()),
        (_, Some(source)) if is_about_certificates(&error) => (Kind::Untrusted, explain::chain(source)),
        (_, Some(source)) => (Kind::Other, explain::chain(source)),
        (_, None) => (Kind::Other, error.to_string()),
    };
    Ok(Err(Trouble { kind, words, hint: hint_of(&error) }))
}

fn is_about_certificates(error: &ConnectError) -> bool {
    let io = error.source().and_then(|source| source.downcast_ref::<io::Error>());
    let tls = io.and_then(io::Error::get_ref).and_then(|inner| inner.downcast_ref::<rustls::Error>());
    matches!(tls, Some(rustls::Error::InvalidCertificate(_)))
}

fn hint_of(error: &ConnectError) -> Option<&'static str> {
    let source = error.source()?;
    let io = source.downcast_ref::<io::Error>();
    if io.and_then(io::Error::get_ref).is_some_and(|inner| inner.is::<rustls::Error>()) {
        return Some(
            "the server's certificate is not issued for this host by the given authority: apply the Score that issues it",
        );
    }
    // The client reads the platform's authorities although it does not use them (async-nats 0.51), and gives up if it cannot.
    let platform = io.is_some_and(|io| io.to_string().contains("platform certs"));
    platform.then_some("set SSL_CERT_FILE to a readable file; its contents are not used")
}
