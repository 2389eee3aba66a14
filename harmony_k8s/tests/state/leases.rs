//! The lease as an object.

use harmony_io::Io;
use harmony_test::assert_keeps_the_contract_of_leases;
use harmony_testbed::{ControlPlane, available};
use tempfile::TempDir;

use crate::fixture::{NAME, NAMESPACE, site, with_namespace};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_lease_in_a_cluster_keeps_the_contract_and_reads_like_one() {
    let name = "a_lease_in_a_cluster_keeps_the_contract_and_reads_like_one";
    let Some(plane) = available(name, ControlPlane::start().map(with_namespace)) else { return };
    let directory = TempDir::new().unwrap();
    let lease = site(&directory.path().join("shop"), Io::real(), &plane.kubeconfig()).lease.unwrap();
    assert_keeps_the_contract_of_leases(lease.store().clone()).await;

    let shown = plane.kubectl().run(&["-n", NAMESPACE, "get", "lease", NAME, "-o", "jsonpath={.spec}"]).unwrap();
    let spec: serde_json::Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(spec["leaseDurationSeconds"], 30, "{spec}");
    assert!(spec["holderIdentity"].as_str().unwrap().starts_with("run "), "{spec}");
    assert_eq!(spec["acquireTime"], "2026-11-23T19:54:15.000000Z");

    // Somebody takes the object itself away: what was known of it is another state.
    let stored = lease.store().find().await.unwrap().unwrap();
    plane.kubectl().run(&["-n", NAMESPACE, "delete", "lease", NAME]).unwrap();
    let error = lease.store().swap(Some(&stored.version), &stored.record).await.unwrap_err();
    assert!(matches!(error, harmony::provider::ProviderError::Conflict(_)), "{error:?}");
}
