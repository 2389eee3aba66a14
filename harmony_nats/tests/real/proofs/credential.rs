//! Credentials.

use harmony::modules::nats::proof::{CredentialRefused, CredentialWorks};
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

fn refused(system: &System, user: &str, known_as: Option<&str>) -> CredentialRefused {
    CredentialRefused {
        user: name("app"),
        account: name("APP"),
        sites: system.sites(user),
        known_as: known_as.map(Value::from),
        servers: 1,
        operator: system.admin(0),
    }
}

#[tokio::test]
async fn a_credential_that_no_server_takes_is_proven_to_be_refused() {
    let Some(mut system) = System::solo("a_credential_that_no_server_takes_is_proven_to_be_refused", vec![]) else { return };
    system.users.push(User::new("stranger", "APP"));
    let evidence = client().prove(&run(), &refused(&system, "stranger", Some("nobody"))).await.unwrap();
    assert_eq!(evidence.checks, 2);
    assert_eq!(
        evidence.how,
        "the former credential of user app was refused by each of 1 servers on 1 sites; 1 servers say that nobody is connected with it"
    );
}

#[tokio::test]
async fn a_credential_that_still_works_or_is_still_used_fails_the_proof() {
    let Some(mut system) = System::solo("a_credential_that_still_works_or_is_still_used_fails_the_proof", vec![]) else { return };
    let error = client().prove(&run(), &refused(&system, "app", None)).await.unwrap_err();
    assert!(told(&error).starts_with("on site solo: the former credential of user app still works: tls://"), "{}", told(&error));
    // Who is refused now may have connected before: here somebody else stands for them.
    let operator = system.users.iter().find(|user| user.name == "admin").unwrap().key.clone();
    system.users.push(User::new("stranger", "APP"));
    let proof = refused(&system, "stranger", Some(&operator));
    let error = client().prove(&run().within(std::time::Duration::from_secs(2)), &proof).await.unwrap_err();
    assert!(told(&error).contains("connected are 1 to solo"), "{}", told(&error));
}

#[tokio::test]
async fn a_server_that_does_not_answer_has_not_refused_anything() {
    let Some(mut system) = System::solo("a_server_that_does_not_answer_has_not_refused_anything", vec![]) else { return };
    system.users.push(User::new("stranger", "APP"));
    let mut proof = refused(&system, "stranger", None);
    proof.sites[0].access.servers.push(Value::Known(format!("tls://127.0.0.1:{}", free_port())));
    let error = client().prove(&run(), &proof).await.unwrap_err();
    assert!(matches!(error, ProviderError::Unreachable(_)), "{error:?}");
}
