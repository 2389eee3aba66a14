//! Clients that read their credential again when they connect again, and clients that do not.

use std::fmt;
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_nats::connection::State;
use async_nats::jetstream::{self, Context};
use async_nats::{Auth, AuthError, Client, ConnectErrorKind, ConnectOptions, Event};
use harmony_test::SiteProgram;
use nkeys::KeyPair;
use tokio::task::JoinHandle;

use crate::outside::{SERVERS, trusting, url};

/// What is not answered by then is tried again.
const ANSWER: Duration = Duration::from_secs(1);
/// How long a client waits before it does the next thing.
const PACE: Duration = Duration::from_millis(40);
/// How long a server may take to close a connection.
const CLOSING: Duration = Duration::from_secs(10);

/// The agent's credential as clients are given it.
pub(crate) fn seed(program: &SiteProgram) -> String {
    std::fs::read_to_string(file(program)).unwrap().trim().to_owned()
}

fn file(program: &SiteProgram) -> std::path::PathBuf {
    program.state().join("laptop/credentials/nats/HARMONY-agent.nk")
}

/// A client of a site, which reads the file whenever it connects.
async fn rereading(program: &SiteProgram, site: &str, refusals: &Refusals) -> Client {
    let file = file(program);
    let options = ConnectOptions::with_auth_callback(move |nonce| {
        let file = file.clone();
        async move {
            let seed = std::fs::read_to_string(file).map_err(AuthError::new)?;
            let pair = KeyPair::from_seed(seed.trim()).map_err(AuthError::new)?;
            let mut auth = Auth::new();
            auth.nkey = Some(pair.public_key());
            auth.signature = Some(pair.sign(&nonce).map_err(AuthError::new)?);
            Ok(auth)
        }
    });
    let options = telling(options.custom_inbox_prefix("_INBOX_agent").reconnect_delay_callback(|_| PACE), refusals);
    let servers = [format!("nats-{site}-1"), format!("nats-{site}-2")].map(|server| url(program, &server));
    trusting(program, options).connect(servers.as_slice()).await.unwrap()
}

/// The same, with what happens told to `refusals`.
fn telling(options: ConnectOptions, refusals: &Refusals) -> ConnectOptions {
    let refusals = refusals.clone();
    options.event_callback(move |event| {
        refusals.note(&event);
        std::future::ready(())
    })
}

/// When a client was refused, and for how long at most.
#[derive(Clone, Default)]
pub(crate) struct Refusals(Arc<Mutex<(Option<Instant>, Duration)>>);

impl Refusals {
    fn note(&self, event: &Event) {
        let mut noted = self.0.lock().unwrap();
        match event {
            Event::Connected => {
                let took = noted.0.take().map(|since| since.elapsed()).unwrap_or_default();
                noted.1 = noted.1.max(took);
            }
            Event::ServerError(error) if error.to_string().contains("uthorization") => {
                noted.0.get_or_insert_with(Instant::now);
            }
            Event::ClientError(error) if error.to_string().contains("uthorization") => {
                noted.0.get_or_insert_with(Instant::now);
            }
            _ => {}
        }
    }

    /// Also if it goes on.
    fn longest(&self) -> Duration {
        let noted = self.0.lock().unwrap();
        noted.1.max(noted.0.map(|since| since.elapsed()).unwrap_or_default())
    }
}

/// Whether the machine itself stands still: a thread that sleeps for a moment wakes up much later, or what it writes takes long to
/// reach the disk, for which an acknowledged write waits too.
pub(crate) struct Machine(Arc<Mutex<Duration>>);

impl Machine {
    pub(crate) fn watch() -> Self {
        let mut file = tempfile::tempfile().unwrap();
        let longest = Arc::new(Mutex::new(Duration::ZERO));
        let watched = Arc::downgrade(&longest);
        std::thread::spawn(move || {
            while let Some(longest) = watched.upgrade() {
                let began = Instant::now();
                std::thread::sleep(PACE);
                file.write_all(b"x").and_then(|()| file.sync_all()).unwrap();
                let late = began.elapsed().saturating_sub(PACE);
                let mut longest = longest.lock().unwrap();
                *longest = (*longest).max(late);
            }
        });
        Self(longest)
    }

    pub(crate) fn longest(&self) -> Duration {
        *self.0.lock().unwrap()
    }
}

/// What a client did.
pub(crate) struct Done {
    what: &'static str,
    pub(crate) count: usize,
    again: usize,
    /// The longest time between two successes.
    pub(crate) longest: Duration,
    /// How often it connected.
    pub(crate) connects: u64,
    /// The longest time from being refused to being let in.
    pub(crate) refused: Duration,
}

impl fmt::Display for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {}, {} tried again, longest gap {:.2?}, refused {:.2?}",
            self.count, self.what, self.again, self.longest, self.refused
        )
    }
}

impl Done {
    /// How many of the acknowledged writes of a site are not there.
    pub(crate) async fn lost(&self, program: &SiteProgram, site: &str) -> usize {
        let context = context(rereading(program, site, &Refusals::default()).await);
        let store = context.get_key_value("HARMONY").await.unwrap();
        let mut lost = 0;
        for number in 0..self.count {
            let value = store.get(key(site, number)).await.unwrap();
            lost += usize::from(value.as_deref() != Some(number.to_string().as_bytes()));
        }
        lost
    }
}

/// What a client does again and again.
#[derive(Clone, Copy)]
enum Job {
    Write,
    Read,
}

/// Does its job until it is stopped.
struct Working {
    job: Job,
    refusals: Refusals,
    stopped: Arc<AtomicBool>,
    task: JoinHandle<(Vec<Instant>, usize)>,
    client: Client,
}

impl Working {
    async fn start(job: Job, program: &SiteProgram, site: &'static str) -> Self {
        let refusals = Refusals::default();
        let client = rereading(program, site, &refusals).await;
        let context = context(client.clone());
        let stopped = Arc::new(AtomicBool::new(false));
        let task = tokio::spawn(work(job, context, site, Arc::clone(&stopped)));
        Self { job, refusals, stopped, task, client }
    }

    async fn stop(self) -> Done {
        self.stopped.store(true, Ordering::Relaxed);
        let (successes, again) = self.task.await.unwrap();
        let what = if matches!(self.job, Job::Write) { "writes" } else { "reads" };
        let longest = successes.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(Duration::MAX);
        let connects = self.client.statistics().connects.load(Ordering::Relaxed);
        Done { what, count: successes.len(), again, longest, connects, refused: self.refusals.longest() }
    }
}

/// Each thing is tried until it is done: the successes, and how often something had to be tried again.
async fn work(job: Job, context: Context, site: &'static str, stopped: Arc<AtomicBool>) -> (Vec<Instant>, usize) {
    let (mut successes, mut again) = (Vec::new(), 0);
    while !stopped.load(Ordering::Relaxed) {
        let done = match job {
            Job::Write => write(&context, site, successes.len()).await,
            Job::Read => read(&context).await,
        };
        if done {
            successes.push(Instant::now())
        } else {
            again += 1
        }
        tokio::time::sleep(PACE).await;
    }
    (successes, again)
}

fn key(site: &str, number: usize) -> String {
    format!("{site}.{number}")
}

async fn write(context: &Context, site: &str, number: usize) -> bool {
    let sent = context.publish(format!("$KV.HARMONY.{}", key(site, number)), number.to_string().into()).await;
    match sent {
        Ok(sent) => sent.await.is_ok(),
        Err(_) => false,
    }
}

/// What a reader of one key asks; that there is no such key is an answer.
async fn read(context: &Context) -> bool {
    let client = context.client();
    let asked = client.request("$JS.API.DIRECT.GET.KV_HARMONY.$KV.HARMONY.east.0", "".into());
    matches!(tokio::time::timeout(ANSWER, asked).await, Ok(Ok(_)))
}

fn context(client: Client) -> Context {
    jetstream::ContextBuilder::new().timeout(ANSWER).ack_timeout(ANSWER).build(client)
}

/// Writes on one site.
pub(crate) struct Writer(Working);

impl Writer {
    pub(crate) async fn start(program: &SiteProgram, site: &'static str) -> Self {
        Self(Working::start(Job::Write, program, site).await)
    }

    pub(crate) async fn stop(self) -> Done {
        self.0.stop().await
    }
}

/// Reads on one site.
pub(crate) struct Reader(Working);

impl Reader {
    pub(crate) async fn start(program: &SiteProgram, site: &'static str) -> Self {
        Self(Working::start(Job::Read, program, site).await)
    }

    pub(crate) async fn stop(self) -> Done {
        self.0.stop().await
    }
}

/// A connection to each server with one credential, for ever.
pub(crate) struct Stubborn(Vec<Client>, Refusals);

impl Stubborn {
    pub(crate) async fn start(program: &SiteProgram, seed: &str) -> Self {
        let (mut clients, refusals) = (Vec::new(), Refusals::default());
        for server in SERVERS {
            clients.push(try_seed(program, server, seed, &refusals).await.unwrap());
        }
        Self(clients, refusals)
    }

    /// How long they have been refused.
    pub(crate) fn refused(&self) -> Duration {
        self.1.longest()
    }

    pub(crate) fn is_connected_everywhere(&self) -> bool {
        self.0.iter().all(|client| {
            client.connection_state() == State::Connected && client.statistics().connects.load(Ordering::Relaxed) == 1
        })
    }

    pub(crate) async fn is_closed_everywhere(&self) {
        let until = Instant::now() + CLOSING;
        let is_closed = |client: &Client| client.connection_state() != State::Connected;
        while !self.0.iter().all(is_closed) {
            let left = self.0.iter().filter(|client| !is_closed(client)).count();
            assert!(Instant::now() < until, "{left} connections with the old credential are still there");
            tokio::time::sleep(PACE).await;
        }
    }
}

async fn try_seed(
    program: &SiteProgram,
    server: &str,
    seed: &str,
    refusals: &Refusals,
) -> Result<Client, async_nats::ConnectError> {
    let options = ConnectOptions::with_nkey(seed.to_owned()).custom_inbox_prefix("_INBOX_agent");
    let options = telling(options, refusals);
    trusting(program, options).connect(url(program, server)).await
}

/// Every server takes it.
pub(crate) async fn is_taken_everywhere(program: &SiteProgram, seed: &str) {
    for server in SERVERS {
        try_seed(program, server, seed, &Refusals::default())
            .await
            .unwrap_or_else(|error| panic!("{server} does not take it: {error}"));
    }
}

/// Every server refuses it.
pub(crate) async fn is_refused_everywhere(program: &SiteProgram, seed: &str) {
    for server in SERVERS {
        let error =
            try_seed(program, server, seed, &Refusals::default()).await.err().unwrap_or_else(|| panic!("{server} takes it"));
        assert_eq!(error.kind(), ConnectErrorKind::AuthorizationViolation, "{server}: {error}");
    }
}
