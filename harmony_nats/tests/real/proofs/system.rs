//! The system account.

use harmony::modules::nats::client::NatsClient;
use harmony::modules::nats::proof::SystemAccountHoldsNoData;
use harmony::proof::Prover;
use harmony::provider::ProviderError;
use harmony_nats::client;

use crate::fixture::{System, name, run, told};
use crate::streams::call;

#[tokio::test]
async fn the_system_account_is_proven_to_hold_no_data() {
    let Some(system) = System::solo("the_system_account_is_proven_to_hold_no_data", vec![]) else { return };
    let proof = SystemAccountHoldsNoData { system: name("nats"), access: system.admin(0) };
    let evidence = client().prove(&run(), &proof).await.unwrap();
    assert_eq!(evidence.checks, 1);
    assert!(evidence.how.contains("as user admin of account SYS on tls://127.0.0.1:"), "{}", evidence.how);
    assert!(evidence.how.contains("JetStream not enabled for account"), "{}", evidence.how);
}

#[tokio::test]
async fn an_account_that_can_hold_data_fails_the_proof_and_keeps_nothing_of_it() {
    let Some(system) = System::solo("an_account_that_can_hold_data_fails_the_proof_and_keeps_nothing_of_it", vec![]) else {
        return;
    };
    let proof = SystemAccountHoldsNoData { system: name("nats"), access: system.access("app") };
    let error = client().prove(&run(), &proof).await.unwrap_err();
    assert!(matches!(error, ProviderError::Refused(_)), "{error:?}");
    assert!(told(&error).contains("the server made it (it has been deleted again) [take JetStream"), "{}", told(&error));
    assert_eq!(call(&system, "app", "STREAM.NAMES", "").await.unwrap()["total"], 0);
}

#[tokio::test]
async fn a_dead_server_proves_nothing() {
    let Some(mut system) = System::solo("a_dead_server_proves_nothing", vec![]) else { return };
    client().look_at_server(&run(), &system.admin(0)).await.unwrap();
    system.servers[0].kill();
    let proof = SystemAccountHoldsNoData { system: name("nats"), access: system.admin(0) };
    assert!(matches!(client().prove(&run(), &proof).await, Err(ProviderError::Unreachable(_))));
}
