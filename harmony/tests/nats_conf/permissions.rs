use std::path::Path;
use std::time::{Duration, Instant};

use harmony::modules::nats::permission::{ApiCall, Permissions, api_calls};
use harmony::modules::nats::render::{ROUTES_FILE, conf};
use harmony::modules::nats::score::{
    AccountWish, CredentialsScore, Grant, JetstreamScore, KvAccess, KvBucketScore, NatsScore, UserWish,
};
use harmony::modules::nats::spec::{
    AccountBlock, ClientListener, ClusterBlock, JetstreamBlock, LogLevel, Monitoring, Route, ServerSpec, UserBlock, UserProof,
};
use harmony::value::{Text, Value};
use harmony_types::{BucketName, HostName, Port, UserName};

use crate::client::Client;
use crate::program::{Running, free_port, nats_server};
use crate::system::assembled;

const PASSWORD: &str = "password";
const ROOT: &str = "root";
const USERS: [(&str, KvAccess); 4] =
    [("reader", KvAccess::Read), ("writer", KvAccess::ReadWrite), ("dropper", KvAccess::WriteOnly), ("owner", KvAccess::Owner)];

fn bucket(name: &str) -> BucketName {
    name.parse().unwrap()
}

fn user(name: &str) -> UserName {
    name.parse().unwrap()
}

/// Where a server listens.
#[derive(Clone, Copy)]
struct Ports {
    client: u16,
    cluster: u16,
}

/// The server at `at` of `all`, with an account HARMONY: a user for each access to the bucket HARMONY, and one who may do everything.
fn server(directory: &str, at: usize, all: &[Ports]) -> ServerSpec {
    let port = |number: u16| Value::Known(Port::new(number).unwrap());
    let others = all.iter().enumerate().filter(|(other, _)| *other != at);
    let routes = others.map(|(_, ports)| Route { host: Text::from("127.0.0.1"), port: port(ports.cluster) }).collect();
    let cluster = ClusterBlock {
        name: "nats".parse().unwrap(),
        listen: HostName::loopback(),
        port: port(all[at].cluster),
        advertise: None,
        user: "cluster".to_owned(),
        password: Text::from(PASSWORD),
        routes,
        tls: None,
    };
    let grant = |name: &str| match name {
        "reader" => Grant::kv("HARMONY").read(),
        "writer" => Grant::kv("HARMONY").read_write(),
        "dropper" => Grant::kv("HARMONY").write_only(),
        _ => Grant::kv("HARMONY").owner(),
    };
    let account = USERS
        .iter()
        .fold(AccountWish::new("HARMONY"), |account, (name, _)| account.with_user(UserWish::new(name).with_grant(grant(name))));
    let system = assembled(vec![
        NatsScore::new("nats").into(),
        JetstreamScore::on("nats").into(),
        CredentialsScore::on("nats").with_account(account).into(),
        KvBucketScore::on("nats", "HARMONY", "HARMONY").into(),
    ]);
    let hash = bcrypt::hash(PASSWORD, 4).unwrap().replacen("$2b$", "$2a$", 1);
    let proof = |name: &UserName| UserProof::Password { user: name.to_string(), hash: Text::from(hash.as_str()) };
    let of = |spec: &harmony::modules::nats::spec::UserSpec| Ok::<_, std::convert::Infallible>(vec![proof(&spec.name)]);
    let mut accounts: Vec<AccountBlock> =
        system.accounts().iter().map(|account| AccountBlock::of(account, of).unwrap()).collect();
    let everything = Permissions { publish: vec![">".to_owned()], subscribe: vec![">".to_owned()] };
    let root = UserBlock { name: user(ROOT), proof: proof(&user(ROOT)), permissions: everything };
    accounts.iter_mut().find(|account| account.name.as_str() == "HARMONY").unwrap().users.push(root);
    ServerSpec {
        name: format!("nats-{at}").parse().unwrap(),
        tags: Vec::new(),
        client: ClientListener { listen: HostName::loopback(), port: port(all[at].client), advertise: None, tls: None },
        cluster: (all.len() > 1).then_some(cluster),
        gateway: None,
        jetstream: system
            .jetstream()
            .map(|settings| JetstreamBlock { store_dir: Text::from(directory), settings: settings.clone() }),
        accounts,
        system_account: "SYS".parse().unwrap(),
        monitoring: Monitoring::Closed,
        log: LogLevel::Normal,
        log_file: None,
        max_payload: None,
        max_connections: None,
        ping_interval: None,
        lame_duck: None,
    }
}

/// Running servers with the buckets HARMONY and OTHER, each with one key.
struct Scratch {
    servers: Vec<Running>,
    _directory: tempfile::TempDir,
}

impl Scratch {
    fn start(program: &Path, count: usize) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let ports: Vec<Ports> = (0..count).map(|_| Ports { client: free_port(), cluster: free_port() }).collect();
        let start = |at: usize| {
            let place = directory.path().join(at.to_string());
            std::fs::create_dir(&place).unwrap();
            let rendered = conf(&server(place.to_str().unwrap(), at, &ports));
            if let Some(routes) = rendered.routes {
                std::fs::write(place.join(ROUTES_FILE), routes.get().unwrap()).unwrap();
            }
            std::fs::write(place.join("nats.conf"), rendered.main.get().unwrap()).unwrap();
            Running::start(program, &place.join("nats.conf"), ports[at].client)
        };
        let scratch = Self { servers: (0..count).map(start).collect(), _directory: directory };
        let mut root = scratch.connect(ROOT);
        for name in ["HARMONY", "OTHER"] {
            scratch.create(&mut root, name);
            assert!(root.ask(&format!("$KV.{name}.key"), "value", None).body.contains("\"seq\":1"));
        }
        scratch
    }

    /// Makes a bucket with a copy on every server, as soon as there is a leader to do so.
    fn create(&self, root: &mut Client, name: &str) {
        let calls = api_calls(&user(ROOT), &bucket(name), &bucket("NONE"));
        let create = calls.iter().find(|call| call.what == format!("create bucket {name}")).unwrap();
        let body = create.real_body.replace("\"num_replicas\":1", &format!("\"num_replicas\":{}", self.servers.len()));
        let until = Instant::now() + Duration::from_secs(30);
        loop {
            let answer = root.ask(&create.subject, &body, None);
            if answer.body.contains("\"config\"") {
                return;
            }
            assert!(Instant::now() < until, "{answer:?}");
        }
    }

    fn connect(&self, user: &str) -> Client {
        Client::connect(self.servers[0].port, user, PASSWORD, &format!("_INBOX_{user}"))
    }

    /// All that the calls of the table could change.
    fn state(&self) -> String {
        let mut root = self.connect(ROOT);
        let mut ask = |subject: &str| {
            let mut answer: serde_json::Value = serde_json::from_str(&root.ask(subject, "", None).body).unwrap();
            answer.as_object_mut().unwrap().remove("ts");
            // When each copy was last heard of is all that changes by itself; who leads does not.
            if let Some(cluster) = answer.get_mut("cluster").and_then(|cluster| cluster.as_object_mut()) {
                cluster.remove("replicas");
            }
            answer.to_string()
        };
        ["STREAM.NAMES", "STREAM.INFO.KV_HARMONY", "STREAM.INFO.KV_OTHER", "CONSUMER.LIST.KV_HARMONY", "CONSUMER.LIST.KV_OTHER"]
            .map(|verb| ask(&format!("$JS.API.{verb}")))
            .join("\n")
    }
}

fn ask(client: &mut Client, call: &ApiCall) -> Option<String> {
    client.ask(&call.subject, &call.harmless_body, call.expected_last_sequence).violation
}

#[test]
fn the_server_lets_each_profile_do_what_the_table_says_and_nothing_else() {
    let Some(program) = nats_server("the_server_lets_each_profile_do_what_the_table_says_and_nothing_else") else { return };
    let scratch = Scratch::start(&program, 1);
    let before = scratch.state();
    let (mut granted, mut refused) = (0, 0);
    for (name, access) in USERS {
        let mut client = scratch.connect(name);
        for call in api_calls(&user(name), &bucket("HARMONY"), &bucket("OTHER")) {
            let violation = ask(&mut client, &call);
            let allowed = call.allowed.contains(&access);
            *if allowed { &mut granted } else { &mut refused } += 1;
            assert_eq!(violation.is_none(), allowed, "{name}: {} by {}: {violation:?}", call.what, call.subject);
        }
    }
    println!("{} calls as {} users: {granted} granted, {refused} refused", (granted + refused) / USERS.len(), USERS.len());
    assert_eq!(scratch.state(), before);
}

#[test]
fn a_probe_changes_nothing_even_where_everything_is_allowed() {
    let Some(program) = nats_server("a_probe_changes_nothing_even_where_everything_is_allowed") else { return };
    // A cluster is asked too: some calls mean something only there.
    for count in [1, 3] {
        let scratch = Scratch::start(&program, count);
        let before = scratch.state();
        let mut root = scratch.connect(ROOT);
        for call in api_calls(&user(ROOT), &bucket("HARMONY"), &bucket("OTHER")) {
            let answer = root.ask(&call.subject, &call.harmless_body, call.expected_last_sequence);
            assert_eq!(answer.violation, None, "{}", call.what);
            // What some profile may do is proven by an answer; flow control is only listened to.
            let is_answered = !call.allowed.is_empty() && !call.subject.starts_with("$JS.FC.");
            let has_answer = !answer.body.is_empty() && !answer.body.starts_with("NATS/1.0 503");
            assert!(!is_answered || has_answer, "{} is not answered on {count} server(s): {answer:?}", call.what);
            assert_eq!(scratch.state(), before, "{} changed something on {count} server(s)", call.what);
        }
    }
}

#[test]
fn the_table_names_requests_that_the_server_understands() {
    let Some(program) = nats_server("the_table_names_requests_that_the_server_understands") else { return };
    let scratch = Scratch::start(&program, 1);
    let mut root = scratch.connect(ROOT);
    let calls = api_calls(&user(ROOT), &bucket("HARMONY"), &bucket("OTHER"));
    let answers_with_a_message = |call: &ApiCall| call.subject.starts_with("$JS.API.DIRECT.GET");
    // Deleting comes last, because nothing can be asked of a bucket that is gone.
    let (deleting, others): (Vec<_>, Vec<_>) = calls.into_iter().partition(|call| call.what.starts_with("delete"));
    for call in
        others.into_iter().chain(deleting).filter(|call| call.subject.starts_with("$JS.API.") && !answers_with_a_message(call))
    {
        let body = root.ask(&call.subject, &call.real_body, None).body;
        // Bad request, invalid JSON, and a body where none should be.
        for code in ["10003", "10025", "10038"] {
            assert!(!body.contains(&format!("\"err_code\":{code}")), "{}: {body}", call.what);
        }
    }
    let names = root.ask("$JS.API.STREAM.NAMES", "", None).body;
    assert!(!names.contains("KV_HARMONY") && !names.contains("KV_OTHER"), "{names}");
}

#[test]
fn a_user_cannot_listen_to_the_answers_of_another() {
    let Some(program) = nats_server("a_user_cannot_listen_to_the_answers_of_another") else { return };
    let scratch = Scratch::start(&program, 1);
    let mut client = Client::connect_refused(scratch.servers[0].port, "reader", PASSWORD, "_INBOX_writer.>");
    assert!(client.next_line().contains("Permissions Violation for Subscription to \"_INBOX_writer.>\""));
}
