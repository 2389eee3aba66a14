//! What a server is told in a cluster, against what it is told on this machine.

use std::collections::BTreeMap;

use harmony::arrangement::Arrangement;
use harmony::topology::Survey;
use harmony::value::{self, Reference};
use harmony_k8s::Distribution;
use harmony_k8s::nats::NATS_IMAGE;
use harmony_local::{LocalFacts, LocalTopology, Program};
use serde_json::{Value as Json, json};

use crate::fixture::{arranged, offline, site, system};

/// What anything gives that is known later, alike wherever it stands.
fn given(reference: &Reference) -> Option<Json> {
    let address = reference.of.as_str();
    let port = [("client-port", 4222), ("cluster-port", 6222)].into_iter().find(|(name, _)| address.ends_with(name));
    let below_place = address.split_once('/').map_or(address, |(_, rest)| rest);
    Some(port.map_or_else(|| json!(format!("{below_place}#{}", reference.output)), |(_, number)| json!(number)))
}

/// A configuration as one value for each path: `cluster/tls/verify`.
fn by_path(text: &str) -> BTreeMap<String, String> {
    let mut path: Vec<String> = Vec::new();
    let mut found = BTreeMap::new();
    let mut elements = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(key) = line.strip_suffix('{').or_else(|| line.strip_suffix('[')) {
            // An element without a key is known by its number among its like.
            let key = key.trim().trim_end_matches(':').to_owned();
            elements.push(0);
            let number = elements.iter().rev().nth(1).copied().unwrap_or_default();
            path.push(if key.is_empty() { number.to_string() } else { key });
        } else if line == "}" || line == "]" {
            path.pop();
            elements.pop();
            elements.last_mut().into_iter().for_each(|count| *count += 1);
        } else {
            let (key, value) = line.split_once(": ").map_or_else(|| ("", line), |(key, value)| (key, value));
            let count = elements.last_mut();
            let key = match (key, count) {
                ("", Some(count)) => {
                    *count += 1;
                    (*count - 1).to_string()
                }
                _ => key.to_owned(),
            };
            let whole = path.iter().chain([&key]).map(String::as_str).collect::<Vec<_>>().join("/");
            assert!(found.insert(whole.clone(), value.to_owned()).is_none(), "{whole} twice");
        }
    }
    found
}

/// Both files of a server.
fn configuration(arrangement: &Arrangement, find: impl Fn(&Json, &str) -> Option<String>) -> BTreeMap<String, String> {
    let resolved: Vec<Json> = arrangement
        .nodes
        .values()
        .filter_map(|node| node.resource())
        .map(|resource| value::plain(&value::resolve(&resource.spec, &given).json))
        .collect();
    let file = |name: &str| resolved.iter().find_map(|spec| find(spec, name)).unwrap();
    let mut all = by_path(&file("nats.conf"));
    all.extend(by_path(&file("routes.conf")).into_iter().map(|(path, value)| (format!("cluster/{path}"), value)));
    all
}

fn in_cluster() -> BTreeMap<String, String> {
    let (place, _directory) = offline(Distribution::Vanilla);
    configuration(&arranged(&place, &system(3)), |spec, name| {
        let is_its = spec["identity"]["kind"] == "Secret" && spec["identity"]["name"] == "nats-1-server";
        let bytes = spec.pointer(&format!("/fields/data/{name}")).filter(|_| is_its)?.as_str()?;
        Some(String::from_utf8(data_encoding::BASE64.decode(bytes.as_bytes()).unwrap()).unwrap())
    })
}

fn on_this_machine() -> BTreeMap<String, String> {
    let (site, _directory) = site();
    let topology = LocalTopology::new("laptop").with_nats(harmony_nats::client());
    let version = harmony_local::nats_server::pinned_version().clone();
    let place = topology.with_facts(&site, LocalFacts { nats_server: Some(Program::Pinned { version }) }).unwrap();
    configuration(&arranged(&place, &system(3)), |spec, name| {
        let is_its = spec["path"].as_str()?.ends_with(&format!("/nats-1/{name}"));
        Some(spec["content"].as_str().filter(|_| is_its)?.to_owned())
    })
}

#[test]
fn a_server_in_a_cluster_is_told_the_same_as_one_on_this_machine_but_where_it_stands() {
    let (there, here) = (in_cluster(), on_this_machine());
    assert!(here.len() > 60 && here.contains_key("accounts/APP/users/0/permissions/publish/allow/0"), "{here:#?}");
    let keys = |of: &BTreeMap<String, String>| of.keys().cloned().collect::<Vec<_>>();
    let only_here: Vec<_> = keys(&here).into_iter().filter(|key| !there.contains_key(key)).collect();
    assert_eq!(only_here, ["log_file"], "a container's standard error is collected");
    assert_eq!(keys(&there).into_iter().filter(|key| !here.contains_key(key)).collect::<Vec<_>>(), Vec::<String>::new());
    let differing: BTreeMap<_, _> = there.into_iter().filter(|(key, value)| here[key] != *value).collect();
    let own = "nats-1-0.nats-1.messaging.svc";
    let mut expected = BTreeMap::from(
        [
            ("host", "0.0.0.0".to_owned()),
            ("client_advertise", format!("{own}:4222")),
            ("cluster/host", "0.0.0.0".to_owned()),
            ("cluster/advertise", format!("{own}:6222")),
            ("jetstream/store_dir", "/data".to_owned()),
        ]
        .map(|(key, value)| (key.to_owned(), format!("\"{value}\""))),
    );
    for block in ["tls", "cluster/tls"] {
        for (key, file) in [("cert_file", "certificate.pem"), ("key_file", "key.pem"), ("ca_file", "trust.pem")] {
            expected.insert(format!("{block}/{key}"), format!("\"/etc/nats/{file}\""));
        }
    }
    for (number, other) in ["nats-2", "nats-3"].into_iter().enumerate() {
        let key = format!("cluster/routes/{number}");
        assert!(differing[&key].ends_with(&format!("@{other}-0.{other}.messaging.svc:6222\"")), "{}", differing[&key]);
        expected.insert(key.clone(), differing[&key].clone());
    }
    assert_eq!(differing, expected);
}

#[test]
fn the_image_is_of_the_version_that_is_pinned_for_this_machine() {
    assert_eq!(NATS_IMAGE, format!("nats:{}", harmony_local::nats_server::pinned_version()));
}
