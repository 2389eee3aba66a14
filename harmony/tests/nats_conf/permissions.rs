use std::path::PathBuf;

use harmony::modules::nats::permission::{ApiCall, Permissions, api_calls};
use harmony::modules::nats::render::conf;
use harmony::modules::nats::score::{
    AccountWish, CredentialsScore, Grant, JetstreamScore, KvAccess, KvBucketScore, NatsScore, UserWish,
};
use harmony::modules::nats::spec::{
    AccountBlock, ClientListener, JetstreamBlock, LogLevel, Monitoring, ServerSpec, UserBlock, UserProof,
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

/// A server with an account HARMONY: a user for each access to the bucket HARMONY, and one who may do everything.
fn server(directory: &str, port: u16) -> ServerSpec {
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
    let of = |spec: &harmony::modules::nats::spec::UserSpec| Ok::<_, std::convert::Infallible>(proof(&spec.name));
    let mut accounts: Vec<AccountBlock> =
        system.accounts().iter().map(|account| AccountBlock::of(account, of).unwrap()).collect();
    let everything = Permissions { publish: vec![">".to_owned()], subscribe: vec![">".to_owned()] };
    let root = UserBlock { name: user(ROOT), proof: proof(&user(ROOT)), permissions: everything };
    accounts.iter_mut().find(|account| account.name.as_str() == "HARMONY").unwrap().users.push(root);
    ServerSpec {
        name: "nats-1".parse().unwrap(),
        tags: Vec::new(),
        client: ClientListener {
            listen: HostName::loopback(),
            port: Value::Known(Port::new(port).unwrap()),
            advertise: None,
            tls: None,
        },
        cluster: None,
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

/// A running server with the buckets HARMONY and OTHER, each with one key.
struct Scratch {
    server: Running,
    _directory: tempfile::TempDir,
}

impl Scratch {
    fn start(program: &PathBuf) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let port = free_port();
        let path = directory.path().join("nats.conf");
        std::fs::write(&path, conf(&server(directory.path().to_str().unwrap(), port)).main.get().unwrap()).unwrap();
        let scratch = Self { server: Running::start(program, &path, port), _directory: directory };
        let mut root = scratch.connect(ROOT);
        for name in ["HARMONY", "OTHER"] {
            let calls = api_calls(&user(ROOT), &bucket(name), &bucket("NONE"));
            let create = calls.iter().find(|call| call.what == format!("create bucket {name}")).unwrap();
            let answer = root.ask(&create.subject, &create.real_body, None);
            assert!(answer.body.contains("\"config\""), "{answer:?}");
            assert!(root.ask(&format!("$KV.{name}.key"), "value", None).body.contains("\"seq\":1"));
        }
        scratch
    }

    fn connect(&self, user: &str) -> Client {
        Client::connect(self.server.port, user, PASSWORD, &format!("_INBOX_{user}"))
    }

    /// All that the calls of the table could change.
    fn state(&self) -> String {
        let mut root = self.connect(ROOT);
        let mut ask = |subject: &str| {
            let mut answer: serde_json::Value = serde_json::from_str(&root.ask(subject, "", None).body).unwrap();
            answer.as_object_mut().unwrap().remove("ts");
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
    let scratch = Scratch::start(&program);
    let before = scratch.state();
    for (name, access) in USERS {
        let mut client = scratch.connect(name);
        for call in api_calls(&user(name), &bucket("HARMONY"), &bucket("OTHER")) {
            let violation = ask(&mut client, &call);
            let allowed = call.allowed.contains(&access);
            assert_eq!(violation.is_none(), allowed, "{name}: {} by {}: {violation:?}", call.what, call.subject);
        }
    }
    assert_eq!(scratch.state(), before);
}

#[test]
fn a_probe_changes_nothing_even_where_everything_is_allowed() {
    let Some(program) = nats_server("a_probe_changes_nothing_even_where_everything_is_allowed") else { return };
    let scratch = Scratch::start(&program);
    let before = scratch.state();
    let mut root = scratch.connect(ROOT);
    for call in api_calls(&user(ROOT), &bucket("HARMONY"), &bucket("OTHER")) {
        assert_eq!(ask(&mut root, &call), None, "{}", call.what);
        assert_eq!(scratch.state(), before, "{} changed something", call.what);
    }
}

#[test]
fn the_table_names_requests_that_the_server_understands() {
    let Some(program) = nats_server("the_table_names_requests_that_the_server_understands") else { return };
    let scratch = Scratch::start(&program);
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
    let scratch = Scratch::start(&program);
    let mut client = Client::connect_refused(scratch.server.port, "reader", PASSWORD, "_INBOX_writer.>");
    assert!(client.next_line().contains("Permissions Violation for Subscription to \"_INBOX_writer.>\""));
}
