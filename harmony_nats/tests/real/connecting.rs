//! Connecting, and failing to.

use harmony::modules::nats::access::{Credential, NatsAccess};
use harmony::modules::nats::client::NatsClient;
use harmony::provider::{Observation, ProviderError};
use harmony::value::Value;
use harmony_nats::client;

use crate::buckets::{bucket, live, observe};
use crate::fixture::{Authority, System, User, free_port, run, told};
use crate::streams::somebody;

async fn refused(access: &NatsAccess) -> ProviderError {
    client().look_at_server(&run(), access).await.unwrap_err()
}

#[tokio::test]
async fn an_unknown_credential_is_not_permitted_and_is_not_shown() {
    let Some(mut system) = System::solo("an_unknown_credential_is_not_permitted_and_is_not_shown", vec![]) else { return };
    system.users.push(User::new("stranger", "SYS"));
    let error = refused(&system.access("stranger")).await;
    assert!(matches!(error, ProviderError::NotPermitted(_)), "{error:?}");
    let url = system.url(0);
    assert!(
        told(&error).starts_with(&format!(
            "failed to connect as user stranger of account SYS to {url}: the server says: Authorization Violation [the servers' configuration"
        )),
        "{}",
        told(&error)
    );
    let password = Credential::Password { user: Value::Known("root".to_owned()), password: Value::Secret("hunter2".to_owned()) };
    let error = refused(&NatsAccess { credential: password, ..system.access("stranger") }).await;
    assert!(matches!(error, ProviderError::NotPermitted(_)), "{error:?}");
    assert!(!format!("{error:?}{}", told(&error)).contains("hunter2"));
    let broken = Credential::Nkey { seed: Value::Secret("SUNOSEED".to_owned()) };
    let error = refused(&NatsAccess { credential: broken, ..system.access("stranger") }).await;
    assert!(matches!(error, ProviderError::Refused(_)) && told(&error).contains("the credential is no NKey seed"), "{error:?}");
    assert!(!format!("{error:?}").contains("SUNOSEED"));
}

#[tokio::test]
async fn a_server_whose_certificate_another_authority_issued_is_not_used() {
    let Some(system) = System::solo("a_server_whose_certificate_another_authority_issued_is_not_used", vec![]) else { return };
    let access = NatsAccess { trust: Value::Known(Authority::new().trust), ..system.admin(0) };
    let error = refused(&access).await;
    assert!(matches!(error, ProviderError::NotPermitted(_)), "{error:?}");
    let somewhere = NatsAccess { trust: access.trust.clone(), ..system.access("app") };
    assert!(matches!(observe(&client(), &somewhere, &bucket("B")).await, Observation::Unreachable(_)));
    let told = told(&error);
    assert!(told.contains("invalid peer certificate") && told.contains("[the server's certificate is not issued"), "{told}");
    let both = format!("{}{}", Authority::new().trust, system.authority.trust);
    client().look_at_server(&run(), &NatsAccess { trust: Value::Known(both), ..system.admin(0) }).await.unwrap();
    let error = refused(&NatsAccess { trust: Value::Known("nothing".to_owned()), ..system.admin(0) }).await;
    assert!(matches!(error, ProviderError::Refused(_)), "{error:?}");
}

#[tokio::test]
async fn the_first_server_that_answers_is_used_and_all_are_named_if_none_does() {
    let Some(mut system) = System::solo("the_first_server_that_answers_is_used_and_all_are_named_if_none_does", vec![]) else {
        return;
    };
    let dead = format!("tls://127.0.0.1:{}", free_port());
    let access = NatsAccess { servers: vec![Value::Known(dead.clone()), Value::Known(system.url(0))], ..system.access("admin") };
    client().look_at_server(&run(), &access).await.unwrap();
    system.servers[0].kill();
    let error = refused(&access).await;
    assert!(matches!(error, ProviderError::Unreachable(_)), "{error:?}");
    assert!(told(&error).contains(&dead) && told(&error).contains(&system.url(0)), "{error:?}");
}

#[tokio::test]
async fn a_silent_server_is_given_up_in_time() {
    let Some(system) = System::solo("a_silent_server_is_given_up_in_time", vec![]) else { return };
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("tls://{}", silent.local_addr().unwrap());
    let begun = std::time::Instant::now();
    let error = refused(&NatsAccess { servers: vec![Value::Known(url)], ..system.access("admin") }).await;
    assert!(matches!(error, ProviderError::Unreachable(_)), "{error:?}");
    // Two chances of two seconds each.
    assert!(begun.elapsed().as_secs_f64() < 6.0, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_user_who_is_not_there_yet_is_no_answer_about_its_bucket() {
    let Some(mut system) = System::solo("a_user_who_is_not_there_yet_is_no_answer_about_its_bucket", vec![]) else { return };
    system.users.push(User::new("late", "APP"));
    let (nats, at) = (client(), system.access("late"));
    let Observation::Unreachable(why) = observe(&nats, &at, &bucket("B")).await else { panic!("it should not be known") };
    assert!(why.contains("Authorization Violation"), "{why}");
    system.servers[0].configure(&system.config(0));
    nats.reload_server(&run(), &system.admin(0)).await.unwrap();
    assert!(matches!(observe(&nats, &at, &bucket("B")).await, Observation::Absent));
}

#[tokio::test]
async fn a_bucket_is_unreachable_while_its_server_is_down_and_there_again_afterwards() {
    let test = "a_bucket_is_unreachable_while_its_server_is_down_and_there_again_afterwards";
    let Some(mut system) = System::solo(test, vec![]) else { return };
    let (nats, at) = (client(), system.access("app"));
    crate::buckets::apply(&nats, &at, &bucket("B")).await.unwrap();
    system.servers[0].kill();
    assert!(matches!(observe(&nats, &at, &bucket("B")).await, Observation::Unreachable(_)));
    system.servers[0].start_again();
    assert_eq!(live(&nats, &at, &bucket("B")).await.state, bucket("B"));
}

#[tokio::test]
async fn a_user_without_permission_is_told_at_once() {
    let limited = User::new("limited", "APP").publishing(&["nothing"]);
    let Some(system) = System::solo("a_user_without_permission_is_told_at_once", vec![limited]) else { return };
    let begun = std::time::Instant::now();
    let error =
        harmony::provider::Provider::apply(&client(), &run(), &system.access("limited"), &bucket("B"), None).await.unwrap_err();
    assert!(matches!(error, ProviderError::NotPermitted(_)), "{error:?}");
    assert!(
        told(&error).contains(r#"the server says: Permissions Violation for Publish to "$JS.API.STREAM.CREATE.KV_B""#),
        "{error:?}"
    );
    let deaf = NatsAccess { inbox_prefix: "_INBOX_other".to_owned(), ..system.access("limited") };
    let error = harmony::provider::Provider::apply(&client(), &run(), &deaf, &bucket("B"), None).await.unwrap_err();
    assert!(told(&error).contains("Permissions Violation for Subscription"), "{error:?}");
    assert!(begun.elapsed().as_secs_f64() < 2.0, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_user_may_have_a_password() {
    let Some(system) = System::solo("a_user_may_have_a_password", vec![]) else { return };
    let password = Credential::Password { user: Value::Known("old".to_owned()), password: Value::Secret("sesame".to_owned()) };
    let access = NatsAccess { credential: password, ..system.access("app") };
    assert!(matches!(observe(&client(), &access, &bucket("B")).await, Observation::Absent));
}

#[tokio::test]
async fn a_credential_in_a_url_is_refused_and_not_repeated() {
    let Some(system) = System::solo("a_credential_in_a_url_is_refused_and_not_repeated", vec![]) else { return };
    let servers = vec![Value::Known("tls://root:hunter2@127.0.0.1:1".to_owned())];
    let error = refused(&NatsAccess { servers, ..system.access("admin") }).await;
    assert!(matches!(error, ProviderError::Refused(_)) && !format!("{error:?}").contains("hunter2"), "{error:?}");
}

/// How many clients a server has, and has ever had.
async fn clients(system: &System) -> (u64, u64) {
    let answer = somebody(system, "admin").await.request("$SYS.REQ.SERVER.PING.VARZ", "".into()).await.unwrap();
    let answer: serde_json::Value = serde_json::from_slice(&answer.payload).unwrap();
    (answer["data"]["connections"].as_u64().unwrap(), answer["data"]["total_connections"].as_u64().unwrap())
}

#[tokio::test]
async fn what_runs_at_the_same_time_shares_a_connection_that_then_ends() {
    let Some(system) = System::solo("what_runs_at_the_same_time_shares_a_connection_that_then_ends", vec![]) else { return };
    let (_, before) = clients(&system).await;
    let (nats, at) = (client(), system.access("app"));
    let buckets: Vec<_> = (0..40).map(|number| bucket(&format!("B{number}"))).collect();
    futures::future::join_all(buckets.iter().map(|bucket| observe(&nats, &at, bucket))).await;
    let (_, after) = clients(&system).await;
    assert_eq!(after - before, 2, "one for all, and one to count them");
    for _ in 0..100 {
        if clients(&system).await.0 == 1 {
            return;
        }
    }
    panic!("the connection is still there");
}
