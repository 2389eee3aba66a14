//! A system under a writer, watched server by server through its operator.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_nats::jetstream::kv::Store;
use async_nats::jetstream::{self, Context};
use async_nats::{Client, ConnectOptions};
use data_encoding::BASE64;
use harmony::modules::nats::access::{Credential, NatsAccess};
use harmony::modules::nats::client::{Lead, NatsClient, WayToServers};
use harmony::run::Run;
use harmony::value::Text;
use harmony_io::Io;
use harmony_testbed::Kubectl;
use tokio::task::JoinHandle;

use crate::fixture::Program;

pub(crate) const SERVERS: [&str; 3] = ["nats-1", "nats-2", "nats-3"];
const STREAM: &str = "KV_settings";
/// So many writes are in flight, and each hand begins one at most this often.
const HANDS: usize = 4;
const PACE: Duration = Duration::from_millis(50);
/// A write that is not acknowledged by then is written again.
const ANSWER: Duration = Duration::from_secs(2);
/// What was acknowledged longer ago than this every copy that is current has.
const CURRENT_WITHIN: Duration = Duration::from_secs(1);
/// How often each server is looked at, and how long it may take to answer.
const LOOKS_EVERY: Duration = Duration::from_millis(100);
const LOOK: Duration = Duration::from_secs(5);
/// How long reading may be tried again: a stream whose servers were replaced may be without a leader for a while, and its leader behind tunnels that are dug anew.
const READING: Duration = Duration::from_secs(60);

/// A write that was acknowledged.
#[derive(Debug, Clone)]
struct Acknowledged {
    key: String,
    sequence: u64,
    when: Instant,
}

/// One look at one server: whether its copy was current.
#[derive(Debug, Clone, Copy)]
struct Look {
    from: Instant,
    to: Instant,
    is_current: bool,
}

/// What was seen while something was done to the servers.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) acknowledged: usize,
    /// How long two copies, at least, were certainly not current at once.
    pub(crate) two_behind: Duration,
    /// For each server, how long it was certainly not current.
    pub(crate) behind: BTreeMap<&'static str, Duration>,
    pub(crate) looks: usize,
    pub(crate) longest_gap: Duration,
}

/// What was acknowledged, and a client to read it back with.
pub(crate) struct Written {
    acknowledged: Vec<Acknowledged>,
    reader: Client,
    /// The client's tunnels end with it.
    _way: Arc<dyn WayToServers>,
}

pub(crate) struct Watched {
    shared: Arc<Shared>,
    hands: Vec<JoinHandle<()>>,
    eyes: Vec<JoinHandle<()>>,
    reader: Client,
    way: Arc<dyn WayToServers>,
}

struct Shared {
    stopped: AtomicBool,
    next: AtomicUsize,
    acknowledged: Mutex<Vec<Acknowledged>>,
    looks: Mutex<BTreeMap<&'static str, Vec<Look>>>,
}

impl Watched {
    pub(crate) async fn start(program: &Program, kubectl: &Kubectl) -> Self {
        let shared = Arc::new(Shared {
            stopped: AtomicBool::new(false),
            next: AtomicUsize::new(0),
            acknowledged: Mutex::default(),
            looks: Mutex::default(),
        });
        let way: Arc<dyn WayToServers> = Arc::new(program.place.tunnels());
        let client = application(program, kubectl, &*way).await;
        let context = jetstream::ContextBuilder::new().timeout(ANSWER).ack_timeout(ANSWER).build(client.clone());
        let hands = (0..HANDS).map(|_| tokio::spawn(write(Arc::clone(&shared), context.clone()))).collect();
        let looking = harmony_nats::client();
        looking.take_way(Arc::clone(&way));
        let mut eyes = Vec::new();
        for server in SERVERS {
            let access = operator(program, kubectl, server).await;
            eyes.push(tokio::spawn(watch(Arc::clone(&shared), looking.clone(), server, access)));
        }
        Self { shared, hands, eyes, reader: client, way }
    }

    /// Ends writing and looking. What was written is not read back: whoever took copies away without waiting may have left nobody to ask.
    pub(crate) async fn stop(self) -> (Seen, Written) {
        tokio::time::sleep(CURRENT_WITHIN * 2).await;
        self.shared.stopped.store(true, Ordering::Relaxed);
        for task in self.hands.into_iter().chain(self.eyes) {
            task.await.unwrap();
        }
        let mut acknowledged = self.shared.acknowledged.lock().unwrap().clone();
        acknowledged.sort_by_key(|write| write.when);
        let looks = self.shared.looks.lock().unwrap().clone();
        let behind: BTreeMap<&str, Vec<(Instant, Instant)>> =
            looks.iter().map(|(server, looks)| (*server, periods(looks))).collect();
        let sum = |periods: &[(Instant, Instant)]| periods.iter().map(|(from, to)| *to - *from).sum::<Duration>();
        let seen = Seen {
            acknowledged: acknowledged.len(),
            two_behind: two_at_once(&behind),
            behind: behind.iter().map(|(server, periods)| (*server, sum(periods))).collect(),
            looks: looks.values().map(Vec::len).sum(),
            longest_gap: acknowledged.windows(2).map(|pair| pair[1].when - pair[0].when).max().unwrap_or_default(),
        };
        (seen, Written { acknowledged, reader: self.reader, _way: self.way })
    }
}

impl Written {
    /// The keys that were acknowledged and are gone. Panics with the key that nobody could be asked for within [`READING`].
    pub(crate) async fn lost(&self) -> Vec<&str> {
        let until = Instant::now() + READING;
        let bucket = settings(&self.reader, until).await;
        let mut lost = Vec::new();
        for Acknowledged { key, .. } in &self.acknowledged {
            let value = patiently(key, until, async || bucket.get(key).await).await;
            if value.is_none_or(|value| value != value_of(key)) {
                lost.push(key.as_str());
            }
        }
        lost
    }
}

async fn settings(client: &Client, until: Instant) -> Store {
    let context = jetstream::new(client.clone());
    patiently("the bucket", until, async || context.get_key_value("settings").await).await
}

/// Asks until there is an answer, at most until then: a question that is asked late has [`LOOK`].
async fn patiently<T, E: Display>(what: &str, until: Instant, ask: impl AsyncFn() -> Result<T, E>) -> T {
    loop {
        let failure = match tokio::time::timeout(LOOK, ask()).await {
            Ok(Ok(answer)) => return answer,
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no answer within {LOOK:?}"),
        };
        assert!(Instant::now() < until, "reading {what} was tried for long: {failure}");
        tokio::time::sleep(PACE).await;
    }
}

/// The times during which a server was certainly not current: from the end of the first bad look to the beginning of the last one.
fn periods(looks: &[Look]) -> Vec<(Instant, Instant)> {
    let bad = looks.split(|look| look.is_current);
    let period = |bad: &[Look]| Some((bad.first()?.to, bad.last()?.from)).filter(|(from, to)| from < to);
    bad.filter_map(period).collect()
}

fn two_at_once(behind: &BTreeMap<&str, Vec<(Instant, Instant)>>) -> Duration {
    let mut longest = Duration::ZERO;
    for (one, periods) in behind {
        for (other, others) in behind.range::<str, _>((std::ops::Bound::Excluded(*one), std::ops::Bound::Unbounded)) {
            assert_ne!(one, other);
            for (from, to) in periods {
                for (other_from, other_to) in others {
                    longest = longest.max((*to).min(*other_to).saturating_duration_since((*from).max(*other_from)));
                }
            }
        }
    }
    longest
}

fn value_of(key: &str) -> String {
    format!("value of {key}")
}

async fn write(shared: Arc<Shared>, context: Context) {
    let mut pace = tokio::time::interval(PACE);
    pace.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while !shared.stopped.load(Ordering::Relaxed) {
        pace.tick().await;
        let key = format!("key.{}", shared.next.fetch_add(1, Ordering::Relaxed));
        let Ok(sent) = context.publish(format!("$KV.settings.{key}"), value_of(&key).into()).await else { continue };
        let Ok(acknowledged) = sent.await else { continue };
        let (sequence, when) = (acknowledged.sequence, Instant::now());
        shared.acknowledged.lock().unwrap().push(Acknowledged { key, sequence, when });
    }
}

async fn watch(shared: Arc<Shared>, client: harmony_nats::NatsConnections, server: &'static str, access: NatsAccess) {
    while !shared.stopped.load(Ordering::Relaxed) {
        let from = Instant::now();
        let due = from.checked_sub(CURRENT_WITHIN).unwrap_or(from);
        let wanted = |shared: &Shared| {
            let acknowledged = shared.acknowledged.lock().unwrap();
            acknowledged.iter().filter(|write| write.when < due).map(|write| write.sequence).max().unwrap_or_default()
        };
        let wanted = wanted(&shared);
        let run = Run::alone(Io::real(), LOOK);
        let last = match client.look_at_server(&run, &access).await {
            Ok(state) => {
                let copies = state.jetstream.map(|jetstream| jetstream.streams).unwrap_or_default();
                copies.iter().find(|copy| copy.stream.as_str() == STREAM).map(|copy| copy.last_sequence)
            }
            Err(_) => None,
        };
        let look = Look { from, to: Instant::now(), is_current: last.is_some_and(|last| last >= wanted) };
        shared.looks.lock().unwrap().entry(server).or_default().push(look);
        tokio::time::sleep(LOOKS_EVERY).await;
    }
}

/// Writes so many values of this size, for a copy that begins with nothing to fetch.
pub(crate) async fn load(program: &Program, kubectl: &Kubectl, count: usize, size: usize) {
    let way = program.place.tunnels();
    let client = application(program, kubectl, &way).await;
    let bucket = settings(&client, Instant::now() + READING).await;
    for number in 0..count {
        bucket.put(format!("cargo.{number}"), vec![b'x'; size].into()).await.unwrap();
    }
}

/// What an entry of the application's Secret holds.
fn entry(kubectl: &Kubectl, name: &str) -> String {
    let path = format!("jsonpath={{.data.{}}}", name.replace('.', "\\."));
    let text = kubectl.run(&["-n", "messaging", "get", "secret", "nats-app-app", "-o", &path]).unwrap();
    String::from_utf8(BASE64.decode(text.as_bytes()).unwrap()).unwrap()
}

/// An application that knows all servers, and has nothing but its Secret.
async fn application(program: &Program, kubectl: &Kubectl, way: &dyn WayToServers) -> Client {
    let trust = program.site.state.with_file_name("ca.crt");
    std::fs::write(&trust, entry(kubectl, "ca.crt")).unwrap();
    let options = ConnectOptions::with_nkey(entry(kubectl, "nkey")).custom_inbox_prefix(entry(kubectl, "inbox-prefix"));
    let options = options.require_tls(true).add_root_certificates(trust).ignore_discovered_servers().retry_on_initial_connect();
    let mut servers = Vec::new();
    for server in SERVERS {
        servers.push(format!("tls://{}", address(way, server).await));
    }
    options.connection_timeout(ANSWER).connect(servers).await.unwrap()
}

async fn address(way: &dyn WayToServers, server: &str) -> std::net::SocketAddr {
    match way.lead_to(&Run::alone(Io::real(), LOOK), &format!("{server}-0.{server}.messaging.svc"), 4222).await.unwrap() {
        Lead::To(address) => address,
        other => panic!("{server}: {other:?}"),
    }
}

async fn operator(program: &Program, kubectl: &Kubectl, server: &str) -> NatsAccess {
    let name = "nats/nats/account/sys/user/harmony-operator/nkey".parse().unwrap();
    let seed = program.site.secrets.find(&name).await.unwrap().unwrap();
    NatsAccess {
        servers: vec![Text::from(format!("tls://{server}-0.{server}.messaging.svc:4222"))],
        trust: Text::from(entry(kubectl, "ca.crt")),
        who: "the test".to_owned(),
        credential: Credential::Nkey { seed: Text::from(seed.expose_str().unwrap()) },
        inbox_prefix: "_INBOX_harmony-operator".to_owned(),
    }
}
