//! Looking after a running server.

use harmony::modules::nats::client::NatsClient;
use harmony::provider::ProviderError;
use harmony_nats::client;

use crate::buckets::{self, bucket};
use crate::fixture::{System, User, name, run, told};
use crate::streams::publish;

#[tokio::test]
async fn a_server_says_what_it_runs_and_holds() {
    let Some(mut system) = System::solo("a_server_says_what_it_runs_and_holds", vec![]) else { return };
    let nats = client();
    buckets::apply(&nats, &system.access("app"), &bucket("B")).await.unwrap();
    publish(&system, "app", "$KV.B.key", "value").await;
    let state = nats.look_at_server(&run(), &system.admin(0)).await.unwrap();
    assert_eq!((state.server.as_str(), state.cluster.as_ref(), &state.unhealthy), ("solo", None, &None));
    assert!(state.version.starts_with("2."), "{}", state.version);
    assert!(state.config_digest.starts_with("sha256:"), "{}", state.config_digest);
    let jetstream = state.jetstream.clone().unwrap();
    assert_eq!((jetstream.meta_leader, jetstream.meta_size), (Some(name("solo")), 1));
    let copy = &jetstream.streams[0];
    assert_eq!((copy.account.as_str(), copy.stream.as_str()), ("APP", "KV_B"));
    assert_eq!((copy.messages, copy.last_sequence, copy.settled), (1, 1, true));

    system.servers[0].kill();
    system.servers[0].start_again();
    let again = nats.look_at_server(&run(), &system.admin(0)).await.unwrap();
    assert_ne!((&again.id, &again.started), (&state.id, &state.started));
    assert_eq!(again.config_digest, state.config_digest);
}

#[tokio::test]
async fn a_reload_changes_what_the_server_uses() {
    let Some(mut system) = System::solo("a_reload_changes_what_the_server_uses", vec![]) else { return };
    let (nats, admin) = (client(), system.admin(0));
    let before = nats.look_at_server(&run(), &admin).await.unwrap();
    system.users.push(User::new("new", "SYS"));
    system.servers[0].configure(&system.config(0));
    nats.reload_server(&run(), &admin).await.unwrap();
    let after = nats.look_at_server(&run(), &system.access("new")).await.unwrap();
    assert_ne!((&after.configured, &after.config_digest), (&before.configured, &before.config_digest));
    assert_eq!((after.id, after.started), (before.id, before.started));
}

#[tokio::test]
async fn a_reload_that_the_server_refuses_fails_with_its_words() {
    let Some(system) = System::solo("a_reload_that_the_server_refuses_fails_with_its_words", vec![]) else { return };
    let (nats, admin) = (client(), system.admin(0));
    let before = nats.look_at_server(&run(), &admin).await.unwrap();
    let renamed = system.config(0).replace("server_name: solo", "server_name: duo");
    for (config, words) in
        [(renamed.as_str(), "config reload not supported for ServerName: old=solo, new=duo"), ("a: [", "Parse error on line 1")]
    {
        system.servers[0].configure(config);
        let error = nats.reload_server(&run(), &admin).await.unwrap_err();
        assert!(matches!(error, ProviderError::Refused(_)), "{error:?}");
        assert!(told(&error).contains(words) && told(&error).contains("server solo says: "), "{}", told(&error));
    }
    let after = nats.look_at_server(&run(), &admin).await.unwrap();
    assert_eq!((after.config_digest, after.configured), (before.config_digest, before.configured));
}

#[tokio::test]
async fn a_server_without_jetstream_says_so() {
    let Some(mut system) = System::solo("a_server_without_jetstream_says_so", vec![]) else { return };
    let config = system.config(0);
    let without: String = config.lines().filter(|line| !line.starts_with("jetstream")).map(|line| format!("{line}\n")).collect();
    system.servers[0].kill();
    system.servers[0].configure(&without.replace("jetstream: enabled,", ""));
    system.servers[0].start_again();
    let state = client().look_at_server(&run(), &system.admin(0)).await.unwrap();
    assert_eq!(state.jetstream, None);
}

#[tokio::test]
async fn only_a_user_of_the_system_account_learns_anything() {
    let Some(system) = System::solo("only_a_user_of_the_system_account_learns_anything", vec![]) else { return };
    let error = client().look_at_server(&run(), &system.access("app")).await.unwrap_err();
    assert!(
        told(&error).contains("failed to ask the server for its VARZ as user app of account APP on tls://"),
        "{}",
        told(&error)
    );
}
