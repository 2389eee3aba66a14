//! The nine servers, as the program started them, and the ways to talk to them.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use async_nats::{Client, ConnectOptions};
use harmony_test::{Finished, SiteProgram};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

/// The sites.
pub(crate) const SITES: [&str; 3] = ["east", "north", "west"];
const OPERATOR: &str = "nats/nats/account/sys/user/harmony-operator/nkey";

/// The program in its world.
pub(crate) struct Place {
    program: SiteProgram,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { program: SiteProgram::new(env!("CARGO_BIN_EXE_nats_supercluster_local")) }
    }

    /// Runs the program to its end, without keeping clients from working meanwhile.
    pub(crate) fn run(&self, arguments: &[&str], code: i32) -> Finished {
        tokio::task::block_in_place(|| self.program.expect(arguments, code))
    }

    /// Ends all servers of a site at once, as a power failure does.
    pub(crate) fn kill(&self, site: &str) {
        let numbers = servers(site).map(|server| self.program.server(&server).expect("a running server").to_string());
        let killed = Command::new("kill").arg("-KILL").args(numbers).status().expect("`kill`");
        assert!(killed.success());
    }

    /// A client with the agent's credential, which knows these servers and no others.
    pub(crate) async fn agent(&self, servers: &[String]) -> Client {
        self.connect("agent", &read(self.credentials("HARMONY-agent.nk")), servers).await
    }

    /// A client of the system account.
    pub(crate) async fn operator(&self, servers: &[String]) -> Client {
        let seed = self.run(&["secrets", "get", OPERATOR, "--reveal"], 0).stdout;
        self.connect("harmony-operator", &seed, servers).await
    }

    async fn connect(&self, user: &str, seed: &str, servers: &[String]) -> Client {
        let urls: Vec<String> = servers.iter().map(|server| self.url(server)).collect();
        let options = ConnectOptions::new()
            .nkey(seed.trim().to_owned())
            .custom_inbox_prefix(format!("_INBOX_{user}"))
            .require_tls(true)
            .tls_client_config(self.trust())
            .connection_timeout(Duration::from_secs(2))
            .ignore_discovered_servers();
        options.connect(urls).await.unwrap_or_else(|error| panic!("failed to connect as {user} to {servers:?}: {error:?}"))
    }

    /// Only what the program hands out is trusted.
    fn trust(&self) -> rustls::ClientConfig {
        let mut roots = rustls::RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(read(self.credentials("trust.pem")).as_bytes()) {
            roots.add(certificate.expect("a certificate")).expect("an authority");
        }
        let ring = Arc::new(rustls::crypto::ring::default_provider());
        let builder = rustls::ClientConfig::builder_with_provider(ring).with_safe_default_protocol_versions();
        builder.expect("TLS").with_root_certificates(roots).with_no_client_auth()
    }

    fn credentials(&self, file: &str) -> PathBuf {
        self.program.state().join("laptop/credentials/nats").join(file)
    }

    fn config(&self, server: &str) -> String {
        read(self.program.state().join("laptop/nats").join(server).join("nats.conf"))
    }

    fn url(&self, server: &str) -> String {
        let config = self.config(server);
        let address = config.lines().find_map(|line| line.strip_prefix("client_advertise: ")).expect("an address for clients");
        format!("tls://{}", address.trim_matches('"'))
    }
}

/// The two servers that clients of a site know.
pub(crate) fn ordinary(site: &str) -> Vec<String> {
    vec![format!("nats-{site}-1"), format!("nats-{site}-2")]
}

/// The server of a site that holds the bucket's copy.
pub(crate) fn hub(site: &str) -> String {
    format!("nats-{site}-hub")
}

/// All three servers of a site.
pub(crate) fn servers(site: &str) -> impl Iterator<Item = String> + use<> {
    ordinary(site).into_iter().chain([hub(site)])
}

/// The site of a server.
pub(crate) fn site_of(server: &str) -> &'static str {
    let is_of = |site: &&str| server.starts_with(&format!("nats-{site}-"));
    SITES.into_iter().find(is_of).unwrap_or_else(|| panic!("`{server}` is on no site"))
}

fn read(path: PathBuf) -> String {
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("failed to read {}: {error}", path.display()))
}
