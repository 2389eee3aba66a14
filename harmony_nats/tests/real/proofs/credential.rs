//! Credentials.

use harmony::modules::nats::proof::CredentialWorks;
use harmony::proof::Prover;
use harmony::provider::ProviderError;
use harmony::value::Value;
use harmony_nats::client;

use crate::fixture::{System, User, free_port, name, run, told};

fn proof(system: &System, user: &str, account: &str) -> CredentialWorks {
    CredentialWorks { user: name(user), account: name(account), sites: system.sites(user) }
}

#[tokio::test]
async fn a_credential_is_proven_to_land_in_its_account() {
    let Some(system) = System::solo("a_credential_is_proven_to_land_in_its_account", vec![]) else { return };
    let evidence = client().prove(&run(), &proof(&system, "app", "APP")).await.unwrap();
    assert_eq!(evidence.checks, 1);
    assert_eq!(evidence.how, "user app connected to each of 1 servers on 1 sites; each says account APP");
}

#[tokio::test]
async fn another_account_fails_the_proof() {
    let Some(system) = System::solo("another_account_fails_the_proof", vec![]) else { return };
    let error = client().prove(&run(), &proof(&system, "app", "BARE")).await.unwrap_err();
    let url = system.url(0);
    assert_eq!(
        error.to_string(),
        format!(
            "on site solo: user app landed in another account than BARE, as user app of account APP on {url}: server solo says: account APP"
        )
    );
}

#[tokio::test]
async fn one_server_that_does_not_take_it_fails_the_proof() {
    let Some(mut system) = System::solo("one_server_that_does_not_take_it_fails_the_proof", vec![]) else { return };
    let dead = format!("tls://127.0.0.1:{}", free_port());
    let mut with_dead = proof(&system, "app", "APP");
    with_dead.sites[0].access.servers.push(Value::Known(dead.clone()));
    let error = client().prove(&run(), &with_dead).await.unwrap_err();
    assert!(matches!(error, ProviderError::Unreachable(_)) && told(&error).contains(&dead), "{error:?}");
    system.users.push(User::new("stranger", "APP"));
    let error = client().prove(&run(), &proof(&system, "stranger", "APP")).await.unwrap_err();
    assert!(matches!(error, ProviderError::NotPermitted(_)), "{error:?}");
    assert!(
        told(&error).starts_with("on site solo: failed to connect as user stranger of account APP to tls://"),
        "{}",
        told(&error)
    );
}

#[tokio::test]
async fn nowhere_is_no_proof() {
    let Some(system) = System::solo("nowhere_is_no_proof", vec![]) else { return };
    let nowhere = CredentialWorks { sites: Vec::new(), ..proof(&system, "app", "APP") };
    assert!(matches!(client().prove(&run(), &nowhere).await, Err(ProviderError::Refused(_))));
}
