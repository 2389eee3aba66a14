//! The ways by which a kubeconfig leads to an API server.

use std::fs;
use std::io::{BufRead, BufReader, Write, copy};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use harmony_testbed::Kubectl;
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use crate::fixture::{Program, yaml};
use crate::ground::Ground;

const OBJECT: &str = "{ apiVersion: v1, kind: ConfigMap, metadata: { name: way, namespace: default }, data: { by: NAME } }";

/// The kubeconfig of the testbed with another user, and with more said of the cluster.
fn kubeconfig(of: &Path, to: &Path, user: &Json, more: &[(&str, Json)]) {
    let mut config: Json = serde_json::from_str(&fs::read_to_string(of).unwrap()).unwrap();
    if !user.is_null() {
        config["users"][0]["user"] = user.clone();
    }
    for (key, value) in more {
        config["clusters"][0]["cluster"][*key] = value.clone();
    }
    fs::write(to, config.to_string()).unwrap();
}

/// A token of a service account that may do everything.
fn token(kubectl: &Kubectl) -> String {
    kubectl.run(&["create", "serviceaccount", "robot"]).unwrap();
    let binding = ["create", "clusterrolebinding", "robot", "--clusterrole=cluster-admin", "--serviceaccount=default:robot"];
    kubectl.run(&binding).unwrap();
    kubectl.run(&["create", "token", "robot"]).unwrap().trim().to_owned()
}

/// A program that prints a token as `client.authentication.k8s.io/v1` has it.
fn plugin(directory: &Path, token: &str) -> String {
    let credential = json!({
        "apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": { "token": token },
    });
    let path = directory.join("plugin");
    fs::write(&path, format!("#!/bin/sh\ncat <<'END'\n{credential}\nEND\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
    path.display().to_string()
}

/// A proxy on a loopback address that understands `CONNECT` (RFC 9110 section 9.3.6), and how often it was asked.
fn proxy() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (url, asked) = (format!("http://{}", listener.local_addr().unwrap()), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&asked);
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let counted = Arc::clone(&counted);
            thread::spawn(move || lead_on(&client, &counted));
        }
    });
    (url, asked)
}

fn lead_on(client: &TcpStream, counted: &AtomicUsize) -> Option<()> {
    let mut reader = BufReader::new(client.try_clone().ok()?);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let target = line.strip_prefix("CONNECT ")?.split(' ').next()?.to_owned();
    while line.trim() != "" {
        line.clear();
        reader.read_line(&mut line).ok()?;
    }
    counted.fetch_add(1, Ordering::SeqCst);
    let server = TcpStream::connect(target).ok()?;
    (&mut &*client).write_all(b"HTTP/1.1 200 OK\r\n\r\n").ok()?;
    let (mut from_server, mut to_client) = (server.try_clone().ok()?, client.try_clone().ok()?);
    thread::spawn(move || {
        let _ = copy(&mut from_server, &mut to_client);
        let _ = to_client.shutdown(Shutdown::Both);
    });
    let _ = copy(&mut reader, &mut &server);
    let _ = server.shutdown(Shutdown::Both);
    Some(())
}

#[tokio::test]
async fn a_cluster_is_reached_with_a_token_a_plugin_and_through_a_proxy() {
    let Some(ground) = Ground::find("a_cluster_is_reached_with_a_token_a_plugin_and_through_a_proxy", "ways") else { return };
    let (directory, mark) = (TempDir::new().unwrap(), ground.mark());
    let token = token(&ground.kubectl());
    let exec = json!({ "exec": {
        "apiVersion": "client.authentication.k8s.io/v1", "command": plugin(directory.path(), &token), "interactiveMode": "Never",
    } });
    let (url, asked) = proxy();
    let ways = [
        ("token", json!({ "token": token }), Vec::new()),
        ("plugin", exec, Vec::new()),
        ("proxy", Json::Null, vec![("proxy-url", json!(url))]),
    ];
    for (name, user, more) in ways {
        let file = directory.path().join(format!("kubeconfig-{name}"));
        kubeconfig(&ground.kubeconfig(), &file, &user, &more);
        let program = Program::new("default", &file).await;
        assert_eq!(program.applied(&yaml(&[&OBJECT.replace("way", &format!("by-{name}"))])).await, 1, "{name}");
        assert_eq!(program.destroyed(&[]).await, 1, "{name}");
    }
    assert!(asked.load(Ordering::SeqCst) > 0, "the last program went through the proxy");
    let robots = ground.plane.audit().since(mark).unwrap().of_user("system:serviceaccount:default:robot");
    assert_eq!(robots.mutating().of("patch", "configmaps").len(), 2, "the first two were the service account");
}
