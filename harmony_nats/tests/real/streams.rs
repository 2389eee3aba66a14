//! Streams.

use std::collections::BTreeMap;

use async_nats::ConnectOptions;
use harmony::modules::nats::access::NatsAccess;
use harmony::modules::nats::assets::{Compression, Discard, Replicas, Retention, Storage, Stream, StreamIdentity};
use harmony::provider::{Known, Live, Observation, Provider, ProviderError};
use harmony_nats::{NatsConnections, client};
use harmony_types::{ByteSize, TimeSpan};
use serde_json::Value as Json;

use crate::fixture::{System, name, run, told};

/// A client of its own, as somebody else would use it.
pub(crate) async fn somebody(system: &System, user: &str) -> async_nats::Client {
    let user = system.users.iter().find(|known| known.name == user).unwrap();
    let trust = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(trust.path(), &system.authority.trust).unwrap();
    let options = ConnectOptions::with_nkey(user.seed.clone()).add_root_certificates(trust.path().to_owned());
    options.custom_inbox_prefix(format!("_INBOX_{}", user.name)).connect(system.url(0)).await.unwrap()
}

/// Calls the JetStream API by hand; the API's error as `Err`.
pub(crate) async fn call(system: &System, user: &str, verb: &str, body: &str) -> Result<Json, String> {
    let answer = somebody(system, user).await.request(format!("$JS.API.{verb}"), body.to_owned().into()).await.unwrap();
    let answer: Json = serde_json::from_slice(&answer.payload).unwrap();
    match answer.get("error") {
        Some(error) => Err(error.to_string()),
        None => Ok(answer),
    }
}

/// Publishes a message that a stream acknowledges.
pub(crate) async fn publish(system: &System, user: &str, subject: &str, body: &str) {
    let answer = somebody(system, user).await.request(subject.to_owned(), body.to_owned().into()).await.unwrap();
    let answer: Json = serde_json::from_slice(&answer.payload).unwrap();
    assert!(answer.get("error").is_none(), "{answer}");
}

fn stream(stream: &str) -> Stream {
    Stream {
        identity: StreamIdentity { system: name("nats"), account: name("APP"), stream: name(stream) },
        description: None,
        subjects: vec!["orders.>".to_owned()],
        retention: Retention::Limits,
        discard: Discard::Old,
        max_messages: None,
        max_messages_per_subject: None,
        max_size: None,
        max_age: None,
        max_message_size: None,
        duplicate_window: None,
        storage: Storage::File,
        replicas: Replicas::ONE,
        cluster: None,
        compression: Compression::Off,
        deviations: BTreeMap::new(),
    }
}

async fn observe(nats: &NatsConnections, at: &NatsAccess, wanted: &Stream) -> Observation<Stream> {
    let known = Known { identity: wanted.identity.clone(), kept: None };
    nats.observe(&run(), at, &[known]).await.unwrap().pop().unwrap()
}

async fn live(nats: &NatsConnections, at: &NatsAccess, wanted: &Stream) -> Live<Stream> {
    let Observation::There(live) = observe(nats, at, wanted).await else { panic!("the stream is not there") };
    *live
}

async fn apply(nats: &NatsConnections, at: &NatsAccess, wanted: &Stream) -> Result<(), ProviderError> {
    let live = match observe(nats, at, wanted).await {
        Observation::There(live) => Some(*live),
        _ => None,
    };
    nats.apply(&run(), at, wanted, live.as_ref()).await.map(|_| ())
}

#[tokio::test]
async fn a_stream_is_observed_as_it_was_made_and_gone_when_deleted() {
    let Some(system) = System::solo("a_stream_is_observed_as_it_was_made_and_gone_when_deleted", vec![]) else { return };
    let (nats, at, wanted) = (client(), system.access("app"), stream("ORDERS"));
    assert!(matches!(observe(&nats, &at, &wanted).await, Observation::Absent));
    apply(&nats, &at, &wanted).await.unwrap();
    publish(&system, "app", "orders.1", "one").await;
    let found = live(&nats, &at, &wanted).await;
    assert_eq!((found.state, found.holds.as_deref()), (wanted.clone(), Some("1 message, last sequence 1")));
    Provider::<Stream>::delete(&nats, &run(), &at, &wanted.identity).await.unwrap();
    assert!(matches!(observe(&nats, &at, &wanted).await, Observation::Absent));
}

#[tokio::test]
async fn every_field_of_a_stream_can_be_set_and_changed() {
    let Some(system) = System::solo("every_field_of_a_stream_can_be_set_and_changed", vec![]) else { return };
    let (nats, at) = (client(), system.access("app"));
    let full = Stream {
        description: Some(name("what was ordered")),
        subjects: vec!["a.*".to_owned(), "orders.>".to_owned()],
        discard: Discard::New,
        max_messages: Some(100),
        max_messages_per_subject: Some(10),
        max_size: Some(ByteSize::mib(1)),
        max_age: Some(TimeSpan::hours(1)),
        max_message_size: Some(ByteSize::kib(1)),
        duplicate_window: Some(TimeSpan::seconds(10)),
        compression: Compression::S2,
        ..stream("FULL")
    };
    let kinds = [
        full.clone(),
        Stream { retention: Retention::WorkQueue, subjects: vec!["w".to_owned()], ..stream("WORK") },
        Stream { retention: Retention::Interest, subjects: vec!["i".to_owned()], storage: Storage::Memory, ..stream("INTEREST") },
    ];
    for wanted in &kinds {
        apply(&nats, &at, wanted).await.unwrap();
        assert_eq!(&live(&nats, &at, wanted).await.state, wanted);
    }
    let changes: [fn(&mut Stream); 10] = [
        |stream| stream.description = None,
        |stream| stream.subjects = vec!["orders.>".to_owned()],
        |stream| stream.discard = Discard::Old,
        |stream| stream.max_messages = None,
        |stream| stream.max_messages_per_subject = None,
        |stream| stream.max_size = Some(ByteSize::mib(2)),
        |stream| stream.max_age = None,
        |stream| stream.max_message_size = None,
        |stream| stream.duplicate_window = None,
        |stream| stream.compression = Compression::Off,
    ];
    let mut wanted = full;
    for change in changes {
        change(&mut wanted);
        assert_ne!(live(&nats, &at, &wanted).await.state, wanted, "nothing to do");
        apply(&nats, &at, &wanted).await.unwrap();
        assert_eq!(live(&nats, &at, &wanted).await.state, wanted);
    }
}

#[tokio::test]
async fn a_preview_says_what_the_server_would_say() {
    let Some(system) = System::solo("a_preview_says_what_the_server_would_say", vec![]) else { return };
    let (nats, at) = (client(), system.access("app"));
    let wanted = Stream {
        subjects: vec!["b".to_owned(), "a".to_owned()],
        max_age: Some(TimeSpan::seconds(50)),
        duplicate_window: Some(TimeSpan::seconds(50)),
        ..stream("S")
    };
    let preview = nats.preview(&run(), &at, &wanted, None).await.unwrap();
    apply(&nats, &at, &wanted).await.unwrap();
    assert_eq!(live(&nats, &at, &wanted).await.state, preview);
}

#[tokio::test]
async fn subjects_of_another_stream_are_refused_with_advice() {
    let Some(system) = System::solo("subjects_of_another_stream_are_refused_with_advice", vec![]) else { return };
    let (nats, at) = (client(), system.access("app"));
    apply(&nats, &at, &stream("FIRST")).await.unwrap();
    let error = apply(&nats, &at, &stream("SECOND")).await.unwrap_err();
    assert!(matches!(error, ProviderError::Refused(_)), "{error:?}");
    assert!(
        told(&error).contains("subjects overlap with an existing stream (JetStream error 10065) [another stream"),
        "{}",
        told(&error)
    );
}

#[tokio::test]
async fn many_streams_are_looked_at_in_one_go() {
    let Some(system) = System::solo("many_streams_are_looked_at_in_one_go", vec![]) else { return };
    let (nats, at) = (client(), system.access("app"));
    for number in [3, 97] {
        let wanted = Stream { subjects: vec![format!("s{number}")], ..stream(&format!("S{number}")) };
        apply(&nats, &at, &wanted).await.unwrap();
    }
    let known = |number: usize| Known { identity: stream(&format!("S{number}")).identity, kept: None };
    let wanted: Vec<Known<Stream>> = (0..100).map(known).collect();
    let found = nats.observe(&run(), &at, &wanted).await.unwrap();
    let there: Vec<usize> = (0..100).filter(|at| matches!(found[*at], Observation::There(_))).collect();
    let absent = found.iter().filter(|found| matches!(found, Observation::Absent)).count();
    assert_eq!((there, absent), (vec![3, 97], 98));
}
