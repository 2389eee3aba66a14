//! Reading on every site what was written on one.

use harmony::modules::nats::proof::KvReachesEverySite;
use harmony::proof::Prover;
use harmony::provider::ProviderError;
use harmony_nats::client;
use harmony_types::TimeSpan;

use crate::buckets::{apply, bucket};
use crate::fixture::{System, User, name, run, told};

fn proof(system: &System, user: &str, within: TimeSpan) -> KvReachesEverySite {
    KvReachesEverySite { system: name("nats"), bucket: name("PROOF"), within, sites: system.sites(user) }
}

#[tokio::test]
async fn the_only_site_reads_what_it_wrote() {
    let Some(system) = System::solo("the_only_site_reads_what_it_wrote", vec![]) else { return };
    let nats = client();
    apply(&nats, &system.access("app"), &bucket("PROOF")).await.unwrap();
    let evidence = nats.prove(&run(), &proof(&system, "app", TimeSpan::seconds(1))).await.unwrap();
    assert_eq!(evidence.checks, 1);
    assert!(evidence.measured[0].starts_with("longest until read: "), "{:?}", evidence.measured);
}

#[tokio::test]
async fn a_bucket_that_is_not_there_fails_the_proof() {
    let Some(system) = System::solo("a_bucket_that_is_not_there_fails_the_proof", vec![]) else { return };
    let error = client().prove(&run(), &proof(&system, "app", TimeSpan::seconds(1))).await.unwrap_err();
    assert!(told(&error).starts_with("on site solo: failed to write `$KV.PROOF.solo."), "{}", told(&error));
}

#[tokio::test]
async fn a_value_that_cannot_be_read_in_time_fails_the_proof() {
    // It may write, and read something else.
    let user = User::new("writer", "APP").publishing(&["$KV.PROOF.>"]);
    let Some(system) = System::solo("a_value_that_cannot_be_read_in_time_fails_the_proof", vec![user]) else { return };
    let nats = client();
    apply(&nats, &system.access("app"), &bucket("PROOF")).await.unwrap();
    let error = nats.prove(&run(), &proof(&system, "writer", TimeSpan::seconds(1))).await.unwrap_err();
    assert!(matches!(error, ProviderError::NotPermitted(_)), "{error:?}");
    let error = nats.prove(&run(), &proof(&system, "app", TimeSpan::milliseconds(0))).await.unwrap_err();
    assert!(matches!(error, ProviderError::Refused(_)), "{error:?}");
    assert!(
        told(&error).contains("failed to prove what was written on site solo to be read on site solo, as user app"),
        "{}",
        told(&error)
    );
}
