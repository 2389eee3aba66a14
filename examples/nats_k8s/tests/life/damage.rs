//! Damage done by hand is shown exactly, and repaired exactly.

use std::collections::BTreeMap;

use data_encoding::BASE64;
use serde_json::{Value as Json, json};

use crate::world::{MESSAGING, SERVERS, World, asked, called, until};

const BUCKET: &str = "cluster/nats/bucket/APP/settings";

/// The address of an object of a server.
fn own(server: &str, rest: &str) -> String {
    format!("cluster/nats/{server}/{rest}")
}

pub(crate) async fn is_shown_and_repaired(world: &World) {
    an_edited_configuration(world);
    a_lost_certificate(world);
    a_deleted_credential(world);
    an_edited_bundle(world);
    deleted_services(world);
    an_edited_stateful_set(world);
    a_server_scaled_away(world).await;
    a_deleted_pod(world).await;
    a_user_added_by_hand(world).await;
    a_changed_bucket(world).await;
}

fn an_edited_configuration(world: &World) {
    edit(world, "nats-1", |config| config + "max_payload: 2MB\n");
    is_repaired(world, "an edited configuration", &[("update", own("nats-1", "messaging/secret/nats-1-server"))]);
}

fn a_lost_certificate(world: &World) {
    world.patch("secret", "nats-2-server", &json!({ "data": { "certificate.pem": null } }));
    is_repaired(world, "a lost certificate", &[("update", own("nats-2", "messaging/secret/nats-2-server"))]);
}

fn a_deleted_credential(world: &World) {
    let before = world.get("shop", "secret", "nats-app-app")["data"].take();
    world.kubectl.run(&["-n", "shop", "delete", "secret", "nats-app-app"]).unwrap();
    is_repaired(world, "a deleted credential", &[("create", "cluster/nats/credentials/shop/secret/nats-app-app".to_owned())]);
    assert_eq!(world.get("shop", "secret", "nats-app-app")["data"], before);
}

fn an_edited_bundle(world: &World) {
    world.patch("configmap", "nats-authorities", &json!({ "data": { "ca.crt": "trust nobody" } }));
    is_repaired(world, "an edited bundle", &[("update", "cluster/messaging/configmap/nats-authorities".to_owned())]);
}

fn deleted_services(world: &World) {
    world.kubectl.run(&["-n", MESSAGING, "delete", "service", "nats", "nats-3"]).unwrap();
    let expected =
        [("create", "cluster/messaging/service/nats".to_owned()), ("create", own("nats-3", "messaging/service/nats-3"))];
    is_repaired(world, "deleted services", &expected);
}

/// Its pod goes on as it is: nobody replaces it but Harmony.
fn an_edited_stateful_set(world: &World) {
    let before = pod(world, "nats-2");
    world.patch("statefulset", "nats-2", &json!({ "spec": { "template": { "spec": { "terminationGracePeriodSeconds": 5 } } } }));
    is_repaired(world, "an edited StatefulSet", &[("update", own("nats-2", "messaging/statefulset.apps/nats-2"))]);
    assert_eq!(pod(world, "nats-2"), before, "it was not restarted");
}

async fn a_server_scaled_away(world: &World) {
    world.kubectl.run(&["-n", MESSAGING, "scale", "statefulset", "nats-1", "--replicas=0"]).unwrap();
    until("the pod to be gone", async || find_pod(world, "nats-1").is_none()).await;
    let expected = [("update", own("nats-1", "messaging/statefulset.apps/nats-1")), ("create", own("nats-1", "pod"))];
    // The pod is there, and as it should be, when its set is: nothing is left to be done to it.
    is_repaired_by(world, "a server that was scaled away", &expected, &expected[..1]);
}

/// Kubernetes makes it again; the program waits for it.
async fn a_deleted_pod(world: &World) {
    let before = pod(world, "nats-3");
    world.kubectl.run(&["-n", MESSAGING, "delete", "pod", "nats-3-0"]).unwrap();
    let summary = world.program.expect(&["apply", "--yes", "--json"], 0).summary();
    let made = ["create", "update"].iter().filter_map(|action| summary[*action].as_u64()).sum::<u64>();
    assert!(made <= 2 && summary["replace"] == 0 && summary["delete"] == 0, "only the pod and its set: {summary}");
    assert_ne!(pod(world, "nats-3"), before);
    world.program.expect(&["drift"], 0);
}

async fn a_user_added_by_hand(world: &World) {
    let operator = world.own_user("sys", "harmony-operator", "nats-1").await;
    let before = asked(&operator, "nats-2", "VARZ").await["data"]["start"].clone();
    let right = asked(&operator, "nats-2", "VARZ").await["data"]["config_digest"].clone();
    edit(world, "nats-2", |config| config.replacen("users: [\n", "users: [\n{ user: stranger, password: \"let-me-in\" }\n", 1));
    // So that the kubelet looks after the pod at once.
    world.kubectl.run(&["-n", MESSAGING, "annotate", "pod", "nats-2-0", "by-hand=yes", "--overwrite"]).unwrap();
    until("the server to take the stranger", async || {
        asked(&operator, "nats-2", "RELOAD").await;
        asked(&operator, "nats-2", "VARZ").await["data"]["config_digest"] != right
    })
    .await;
    let expected = [("update", own("nats-2", "messaging/secret/nats-2-server")), ("update", own("nats-2", "pod"))];
    is_repaired(world, "a user added by hand", &expected);
    assert_eq!(
        asked(&operator, "nats-2", "VARZ").await["data"]["start"],
        before,
        "what a server can read again needs no restart"
    );
}

async fn a_changed_bucket(world: &World) {
    let provisioner = world.own_user("app", "harmony-provisioner", "nats-1").await;
    let config = called(&provisioner, "STREAM.INFO.KV_settings", &Json::Null).await["config"].take();
    let mut other = config.clone();
    (other["deny_delete"], other["description"]) = (json!(true), json!("by hand"));
    called(&provisioner, "STREAM.UPDATE.KV_settings", &other).await;
    is_repaired(world, "a changed bucket", &[("update", BUCKET.to_owned())]);
    assert_eq!(called(&provisioner, "STREAM.INFO.KV_settings", &Json::Null).await["config"].take(), config);
}

/// `drift` and `plan` show these changes and no others, `apply` makes as many, and then nothing is left to do.
fn is_repaired(world: &World, damage: &str, expected: &[(&str, String)]) {
    is_repaired_by(world, damage, expected, expected);
}

/// The same where less is left to be done than was shown.
fn is_repaired_by(world: &World, damage: &str, expected: &[(&str, String)], repaired: &[(&str, String)]) {
    let as_map: BTreeMap<String, String> =
        expected.iter().map(|(action, address)| (address.clone(), (*action).to_owned())).collect();
    assert_eq!(world.changes("drift", 3), as_map, "{damage}, in `drift`");
    assert_eq!(world.changes("plan", 0), as_map, "{damage}, in `plan`");
    let summary = world.program.expect(&["apply", "--yes", "--json"], 0).summary();
    let count = |action: &str| json!(repaired.iter().filter(|(change, _)| *change == action).count());
    let done = ["create", "update", "replace", "delete"].map(|action| summary[action].clone());
    assert_eq!(done, [count("create"), count("update"), json!(0), json!(0)], "{damage}, in `apply`: {summary}");
    world.program.expect(&["drift"], 0);
}

fn edit(world: &World, server: &str, change: impl FnOnce(String) -> String) {
    let name = format!("{server}-server");
    let data = world.get(MESSAGING, "secret", &name)["data"]["nats.conf"].take();
    let config = String::from_utf8(BASE64.decode(data.as_str().unwrap().as_bytes()).unwrap()).unwrap();
    world.patch("secret", &name, &json!({ "data": { "nats.conf": BASE64.encode(change(config).as_bytes()) } }));
}

fn find_pod(world: &World, server: &str) -> Option<String> {
    assert!(SERVERS.contains(&server));
    world.kubectl.run(&["-n", MESSAGING, "get", "pod", &format!("{server}-0"), "-o", "jsonpath={.metadata.uid}"]).ok()
}

fn pod(world: &World, server: &str) -> String {
    find_pod(world, server).unwrap()
}
