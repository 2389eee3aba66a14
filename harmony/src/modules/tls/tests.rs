use std::time::Duration;

use harmony_io::Io;
use harmony_secret::{MemoryStore, SecretManager, SecretValue};
use std::sync::Arc;

use super::x509;
use super::{Authority, Certificate, StoredPki};
use crate::engine::difference::differences;
use crate::provider::{Known, Live, Observation, Provider};
use crate::run::Run;
use crate::value::{Text, Value};

fn run() -> Run {
    Run::alone(Io::real(), Duration::from_secs(5))
}

fn authority(name: &str) -> Authority {
    Authority { name: name.parse().unwrap(), subject: "nats site east".parse().unwrap() }
}

fn certificate(issuer: &str, key: &str) -> Certificate {
    Certificate {
        name: "leaf".parse().unwrap(),
        subject: "nats-east-1".parse().unwrap(),
        names: ["nats.example.org", "127.0.0.1", "nats.example.org"].map(|name| Value::Known(name.parse().unwrap())).to_vec(),
        issuer: Text::from(issuer),
        issuer_key: Text::from(key),
        expires_soon: false,
    }
}

async fn look(pki: &StoredPki, name: &str) -> Option<Box<Live<Certificate>>> {
    let known = Known { identity: name.parse().unwrap(), kept: None };
    match Provider::<Certificate>::observe(pki, &run(), &(), &[known]).await.unwrap().pop().unwrap() {
        Observation::There(live) => Some(live),
        _ => None,
    }
}

async fn changed(pki: &StoredPki, desired: &Certificate, live: &Live<Certificate>) -> Vec<String> {
    let preview = pki.preview(&run(), &(), desired, Some(live)).await.unwrap();
    let json = |certificate: &Certificate| serde_json::to_value(certificate).unwrap();
    differences(&json(&preview), Some(&json(&live.state)), &Default::default()).into_iter().map(|change| change.path).collect()
}

#[tokio::test]
async fn what_was_issued_differs_from_nothing_but_another_wish() {
    let pki = StoredPki::new(&SecretManager::new(vec![Arc::new(MemoryStore::new())]));
    let east = pki.apply(&run(), &(), &authority("east"), None).await.unwrap();
    let west = pki.apply(&run(), &(), &authority("west"), None).await.unwrap();
    let wish = certificate(&east.certificate, &east.key);
    assert!(look(&pki, "leaf").await.is_none());
    pki.apply(&run(), &(), &wish, None).await.unwrap();
    let live = look(&pki, "leaf").await.unwrap();

    assert!(changed(&pki, &wish, &live).await.is_empty());
    assert_eq!(changed(&pki, &certificate(&west.certificate, &west.key), &live).await, ["/issuer", "/issuer_key"]);
    let renamed = Certificate { names: vec![Value::Known("127.0.0.1".parse().unwrap())], ..wish };
    assert_eq!(changed(&pki, &renamed, &live).await, ["/names"]);
}

#[tokio::test]
async fn what_is_stored_and_no_certificate_is_an_error_and_not_absent() {
    let secrets = SecretManager::new(vec![Arc::new(MemoryStore::new())]);
    secrets.put(&"leaf".parse().unwrap(), &SecretValue::from("hunter2".to_owned())).await.unwrap();
    let known = Known { identity: "leaf".parse().unwrap(), kept: None };
    let error = Provider::<Certificate>::observe(&*StoredPki::new(&secrets), &run(), &(), &[known]).await.err().unwrap();
    assert_eq!(error.to_string(), "the secret leaf is not a certificate with its key");
}

#[test]
fn a_leaf_serves_both_sides_of_mutual_tls_and_is_no_authority() {
    let authority = x509::make_authority(&"east".parse().unwrap()).unwrap();
    let names = ["127.0.0.1".parse().unwrap(), "localhost".parse().unwrap()];
    let leaf = x509::issue(&"nats-east-1".parse().unwrap(), &names, &authority.certificate, &authority.key).unwrap();
    let pem = x509_parser::pem::Pem::iter_from_buffer(leaf.certificate.as_bytes()).next().unwrap().unwrap();
    let parsed = pem.parse_x509().unwrap();
    let usage = parsed.extended_key_usage().unwrap().unwrap().value;
    assert!(usage.server_auth && usage.client_auth && !parsed.is_ca());
    let facts = x509::read(&leaf.certificate).unwrap();
    assert_eq!(facts.names, names);
    assert!(!facts.expires_soon);
    assert!(x509::is_issued_by(&leaf.certificate, &authority.certificate));
}
