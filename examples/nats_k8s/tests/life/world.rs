//! The program beside its cluster, and its servers reached as it reaches them itself: through the API server.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use async_nats::{Client, ConnectOptions};
use data_encoding::BASE64;
use futures::StreamExt;
use harmony::modules::nats::client::{Lead, WayToServers};
use harmony::run::Run;
use harmony::topology::{Site, Survey};
use harmony_io::Io;
use harmony_k8s::K8sAnywhereTopology;
use harmony_local::nats_server::{Search, install};
use harmony_secret::{MemoryStore, SecretManager};
use harmony_test::{Finished, SiteProgram};
use harmony_testbed::{AuditTrail, Census, Cluster, Image, Kubectl, Mark, available};
use serde_json::Value as Json;

/// As the program's namespace is called.
pub(crate) const MESSAGING: &str = "messaging";
pub(crate) const SERVERS: [&str; 3] = ["nats-1", "nats-2", "nats-3"];
/// How long anything here may take; one thing takes a few seconds at most on an idle machine.
const PATIENCE: Duration = Duration::from_secs(90);

pub(crate) struct World {
    pub(crate) cluster: Cluster,
    pub(crate) kubectl: Kubectl,
    pub(crate) program: SiteProgram,
    /// Whom the audit log calls those who come with the program's kubeconfig.
    administrator: &'static str,
    way: Box<dyn WayToServers>,
}

impl World {
    /// A cluster that knows the image of a server, and the program for it; nothing if this machine cannot have it.
    pub(crate) async fn new(test: &str) -> Option<Self> {
        let mut cluster = available(test, Cluster::start("messages"))?;
        let server = install(&Io::real(), &Search::from_environment(), &|_| ()).await.unwrap();
        // As a node calls what a program calls `nats:2.15.1`.
        let name = format!("docker.io/library/{}", harmony_k8s::nats::NATS_IMAGE);
        cluster.load_image(&Image::new(&name, &["/nats-server"]).with_program("/nats-server", &server.path)).unwrap();
        let (kubeconfig, context) = (cluster.kubeconfig(), cluster.context().to_owned());
        let program = SiteProgram::new(env!("CARGO_BIN_EXE_nats_k8s"))
            .with_variable("KUBECONFIG", &kubeconfig)
            .with_variable("NATS_K8S_CONTEXT", &context);
        let site = Site::new(
            program.config().join("outside"),
            SecretManager::new(vec![std::sync::Arc::new(MemoryStore::new())]),
            Io::real(),
        );
        let topology = K8sAnywhereTopology::from_kubeconfig("outside", kubeconfig, &context);
        let facts = topology.survey(&site).await.unwrap();
        let way = Box::new(topology.with_facts(&site, facts).unwrap().tunnels());
        let administrator = cluster.control_plane().unwrap().administrator();
        Some(Self { kubectl: cluster.kubectl(), cluster, program, administrator, way })
    }

    /// What the program asked since `mark`.
    pub(crate) fn asked(&self, mark: Mark) -> AuditTrail {
        self.cluster.audit().unwrap().since(mark).unwrap().of_user(self.administrator)
    }

    pub(crate) fn mark(&self) -> Mark {
        self.cluster.audit().unwrap().mark().unwrap()
    }

    /// The events of `--json` that say what differs, of things: that proofs are due again follows from it.
    pub(crate) fn changes(&self, command: &str, code: i32) -> BTreeMap<String, String> {
        changes_in(&self.program.expect(&[command, "--json"], code))
    }

    pub(crate) fn get(&self, namespace: &str, kind: &str, name: &str) -> Json {
        serde_json::from_str(&self.kubectl.run(&["-n", namespace, "get", kind, name, "-o", "json"]).unwrap()).unwrap()
    }

    pub(crate) fn patch(&self, kind: &str, name: &str, patch: &Json) {
        self.kubectl.run(&["-n", MESSAGING, "patch", kind, name, "--type", "merge", "--patch", &patch.to_string()]).unwrap();
    }

    pub(crate) fn census(&self) -> Census {
        Census::of(self.cluster.objects().unwrap())
    }

    /// Where this machine reaches a server.
    pub(crate) async fn address(&self, server: &str) -> SocketAddr {
        let run = Run::alone(Io::real(), PATIENCE);
        match self.way.lead_to(&run, &format!("{server}-0.{server}.{MESSAGING}.svc"), 4222).await.unwrap() {
            Lead::To(address) => address,
            other => panic!("{server}: {other:?}"),
        }
    }

    /// An application with nothing but the Secret of its namespace.
    pub(crate) async fn application(&self, namespace: &str, server: &str) -> Client {
        let data = &self.get(namespace, "secret", "nats-app-app")["data"];
        let entry = |name: &str| String::from_utf8(BASE64.decode(data[name].as_str().unwrap().as_bytes()).unwrap()).unwrap();
        self.connect(server, entry("nkey"), &entry("inbox-prefix")).await
    }

    /// One of Harmony's own users.
    pub(crate) async fn own_user(&self, account: &str, user: &str, server: &str) -> Client {
        let secret = format!("nats/nats/account/{account}/user/{user}/nkey");
        let seed = self.program.expect(&["secrets", "get", &secret, "--reveal"], 0).stdout.trim().to_owned();
        self.connect(server, seed, &format!("_INBOX_{user}")).await
    }

    async fn connect(&self, server: &str, seed: String, inbox: &str) -> Client {
        let trust = self.program.config().join("ca.crt");
        let data = &self.get("shop", "secret", "nats-app-app")["data"];
        std::fs::create_dir_all(self.program.config()).unwrap();
        std::fs::write(&trust, BASE64.decode(data["ca.crt"].as_str().unwrap().as_bytes()).unwrap()).unwrap();
        let options = ConnectOptions::with_nkey(seed).custom_inbox_prefix(inbox).require_tls(true);
        let options = options.add_root_certificates(trust).connection_timeout(PATIENCE).ignore_discovered_servers();
        options.connect(format!("tls://{}", self.address(server).await)).await.unwrap_or_else(|error| panic!("{server}: {error}"))
    }
}

/// What a run shows that would be done, by address.
pub(crate) fn changes_in(finished: &Finished) -> BTreeMap<String, String> {
    let text = |value: &Json| value.as_str().unwrap().to_owned();
    let planned = finished.events().into_iter().filter(|event| event["event"] == "planned_change" && event["action"] != "prove");
    planned.map(|event| (text(&event["address"]), text(&event["action"]))).collect()
}

/// What JetStream answers to a call, which must not be refused.
pub(crate) async fn called(client: &Client, call: &str, body: &Json) -> Json {
    let body = if body.is_null() { Vec::new() } else { serde_json::to_vec(body).unwrap() };
    let answer = client.request(format!("$JS.API.{call}"), body.into()).await.unwrap_or_else(|error| panic!("{call}: {error}"));
    let answer: Json = serde_json::from_slice(&answer.payload).unwrap();
    assert!(answer["error"].is_null(), "{call}: {answer}");
    answer
}

/// What the one server of this name answers its operator, who is connected to any.
pub(crate) async fn asked(operator: &Client, server: &str, what: &str) -> Json {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        let inbox = operator.new_inbox();
        let mut answers = operator.subscribe(inbox.clone()).await.unwrap();
        operator.publish_with_reply("$SYS.REQ.SERVER.PING.VARZ", inbox, "".into()).await.unwrap();
        while let Ok(Some(answer)) = tokio::time::timeout(Duration::from_secs(2), answers.next()).await {
            let answer: Json = serde_json::from_slice(&answer.payload).unwrap();
            if answer["server"]["name"] == server {
                let id = answer["server"]["id"].as_str().unwrap();
                let said = operator.request(format!("$SYS.REQ.SERVER.{id}.{what}"), "".into()).await.unwrap();
                return serde_json::from_slice(&said.payload).unwrap();
            }
        }
    }
    panic!("{server} does not answer")
}

/// Waits until it holds.
pub(crate) async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !holds().await {
        assert!(begun.elapsed() < PATIENCE, "{what}: not after {PATIENCE:?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
