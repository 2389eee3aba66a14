//! A new certificate is presented without a restart.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;

use harmony::modules::nats::score::JetstreamScore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore};

use crate::fixture::{Machine, Server, account, changes, one};

/// The certificate that a server shows to a client who trusts its authority.
pub(crate) fn presented(server: &Server, host: &str) -> CertificateDer<'static> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(server.file("trust.pem")).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = Arc::new(config.with_root_certificates(roots).with_no_client_auth());
    let name = ServerName::try_from(host.to_owned()).unwrap();
    let mut tls = ClientConnection::new(config, name).unwrap();
    let mut stream = BufReader::new(TcpStream::connect((host, server.port())).unwrap());
    let mut line = String::new();
    stream.read_line(&mut line).unwrap();
    assert!(line.starts_with("INFO"), "{line}");
    tls.complete_io(stream.get_mut()).unwrap();
    stream.get_mut().flush().unwrap();
    tls.peer_certificates().unwrap()[0].clone().into_owned()
}

fn in_file(path: &Path) -> CertificateDer<'static> {
    CertificateDer::from_pem_file(path).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_made_anew_is_presented_after_a_reload() {
    let Some((machine, server)) = Machine::with_one_server("certificate::anew").await else { return };
    let scores = one(JetstreamScore::on("nats"), account());
    let (process, before, old) = (server.process(), server.state().await, presented(&server, "127.0.0.1"));
    assert_eq!(old, in_file(&server.file("certificate.pem")));

    machine.site.secrets.remove(&"nats/nats/server/nats-1/certificate".parse().unwrap()).await.unwrap();
    let plan = machine.plan(machine.topology(), &scores).await;
    let shown = changes(&plan);
    assert!(shown.contains(&"create laptop/nats/nats-1/certificate".to_owned()), "{shown:#?}");
    let outcome = machine.apply(machine.topology(), &scores).await;
    assert_eq!(outcome.writes, 4, "the certificate, two files, the process: {shown:#?}");

    let new = presented(&server, "127.0.0.1");
    assert_ne!(new, old);
    assert_eq!(new, in_file(&server.file("certificate.pem")));
    let after = server.state().await;
    assert_eq!((server.process(), &after.started), (process, &before.started), "it was not restarted");
    assert_ne!(after.configured, before.configured);
    assert_eq!(after.config_digest, before.config_digest, "the configuration names the same file");
    assert!(!machine.plan(machine.topology(), &scores).await.is_pending());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_file_that_is_gone_is_written_again_as_it_was() {
    let Some((machine, server)) = Machine::with_one_server("certificate::file").await else { return };
    let scores = one(JetstreamScore::on("nats"), account());
    let (process, old) = (server.process(), presented(&server, "127.0.0.1"));
    fs::remove_file(server.file("certificate.pem")).unwrap();
    let plan = machine.plan(machine.topology(), &scores).await;
    assert_eq!(changes(&plan), ["create laptop/nats/nats-1/certificate.pem"]);
    machine.apply(machine.topology(), &scores).await;
    assert_eq!((server.process(), presented(&server, "127.0.0.1")), (process, old));
}
