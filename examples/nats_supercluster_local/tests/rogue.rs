//! Who has a cluster's password, but no certificate of its authorities, joins neither its routes nor its gateways.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends")]

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use harmony_test::SiteProgram;
use serde_json::Value as Json;

/// How long a server that may join takes at most, and how long one that may not is given: it tries every second.
const PATIENCE: Duration = Duration::from_secs(6);
/// The server whose cluster is to be joined.
const VICTIM: &str = "nats-east-1";

/// What a server proves itself with to others.
#[derive(Debug, Clone, Copy)]
enum Certificate {
    /// One of the authorities that the system trusts.
    Proper,
    /// One of an authority that it has made itself.
    OfItsOwn,
    /// None: it speaks no TLS.
    None,
}

/// What is to be joined.
#[derive(Debug, Clone, Copy)]
enum Joining {
    Routes,
    Gateways,
}

/// A server that is none of the system's.
struct Rogue {
    process: Child,
    monitoring: u16,
}

impl Drop for Rogue {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Rogue {
    fn start(program: &SiteProgram, joining: Joining, certificate: Certificate, directory: &Path) -> Self {
        let victim = directory_of(program);
        let tls = tls(&victim, certificate, directory);
        let [listen, monitoring] = [(); 2].map(|()| free_port());
        let joining = match joining {
            Joining::Routes => routes(&victim, listen, &tls),
            Joining::Gateways => gateways(&victim, listen, &tls),
        };
        let conf = format!("server_name: rogue\nlisten: \"127.0.0.1:-1\"\nhttp: \"127.0.0.1:{monitoring}\"\n{joining}");
        fs::write(directory.join("rogue.conf"), conf).unwrap();
        let server = program.server(VICTIM).unwrap();
        let server = fs::read_link(format!("/proc/{server}/exe")).unwrap();
        let mut command = Command::new(server);
        command.arg("-c").arg(directory.join("rogue.conf")).arg("-l").arg(directory.join("log"));
        let process = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        Self { process, monitoring }
    }

    /// Whether it has joined, by its own account.
    fn has_joined(&self, joining: Joining) -> bool {
        match joining {
            Joining::Routes => self.ask("/routez")["num_routes"].as_u64().unwrap() > 0,
            Joining::Gateways => self.ask("/gatewayz")["outbound_gateways"]["nats-east"].is_object(),
        }
    }

    fn ask(&self, path: &str) -> Json {
        let until = Instant::now() + PATIENCE;
        let mut stream = loop {
            match TcpStream::connect(("127.0.0.1", self.monitoring)) {
                Ok(stream) => break stream,
                Err(error) => assert!(Instant::now() < until, "{error}"),
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        write!(stream, "GET {path} HTTP/1.0\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
    }
}

/// Routes into the victim's cluster, with the password of that cluster.
fn routes(victim: &Path, listen: u16, tls: &str) -> String {
    let secret = fs::read_to_string(victim.join("routes.conf")).unwrap();
    let authorization = &secret[secret.find("authorization").unwrap()..secret.find("routes:").unwrap()];
    let password = authorization.lines().find_map(|line| line.trim().strip_prefix("password: ")).unwrap().trim_matches('"');
    let to = port(victim, "cluster");
    format!(
        "cluster {{ name: nats-east\nlisten: \"127.0.0.1:{listen}\"\npool_size: -1\nno_advertise: true\n{tls}\n{authorization}\n\
         routes: [\"nats-route://route:{password}@127.0.0.1:{to}\"] }}\n"
    )
}

/// A gateway of another cluster that the victim knows.
fn gateways(victim: &Path, listen: u16, tls: &str) -> String {
    let to = port(victim, "gateway");
    format!(
        "gateway {{ name: nats-west\nlisten: \"127.0.0.1:{listen}\"\n{tls}\n\
         gateways: [{{ name: nats-east, urls: [\"nats://127.0.0.1:{to}\"] }}] }}\n"
    )
}

fn tls(victim: &Path, certificate: Certificate, directory: &Path) -> String {
    let files = match certificate {
        Certificate::None => return String::new(),
        Certificate::Proper => victim,
        Certificate::OfItsOwn => {
            // It trusts the system, so that it is the system that refuses.
            fs::copy(victim.join("trust.pem"), directory.join("trust.pem")).unwrap();
            let own = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
            fs::write(directory.join("certificate.pem"), own.cert.pem()).unwrap();
            fs::write(directory.join("key.pem"), own.signing_key.serialize_pem()).unwrap();
            directory
        }
    };
    let file = |name: &str| files.join(name).display().to_string();
    let (certificate, key, trust) = (file("certificate.pem"), file("key.pem"), file("trust.pem"));
    format!("tls {{ cert_file: \"{certificate}\", key_file: \"{key}\", ca_file: \"{trust}\", verify: true }}")
}

/// The port of the victim's listener of that kind.
fn port(victim: &Path, listener: &str) -> u16 {
    let conf = fs::read_to_string(victim.join("nats.conf")).unwrap();
    let block = &conf[conf.find(&format!("\n{listener} {{")).unwrap()..];
    block.lines().find_map(|line| line.trim().strip_prefix("port: ")).unwrap().parse().unwrap()
}

fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

fn directory_of(program: &SiteProgram) -> PathBuf {
    program.state().join("laptop/nats").join(VICTIM)
}

/// Whether a rogue joins, and what the victim's log says meanwhile.
fn attempt(program: &SiteProgram, joining: Joining, certificate: Certificate) -> (bool, String) {
    let log = directory_of(program).join("nats-server.log");
    let before = fs::read(&log).unwrap().len();
    let directory = tempfile::tempdir().unwrap();
    let rogue = Rogue::start(program, joining, certificate, directory.path());
    let until = Instant::now() + PATIENCE;
    let mut joined = rogue.has_joined(joining);
    while !joined && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(100));
        joined = rogue.has_joined(joining);
    }
    drop(rogue);
    let said = String::from_utf8(fs::read(&log).unwrap().split_off(before)).unwrap();
    (joined, said)
}

#[test]
fn only_a_server_with_a_certificate_of_the_systems_authorities_joins_it() {
    let begun = Instant::now();
    let program = SiteProgram::new(env!("CARGO_BIN_EXE_nats_supercluster_local"));
    program.expect(&["apply", "--yes"], 0);
    for (joining, kind) in [(Joining::Routes, "route"), (Joining::Gateways, "gateway")] {
        for certificate in [Certificate::OfItsOwn, Certificate::None] {
            let (joined, said) = attempt(&program, joining, certificate);
            assert!(!joined, "{joining:?} {certificate:?}: {said}");
            assert!(said.contains(&format!("TLS {kind} handshake error")), "{joining:?} {certificate:?}: {said}");
        }
    }
    program.expect(&["verify"], 0);
    // What keeps it out is the certificate alone.
    for joining in [Joining::Routes, Joining::Gateways] {
        let (joined, said) = attempt(&program, joining, Certificate::Proper);
        assert!(joined, "{joining:?}: {said}");
    }
    println!("4 rogues refused, 2 controls joined: {:.1?}", begun.elapsed());
}
