//! What others have put into accounts.

use harmony::modules::nats::access::NatsAccess;
use harmony::modules::nats::assets::{AccountContents, AccountIdentity};
use harmony::provider::{Known, Observation, Provider, ProviderError};
use harmony_nats::{NatsConnections, client};

use crate::buckets::{self, bucket};
use crate::fixture::{System, User, name, run};
use crate::streams::{call, publish};

fn contents(account: &str) -> AccountContents {
    AccountContents { identity: AccountIdentity { system: name("nats"), account: name(account) } }
}

async fn observe(nats: &NatsConnections, at: &NatsAccess, account: &str) -> Observation<AccountContents> {
    let known = Known::<AccountContents> { identity: contents(account).identity, kept: None };
    nats.observe(&run(), at, &[known]).await.unwrap().pop().unwrap()
}

async fn holds(nats: &NatsConnections, at: &NatsAccess, account: &str) -> Option<String> {
    let Observation::There(live) = observe(nats, at, account).await else { panic!("the account is not there") };
    live.holds
}

#[tokio::test]
async fn an_account_holds_the_streams_that_others_made() {
    let Some(system) = System::solo("an_account_holds_the_streams_that_others_made", vec![]) else { return };
    let (nats, at) = (client(), system.access("app"));
    assert_eq!(holds(&nats, &at, "APP").await, None);
    buckets::apply(&nats, &at, &bucket("OURS")).await.unwrap();
    publish(&system, "app", "$KV.OURS.key", "value").await;
    assert_eq!(holds(&nats, &at, "APP").await, None);
    for stream in ["ORDERS", "X"] {
        call(&system, "app", &format!("STREAM.CREATE.{stream}"), &format!(r#"{{"name":"{stream}","subjects":["{stream}"]}}"#))
            .await
            .unwrap();
    }
    publish(&system, "app", "X", "message").await;
    assert_eq!(holds(&nats, &at, "APP").await.as_deref(), Some("stream ORDERS (0 messages), stream X (1 message)"));

    nats.apply(&run(), &at, &contents("APP"), None).await.unwrap();
    Provider::<AccountContents>::delete(&nats, &run(), &at, &contents("APP").identity).await.unwrap();
    assert_eq!(holds(&nats, &at, "APP").await, None);
    let ours = buckets::live(&nats, &at, &bucket("OURS")).await;
    assert_eq!(ours.holds.as_deref(), Some("1 message, last sequence 1"));
}

#[tokio::test]
async fn an_account_without_jetstream_holds_nothing() {
    let Some(system) = System::solo("an_account_without_jetstream_holds_nothing", vec![]) else { return };
    assert_eq!(holds(&client(), &system.access("bare"), "BARE").await, None);
}

#[tokio::test]
async fn an_account_that_does_not_know_us_or_cannot_be_asked_is_not_taken_for_empty() {
    let test = "an_account_that_does_not_know_us_or_cannot_be_asked_is_not_taken_for_empty";
    let Some(mut system) = System::solo(test, vec![]) else { return };
    system.users.push(User::new("stranger", "NOWHERE"));
    let (nats, at) = (client(), system.access("stranger"));
    let known = [Known::<AccountContents> { identity: contents("NOWHERE").identity, kept: None }];
    let Err(error) = nats.observe(&run(), &at, &known).await else { panic!("a stranger was told what is there") };
    assert!(matches!(error, ProviderError::NotPermitted(_)), "{error:?}");
    assert!(error.hint().unwrap().contains("does not know this credential"), "{error:?}");
    system.servers[0].kill();
    assert!(matches!(nats.observe(&run(), &at, &known).await, Err(ProviderError::Unreachable(_))));
}

#[tokio::test]
async fn more_streams_than_one_page_are_all_seen() {
    let Some(system) = System::solo("more_streams_than_one_page_are_all_seen", vec![]) else { return };
    let somebody = crate::streams::somebody(&system, "app").await;
    for number in 0..260 {
        let stream = format!(r#"{{"name":"S{number}","subjects":["s{number}"],"storage":"memory"}}"#);
        somebody.request(format!("$JS.API.STREAM.CREATE.S{number}"), stream.into()).await.unwrap();
    }
    let holds = holds(&client(), &system.access("app"), "APP").await.unwrap();
    assert_eq!(holds.split(", ").count(), 260);
}
