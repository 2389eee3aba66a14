//! Permissions.

use harmony::modules::nats::proof::{Expectation, PermissionsHold, Probe};
use harmony::proof::Prover;
use harmony::provider::ProviderError;
use harmony_nats::client;

use crate::buckets::{apply, bucket};
use crate::fixture::{System, User, name, run, told};
use crate::streams::call;

fn probe(what: &str, subject: &str, body: &str, expect: Expectation) -> Probe {
    Probe { what: what.to_owned(), subject: subject.to_owned(), body: body.to_owned(), expected_last_sequence: None, expect }
}

/// What a writer of bucket B may do, and some of what it may not.
fn probes() -> Vec<Probe> {
    use Expectation::{Allowed, Refused};
    let write = |key: &str, bucket: &str, expect| Probe {
        expected_last_sequence: Some(u64::MAX >> 1),
        ..probe(&format!("write {key} of bucket {bucket}"), &format!("$KV.{bucket}.{key}"), "", expect)
    };
    let mut probes = vec![
        write("key", "B", Allowed),
        probe("open bucket B", "$JS.API.STREAM.INFO.KV_B", "", Allowed),
        probe("read bucket B", "$JS.API.DIRECT.GET.KV_B.$KV.B.key", "", Allowed),
        write("key", "C", Refused),
        probe("delete bucket B", "$JS.API.STREAM.DELETE.KV_B", "{", Refused),
        probe("answer flow control of bucket B", "$JS.FC.KV_B.x", "", Allowed),
        probe("answer flow control of bucket C", "$JS.FC.KV_C.x", "", Refused),
        probe("list streams", "$JS.API.STREAM.NAMES", "{", Refused),
    ];
    // More than fit into one round, and than the client keeps complaints for.
    probes.extend((0..200).map(|number| write(&format!("key{number}"), "D", Refused)));
    probes
}

fn writer() -> User {
    let allowed = ["$KV.B.>", "$JS.API.STREAM.INFO.KV_B", "$JS.API.DIRECT.GET.KV_B.>", "$JS.FC.KV_B.>"];
    User::new("writer", "APP").publishing(&allowed)
}

fn proof(system: &System, user: &str, probes: Vec<Probe>) -> PermissionsHold {
    PermissionsHold { user: name(user), account: name("APP"), probes, sites: system.sites(user) }
}

#[tokio::test]
async fn grants_are_proven_and_change_nothing() {
    let Some(system) = System::solo("grants_are_proven_and_change_nothing", vec![writer()]) else { return };
    let nats = client();
    apply(&nats, &system.access("app"), &bucket("B")).await.unwrap();
    let begun = std::time::Instant::now();
    let evidence = nats.prove(&run(), &proof(&system, "writer", probes())).await.unwrap();
    assert_eq!(evidence.checks, 208);
    assert_eq!(evidence.how, "user writer sent 4 requests that it may and 204 that it may not on each of 1 sites");
    assert!(begun.elapsed().as_secs_f64() < 2.0, "{:?}", begun.elapsed());
    let info = call(&system, "app", "STREAM.INFO.KV_B", "").await.unwrap();
    assert_eq!(info["state"]["last_seq"], 0);
}

#[tokio::test]
async fn a_user_who_may_more_fails_the_proof() {
    let Some(system) = System::solo("a_user_who_may_more_fails_the_proof", vec![]) else { return };
    let nats = client();
    apply(&nats, &system.access("app"), &bucket("B")).await.unwrap();
    let error = nats.prove(&run(), &proof(&system, "app", probes())).await.unwrap_err();
    assert!(matches!(error, ProviderError::Refused(_)), "{error:?}");
    let told = told(&error);
    assert!(told.starts_with("on site solo: 204 of 208 permissions do not hold for user app of account APP on tls://"), "{told}");
    assert!(told.contains("may delete bucket B (`$JS.API.STREAM.DELETE.KV_B` was answered)"), "{told}");
    assert!(told.contains("may write key of bucket C (`$KV.C.key` was let through)"), "{told}");
}

#[tokio::test]
async fn a_user_who_may_less_fails_the_proof() {
    let poor = User::new("poor", "APP").publishing(&["$KV.B.>", "$JS.API.DIRECT.GET.KV_B.>"]);
    let Some(system) = System::solo("a_user_who_may_less_fails_the_proof", vec![poor]) else { return };
    let nats = client();
    apply(&nats, &system.access("app"), &bucket("B")).await.unwrap();
    let error = nats.prove(&run(), &proof(&system, "poor", probes())).await.unwrap_err();
    let told = told(&error);
    assert!(told.contains("may not answer flow control of bucket B, the server says: Permissions Violation"), "{told}");
    let words = r#"may not open bucket B, the server says: Permissions Violation for Publish to "$JS.API.STREAM.INFO.KV_B""#;
    assert!(told.contains("2 of 208 permissions do not hold") && told.contains(words), "{told}");
}

#[tokio::test]
async fn a_grant_that_leads_nowhere_fails_the_proof() {
    let Some(system) = System::solo("a_grant_that_leads_nowhere_fails_the_proof", vec![writer()]) else { return };
    let error = client().prove(&run(), &proof(&system, "writer", probes())).await.unwrap_err();
    assert!(told(&error).contains("may write key of bucket B, but nobody listens on `$KV.B.key`"), "{}", told(&error));
}

#[tokio::test]
async fn a_user_without_its_inbox_fails_the_proof() {
    let Some(system) = System::solo("a_user_without_its_inbox_fails_the_proof", vec![writer()]) else { return };
    let mut deaf = proof(&system, "writer", probes());
    deaf.sites[0].access.inbox_prefix = "_INBOX".to_owned();
    let error = client().prove(&run(), &deaf).await.unwrap_err();
    assert!(told(&error).contains("Permissions Violation for Subscription"), "{}", told(&error));
}
