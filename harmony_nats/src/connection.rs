//! One connection as one user to one server.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_nats::client::{RequestError, RequestErrorKind};
use async_nats::connection::State;
use async_nats::{Client, HeaderMap, Message, Request, Subscriber};
use harmony::run::Run;
use serde::de::DeserializeOwned;
use tokio::sync::Notify;

use crate::ask::AskError;
use crate::connect::LEAST;

/// How long an answer is waited for: a JetStream without a leader never answers.
const ANSWER: Duration = Duration::from_secs(3);

/// A connection, closed when it is dropped.
pub(crate) struct Connection {
    client: Client,
    who: String,
    server: String,
    complaints: Arc<Complaints>,
}

impl Connection {
    pub(crate) fn new(client: Client, who: String, server: String, complaints: Arc<Complaints>) -> Self {
        Self { client, who, server, complaints }
    }

    /// Who connected where, for people: `user agent of account HARMONY on tls://127.0.0.1:4222`.
    pub(crate) fn whereabouts(&self) -> String {
        format!("{} on {}", self.who, self.server)
    }

    /// The URL of the server.
    pub(crate) fn server(&self) -> &str {
        &self.server
    }

    /// The server's public key, which it makes at every start.
    pub(crate) fn server_id(&self) -> String {
        self.client.server_info().server_id
    }

    /// Whether the server says that it has JetStream.
    pub(crate) fn has_jetstream(&self) -> bool {
        self.client.server_info().jetstream
    }

    /// Whether the server is still there, as far as is known.
    pub(crate) fn is_alive(&self) -> bool {
        self.client.connection_state() == State::Connected
    }

    /// What the server has complained about.
    pub(crate) fn complaints(&self) -> &Complaints {
        &self.complaints
    }

    /// Sends a request through the fault layer and returns its one answer.
    ///
    /// # Errors
    /// [`AskError`], at once if the server forbids it.
    pub(crate) async fn ask(&self, run: &Run, subject: &str, body: Vec<u8>) -> Result<Message, AskError> {
        self.ask_with(run, subject, body, None).await
    }

    /// The same with headers.
    ///
    /// # Errors
    /// As [`Connection::ask`].
    pub(crate) async fn ask_with(
        &self,
        run: &Run,
        subject: &str,
        body: Vec<u8>,
        headers: Option<HeaderMap>,
    ) -> Result<Message, AskError> {
        let target = format!("{subject} on {}", self.server);
        run.io().request(&target, self.exchange(answer_within(run), subject, body, headers)).await
    }

    /// The same for an answer in JSON.
    ///
    /// # Errors
    /// As [`Connection::ask`], and [`AskError::Unreadable`] if it is not of this form.
    pub(crate) async fn ask_for<T: DeserializeOwned>(&self, run: &Run, subject: &str, body: Vec<u8>) -> Result<T, AskError> {
        let answer = self.ask(run, subject, body).await?;
        read(subject, &answer)
    }

    /// A subject for answers that nobody else uses.
    pub(crate) fn inbox(&self) -> String {
        self.client.new_inbox()
    }

    /// Listens on a subject.
    ///
    /// # Errors
    /// [`AskError::Unsent`].
    pub(crate) async fn listen(&self, subject: String) -> Result<Subscriber, AskError> {
        self.client.subscribe(subject).await.map_err(|error| AskError::Unsent { words: error.to_string() })
    }

    /// Sends a message whose answers go to `inbox`.
    ///
    /// # Errors
    /// [`AskError::Unsent`].
    pub(crate) async fn send(
        &self,
        subject: String,
        inbox: String,
        headers: Option<HeaderMap>,
        body: Vec<u8>,
    ) -> Result<(), AskError> {
        let headers = headers.unwrap_or_default();
        let sent = self.client.publish_with_reply_and_headers(subject, inbox, headers, body.into()).await;
        sent.map_err(|error| AskError::Unsent { words: error.to_string() })
    }

    async fn exchange(
        &self,
        within: Duration,
        subject: &str,
        body: Vec<u8>,
        headers: Option<HeaderMap>,
    ) -> Result<Message, AskError> {
        let before = self.complaints.count();
        let mut request = Request::new().payload(body.into()).timeout(Some(within));
        if let Some(headers) = headers {
            request = request.headers(headers);
        }
        let own = self.client.new_inbox();
        let inbox = format!("\"{}.", own.rsplit_once('.').map_or(own.as_str(), |(prefix, _)| prefix));
        let quoted = format!("\"{subject}\"");
        let concerns = |words: &str| words.contains(&quoted) || (words.contains("Subscription") && words.contains(&inbox));
        tokio::select! {
            biased;
            answer = self.client.send_request(subject.to_owned(), request) => answer.map_err(|error| unanswered(&error, subject, within)),
            complaint = self.complaints.about(before, concerns) => Err(complaint),
        }
    }
}

/// How long an answer is waited for, within the run's deadline.
pub(crate) fn answer_within(run: &Run) -> Duration {
    ANSWER.min(run.remaining().max(LEAST))
}

/// A message's body as JSON of this form.
///
/// # Errors
/// [`AskError::Unreadable`].
pub(crate) fn read<T: DeserializeOwned>(subject: &str, message: &Message) -> Result<T, AskError> {
    serde_json::from_slice(&message.payload)
        .map_err(|error| AskError::Unreadable { subject: subject.to_owned(), words: error.to_string() })
}

fn unanswered(error: &RequestError, subject: &str, waited: Duration) -> AskError {
    match error.kind() {
        RequestErrorKind::NoResponders => AskError::Nobody { subject: subject.to_owned() },
        RequestErrorKind::TimedOut => AskError::Silence { subject: subject.to_owned(), waited },
        RequestErrorKind::InvalidSubject | RequestErrorKind::MaxPayloadExceeded => AskError::Unsent { words: error.to_string() },
        RequestErrorKind::Other => AskError::Lost,
    }
}

/// What a server has complained about on a connection, in its words, and whether the connection was lost. The server answers a request
/// that it forbids only in this way.
#[derive(Default)]
pub(crate) struct Complaints {
    heard: Mutex<Vec<Complaint>>,
    news: Notify,
}

#[derive(Clone)]
enum Complaint {
    Words(String),
    Loss,
}

impl Complaints {
    pub(crate) fn note(&self, words: String) {
        self.push(Complaint::Words(words));
    }

    pub(crate) fn note_loss(&self) {
        self.push(Complaint::Loss);
    }

    /// How many there have been.
    pub(crate) fn count(&self) -> usize {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// The server's words behind the first `since`.
    ///
    /// # Errors
    /// [`AskError::Lost`] if the connection was lost meanwhile.
    pub(crate) fn words_since(&self, since: usize) -> Result<Vec<String>, AskError> {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let words = |complaint: &Complaint| match complaint {
            Complaint::Words(words) => Ok(words.clone()),
            Complaint::Loss => Err(AskError::Lost),
        };
        heard.iter().skip(since).map(words).collect()
    }

    /// Waits for the first complaint behind the first `since` that `concerns` somebody, or for the loss of the connection.
    pub(crate) async fn about(&self, since: usize, concerns: impl Fn(&str) -> bool) -> AskError {
        loop {
            // Registered before looking, so that nothing is missed between the two.
            let news = self.news.notified();
            tokio::pin!(news);
            news.as_mut().enable();
            let heard: Vec<Complaint> =
                self.heard.lock().unwrap_or_else(PoisonError::into_inner).iter().skip(since).cloned().collect();
            for complaint in heard {
                match complaint {
                    Complaint::Words(words) if concerns(&words) => return AskError::Forbidden { words },
                    Complaint::Loss => return AskError::Lost,
                    Complaint::Words(_) => {}
                }
            }
            news.await;
        }
    }

    /// Waits for the next complaint behind the first `since`.
    pub(crate) async fn next(&self, since: usize) {
        let _ = self.about(since, |_| true).await;
    }

    fn push(&self, complaint: Complaint) {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).push(complaint);
        self.news.notify_waiters();
    }
}
