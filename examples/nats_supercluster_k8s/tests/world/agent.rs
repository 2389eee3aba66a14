//! The agent outside of the clusters, with the Secrets that were handed out for it and nothing else.

#![allow(dead_code, reason = "every test uses a part of it")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on ends")]

use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use async_nats::{Client, ConnectOptions};
use data_encoding::BASE64;
use harmony_testbed::Kubectl;
use serde_json::Value as Json;

use crate::clusters::NAMESPACE;

/// What a Secret for a client holds.
pub(crate) struct Handed {
    /// The servers, those of the Secret's own site first.
    pub(crate) urls: Vec<String>,
    trust: String,
    seed: String,
    prefix: String,
}

impl Handed {
    /// Of the agent, in this cluster.
    pub(crate) fn in_cluster(kubectl: &Kubectl) -> Self {
        let secret = kubectl.run(&["-n", NAMESPACE, "get", "secret", "nats-harmony-agent", "-o", "json"]).unwrap();
        let secret: Json = serde_json::from_str(&secret).unwrap();
        let text = |key: &str| {
            let bytes = secret["data"][key].as_str().unwrap_or_else(|| panic!("no {key}"));
            String::from_utf8(BASE64.decode(bytes.as_bytes()).unwrap()).unwrap()
        };
        let urls = text("url").split(',').map(str::to_owned).collect();
        Self { urls, trust: text("ca.crt"), seed: text("nkey"), prefix: text("inbox-prefix") }
    }

    /// The servers that are dialled at this address.
    pub(crate) fn at(&self, address: IpAddr) -> Vec<String> {
        self.urls.iter().filter(|url| url.starts_with(&format!("tls://{address}:"))).cloned().collect()
    }

    /// A client that knows these servers and no others.
    pub(crate) async fn connect(&self, directory: &Path, servers: &[String]) -> Client {
        let trust = directory.join("trust.pem");
        std::fs::write(&trust, &self.trust).unwrap();
        let options = ConnectOptions::with_nkey(self.seed.clone()).custom_inbox_prefix(self.prefix.clone());
        let options = options.require_tls(true).add_root_certificates(trust).connection_timeout(Duration::from_secs(10));
        let connected = options.ignore_discovered_servers().connect(servers.to_vec()).await;
        connected.unwrap_or_else(|error| panic!("{servers:?}: {error:?}"))
    }
}
