use std::path::Path;

use harmony::modules::nats::render::{ROUTES_FILE, RenderedConf, conf};
use harmony::modules::nats::score::{JetstreamScore, NatsScore, SyncPolicy};
use harmony::modules::nats::spec::{AccountBlock, LogLevel, ServerSpec};
use harmony::value::{Later, Reference, Text, Value, resolve};
use harmony_types::{ByteSize, TimeSpan};

use crate::program::{checked_digest, nats_server};
use crate::system::{PASSWORD, assembled, servers, three_sites};

fn known(text: &Text) -> &str {
    text.get().unwrap()
}

/// Writes a certificate that is its own authority, so that the server can load what the configuration names.
fn write_certificates(directory: &Path) {
    let certified = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    for (name, content) in [
        ("certificate.pem", certified.cert.pem()),
        ("trust.pem", certified.cert.pem()),
        ("key.pem", certified.signing_key.serialize_pem()),
    ] {
        std::fs::write(directory.join(name), content).unwrap();
    }
}

fn write(directory: &Path, rendered: &RenderedConf) -> std::path::PathBuf {
    let path = directory.join("nats.conf");
    std::fs::write(&path, known(&rendered.main)).unwrap();
    if let Some(routes) = &rendered.routes {
        std::fs::write(directory.join(ROUTES_FILE), known(routes)).unwrap();
    }
    path
}

#[test]
fn the_servers_of_three_sites_have_these_configurations() {
    for spec in servers(&three_sites(), "/state/nats", &Text::from(PASSWORD)) {
        let rendered = conf(&spec);
        insta::assert_snapshot!(spec.name.as_str(), known(&rendered.main));
        insta::assert_snapshot!(format!("{}.routes", spec.name), known(rendered.routes.as_ref().unwrap()));
    }
}

#[test]
fn the_server_reads_every_configuration_and_computes_our_digest() {
    let Some(program) = nats_server("the_server_reads_every_configuration_and_computes_our_digest") else { return };
    let directory = tempfile::tempdir().unwrap();
    write_certificates(directory.path());
    let place = directory.path().to_str().unwrap();
    let mut specs = servers(&three_sites(), place, &Text::from(PASSWORD));
    specs.push(one_server(place, &|_| {}));
    specs.push(one_server(place, &everything));
    for spec in specs {
        let rendered = conf(&spec);
        let digest = checked_digest(&program, &write(directory.path(), &rendered));
        assert_eq!(digest.as_deref(), Ok(known(&rendered.digest)), "{}", spec.name);
    }
}

/// A server on its own, changed by `change`.
fn one_server(place: &str, change: &dyn Fn(&mut ServerSpec)) -> ServerSpec {
    let system = assembled(vec![NatsScore::new("nats").into(), JetstreamScore::on("nats").into()]);
    let mut spec = servers(&system, place, &Text::from(PASSWORD)).remove(0);
    (spec.cluster, spec.gateway) = (None, None);
    change(&mut spec);
    spec
}

/// Every setting that there is.
fn everything(spec: &mut ServerSpec) {
    spec.log = LogLevel::Trace;
    spec.tags = vec!["az:a".to_owned(), "site:east".to_owned()];
    let settings = &mut spec.jetstream.as_mut().unwrap().settings;
    settings.domain = Some("edge".to_owned());
    settings.max_memory = Some(ByteSize::mib(64));
    settings.max_file = Some(ByteSize::gib(10));
    settings.max_buffered_messages = Some(1000);
    settings.max_buffered_size = Some(ByteSize::mib(1));
    settings.request_queue_limit = Some(500);
    settings.sync = SyncPolicy::Every(TimeSpan::milliseconds(1500));
    settings.unique_tag = Some("az:".to_owned());
    let mut account = AccountBlock { name: "LIMITED".parse().unwrap(), jetstream: Some(Default::default()), users: Vec::new() };
    account.jetstream.as_mut().unwrap().max_memory = Some(ByteSize::mib(1));
    account.jetstream.as_mut().unwrap().max_file = Some(ByteSize::mib(2));
    account.jetstream.as_mut().unwrap().max_streams = Some(3);
    account.jetstream.as_mut().unwrap().max_consumers = Some(4);
    spec.accounts.push(account);
}

#[test]
fn what_is_known_only_later_gives_the_same_files_and_digests() {
    let reference = Reference { of: "laptop/password".parse().unwrap(), output: "value".to_owned(), sensitive: true };
    let later = servers(&three_sites(), "/state/nats", &Value::Later(Later::Output(reference)));
    let now = servers(&three_sites(), "/state/nats", &Text::from(PASSWORD));
    let resolved = |text: &Text| {
        let text = serde_json::to_value(text).unwrap();
        let resolved = resolve(&text, &|_| Some(PASSWORD.into()));
        assert!(resolved.unknown.is_empty());
        serde_json::from_value::<Text>(resolved.json.into_owned()).unwrap().get().unwrap().clone()
    };
    for (later, now) in later.iter().zip(&now) {
        let (later, now) = (conf(later), conf(now));
        assert!(!later.main.is_sensitive() && later.routes.as_ref().unwrap().is_sensitive());
        assert_eq!(resolved(&later.main), known(&now.main));
        assert_eq!(resolved(later.routes.as_ref().unwrap()), known(now.routes.as_ref().unwrap()));
        assert_eq!(resolved(&later.digest), known(&now.digest));
        assert_eq!(resolved(&later.startup), known(&now.startup));
    }
}

#[test]
fn the_startup_digest_changes_only_with_what_a_reload_cannot_change() {
    let base = conf(&one_server("/state", &|_| {}));
    type Change = dyn Fn(&mut ServerSpec);
    let reloadable: [(&str, &Change); 4] = [
        ("users", &|spec| spec.accounts[0].users.clear()),
        ("tags", &|spec| spec.tags.push("az:a".to_owned())),
        ("largest message", &|spec| spec.max_payload = None),
        ("log", &|spec| spec.log = LogLevel::Debug),
    ];
    for (what, change) in reloadable {
        let changed = conf(&one_server("/state", change));
        assert_ne!(changed.digest, base.digest, "{what}");
        assert_eq!(changed.startup, base.startup, "{what}");
    }
    let fixed: [(&str, &Change); 4] = [
        ("name", &|spec| spec.name = "other".parse().unwrap()),
        ("JetStream off", &|spec| spec.jetstream = None),
        ("sync", &|spec| spec.jetstream.as_mut().unwrap().settings.sync = SyncPolicy::Every(TimeSpan::seconds(1))),
        ("lame duck", &|spec| spec.lame_duck = None),
    ];
    for (what, change) in fixed {
        assert_ne!(conf(&one_server("/state", change)).startup, base.startup, "{what}");
    }
    let mut cluster = servers(&three_sites(), "/state", &Text::from(PASSWORD)).remove(0);
    let before = conf(&cluster);
    cluster.cluster.as_mut().unwrap().password = Text::from("another");
    cluster.cluster.as_mut().unwrap().routes.pop();
    assert_eq!(conf(&cluster).startup, before.startup);
    cluster.gateway.as_mut().unwrap().remotes.pop();
    assert_ne!(conf(&cluster).startup, before.startup);
}
