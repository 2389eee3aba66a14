//! Buckets.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use harmony::modules::nats::access::NatsAccess;
use harmony::modules::nats::assets::{BucketIdentity, Compression, History, KvBucket, Nothing, Replicas, Storage};
use harmony::provider::{Known, Live, Observation, Provider, ProviderError};
use harmony::run::Run;
use harmony_io::{Faults, Injected, Io, Point};
use harmony_nats::{NatsConnections, client};
use harmony_types::{ByteSize, TimeSpan};

use crate::fixture::{System, name, run, told};
use crate::streams::call;

pub(crate) fn bucket(bucket: &str) -> KvBucket {
    KvBucket {
        identity: BucketIdentity { system: name("nats"), account: name("APP"), bucket: name(bucket) },
        description: None,
        history: History::default(),
        ttl: None,
        max_value_size: None,
        max_size: None,
        storage: Storage::File,
        replicas: Replicas::ONE,
        cluster: None,
        compression: Compression::Off,
        deviations: std::collections::BTreeMap::new(),
    }
}

pub(crate) async fn observe(nats: &NatsConnections, at: &NatsAccess, wanted: &KvBucket) -> Observation<KvBucket> {
    let known = Known { identity: wanted.identity.clone(), kept: None };
    nats.observe(&run(), at, &[known]).await.unwrap().pop().unwrap()
}

pub(crate) async fn live(nats: &NatsConnections, at: &NatsAccess, wanted: &KvBucket) -> Live<KvBucket> {
    match observe(nats, at, wanted).await {
        Observation::There(live) => *live,
        Observation::Absent => panic!("the bucket is absent"),
        Observation::Unreachable(why) => panic!("the bucket is unreachable: {why}"),
    }
}

pub(crate) async fn apply(nats: &NatsConnections, at: &NatsAccess, wanted: &KvBucket) -> Result<Nothing, ProviderError> {
    let live = match observe(nats, at, wanted).await {
        Observation::There(live) => Some(*live),
        _ => None,
    };
    nats.apply(&run(), at, wanted, live.as_ref()).await
}

#[tokio::test]
async fn a_bucket_is_observed_as_it_was_made_and_gone_when_deleted() {
    let Some(system) = System::solo("a_bucket_is_observed_as_it_was_made_and_gone_when_deleted", vec![]) else { return };
    let (nats, at, wanted) = (client(), system.access("app"), bucket("B"));
    assert!(matches!(observe(&nats, &at, &wanted).await, Observation::Absent));
    apply(&nats, &at, &wanted).await.unwrap();
    let found = live(&nats, &at, &wanted).await;
    assert_eq!((found.state, found.holds), (wanted.clone(), None));
    Provider::<KvBucket>::delete(&nats, &run(), &at, &wanted.identity).await.unwrap();
    assert!(matches!(observe(&nats, &at, &wanted).await, Observation::Absent));
    Provider::<KvBucket>::delete(&nats, &run(), &at, &wanted.identity).await.unwrap();
}

#[tokio::test]
async fn every_field_of_a_bucket_can_be_set_and_changed() {
    let Some(system) = System::solo("every_field_of_a_bucket_can_be_set_and_changed", vec![]) else { return };
    let (nats, at) = (client(), system.access("app"));
    let full = KvBucket {
        description: Some(name("what agents know")),
        history: History::new(7).unwrap(),
        ttl: Some(TimeSpan::seconds(30)),
        max_value_size: Some(ByteSize::kib(4)),
        max_size: Some(ByteSize::mib(1)),
        compression: Compression::S2,
        ..bucket("B")
    };
    let memory = KvBucket { storage: Storage::Memory, ..bucket("M") };
    for wanted in [&full, &memory] {
        apply(&nats, &at, wanted).await.unwrap();
        assert_eq!(&live(&nats, &at, wanted).await.state, wanted);
    }
    let changes: [fn(&mut KvBucket); 6] = [
        |bucket| bucket.description = None,
        |bucket| bucket.history = History::new(64).unwrap(),
        |bucket| bucket.ttl = Some(TimeSpan::minutes(10)),
        |bucket| bucket.max_value_size = None,
        |bucket| bucket.max_size = None,
        |bucket| bucket.compression = Compression::Off,
    ];
    let mut wanted = full;
    for change in changes {
        change(&mut wanted);
        assert_ne!(live(&nats, &at, &wanted).await.state, wanted, "nothing to do");
        apply(&nats, &at, &wanted).await.unwrap();
        assert_eq!(live(&nats, &at, &wanted).await.state, wanted);
    }
    wanted.ttl = None;
    apply(&nats, &at, &wanted).await.unwrap();
    assert_eq!(live(&nats, &at, &wanted).await.state, wanted);
    let moved = KvBucket { storage: Storage::Memory, ..wanted };
    let error = apply(&nats, &at, &moved).await.unwrap_err();
    assert!(matches!(error, ProviderError::Refused(_)), "{error:?}");
    assert!(told(&error).contains("can not change storage type (JetStream error 10052)"), "{}", told(&error));
}

#[tokio::test]
async fn what_somebody_changed_by_hand_is_seen_and_put_right() {
    let Some(system) = System::solo("what_somebody_changed_by_hand_is_seen_and_put_right", vec![]) else { return };
    let (nats, at, wanted) = (client(), system.access("app"), bucket("B"));
    apply(&nats, &at, &wanted).await.unwrap();
    let by_hand = r#"{"name":"KV_B","subjects":["$KV.B.>","other"],"max_msgs_per_subject":100,"num_replicas":1,"discard":"old",
        "duplicate_window":1000000000,"max_msgs":5,"no_ack":true,"allow_msg_ttl":true,"deny_delete":true,"max_age":5000000500,
        "republish":{"src":">","dest":"copy.>"},"consumer_limits":{"max_ack_pending":3},"metadata":{"team":"blue"}}"#;
    call(&system, "app", "STREAM.UPDATE.KV_B", by_hand).await.unwrap();
    let found = live(&nats, &at, &wanted).await.state;
    let names: Vec<&str> = found.deviations.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "allow_direct",
            "allow_msg_ttl",
            "allow_rollup_hdrs",
            "consumer_limits",
            "discard",
            "duplicate_window",
            "max_age",
            "max_msgs",
            "max_msgs_per_subject",
            "metadata",
            "no_ack",
            "republish",
            "subjects"
        ]
    );
    assert_eq!(found.deviations["max_msgs_per_subject"], "100");
    assert_eq!(found.deviations["subjects"], r#"["$KV.B.>","other"]"#);
    // Message TTLs cannot be switched off again: the server says so, and so do we.
    let error = apply(&nats, &at, &wanted).await.unwrap_err();
    assert!(told(&error).contains("message TTL"), "{}", told(&error));
}

#[tokio::test]
async fn an_update_puts_right_what_it_can_and_keeps_what_others_noted() {
    let Some(system) = System::solo("an_update_puts_right_what_it_can_and_keeps_what_others_noted", vec![]) else { return };
    let (nats, at, wanted) = (client(), system.access("app"), bucket("B"));
    let by_hand = r#"{"name":"KV_B","subjects":["$KV.B.>"],"num_replicas":1,"metadata":{"team":"blue"}}"#;
    call(&system, "app", "STREAM.CREATE.KV_B", by_hand).await.unwrap();
    let found = live(&nats, &at, &wanted).await.state;
    assert_eq!(found.deviations["metadata"], "not marked harmony=managed");
    apply(&nats, &at, &wanted).await.unwrap();
    assert_eq!(live(&nats, &at, &wanted).await.state, wanted);
    let info = call(&system, "app", "STREAM.INFO.KV_B", "").await.unwrap();
    assert_eq!(info["config"]["metadata"]["team"], "blue");
    assert_eq!(info["config"]["metadata"]["harmony"], "managed");
}

#[tokio::test]
async fn what_a_bucket_holds_is_said_in_words() {
    let Some(system) = System::solo("what_a_bucket_holds_is_said_in_words", vec![]) else { return };
    let (nats, at, wanted) = (client(), system.access("app"), bucket("B"));
    apply(&nats, &at, &wanted).await.unwrap();
    for key in ["a", "b", "a"] {
        crate::streams::publish(&system, "app", &format!("$KV.B.{key}"), "value").await;
    }
    assert_eq!(live(&nats, &at, &wanted).await.holds.as_deref(), Some("2 messages, last sequence 3"));
}

#[tokio::test]
async fn an_account_without_jetstream_is_no_answer_about_its_buckets() {
    let Some(system) = System::solo("an_account_without_jetstream_is_no_answer_about_its_buckets", vec![]) else { return };
    let Observation::Unreachable(why) = observe(&client(), &system.access("bare"), &bucket("B")).await else {
        panic!("it should not be known");
    };
    assert!(why.contains("JetStream not enabled for account (JetStream error 10039)"), "{why}");
    assert!(why.contains("user bare of account BARE on tls://127.0.0.1:"), "{why}");
}

#[tokio::test]
async fn a_limit_of_zero_is_refused_before_anything_is_done() {
    let Some(system) = System::solo("a_limit_of_zero_is_refused_before_anything_is_done", vec![]) else { return };
    let wanted = KvBucket { max_size: Some(ByteSize::bytes(0)), ..bucket("B") };
    let error = client().preview(&run(), &system.access("app"), &wanted, None).await.unwrap_err();
    assert_eq!(
        told(&error),
        "`max_size` of key-value bucket B of account APP in nats is zero: a server takes zero for no limit [leave it out, or give a limit]"
    );
}

#[tokio::test]
async fn three_copies_need_three_servers() {
    let Some(system) = System::solo("three_copies_need_three_servers", vec![]) else { return };
    let wanted = KvBucket { replicas: Replicas::THREE, ..bucket("B") };
    let error = apply(&client(), &system.access("app"), &wanted).await.unwrap_err();
    assert!(matches!(error, ProviderError::Refused(_)), "{error:?}");
    let told = told(&error);
    assert!(told.starts_with("failed to create stream KV_B as user app of account APP on tls://127.0.0.1:"), "{told}");
    assert!(told.contains("replicas > 1 not supported in non-clustered mode (JetStream error 10074)"), "{told}");
    assert!(told.contains("[its replicas need"), "{told}");
}

#[tokio::test]
async fn other_clients_make_such_buckets_and_use_ours() {
    let Some(system) = System::solo("other_clients_make_such_buckets_and_use_ours", vec![]) else { return };
    let (nats, at) = (client(), system.access("app"));
    let others = async_nats::jetstream::new(crate::streams::somebody(&system, "app").await);
    let config = async_nats::jetstream::kv::Config { bucket: "THEIRS".to_owned(), history: 5, ..Default::default() };
    others.create_key_value(config).await.unwrap();
    let theirs = live(&nats, &at, &bucket("THEIRS")).await.state;
    assert_eq!(theirs.deviations.into_keys().collect::<Vec<_>>(), ["metadata"]);
    apply(&nats, &at, &bucket("OURS")).await.unwrap();
    let ours = others.get_key_value("OURS").await.unwrap();
    ours.put("key", "value".into()).await.unwrap();
    assert_eq!(ours.get("key").await.unwrap().unwrap(), "value");
    ours.purge("key").await.unwrap();
    assert_eq!(ours.get("key").await.unwrap(), None);
}

/// Fails at one point, as if the connection had broken there.
struct Break {
    at: u64,
    broke: AtomicBool,
}

impl Faults for Break {
    fn at(&self, point: Point<'_>) -> Injected {
        if point.number != self.at {
            return Injected::Nothing;
        }
        self.broke.store(true, Ordering::Relaxed);
        Injected::Fail(std::io::ErrorKind::ConnectionReset)
    }
}

#[tokio::test]
async fn whatever_request_is_lost_the_next_run_ends_as_wished() {
    let Some(system) = System::solo("whatever_request_is_lost_the_next_run_ends_as_wished", vec![]) else { return };
    let (nats, at) = (client(), system.access("app"));
    for point in 1.. {
        let faults = Arc::new(Break { at: point, broke: AtomicBool::new(false) });
        let broken = Run::alone(Io::with_faults(faults.clone()), std::time::Duration::from_secs(30));
        let first = bucket(&format!("B{point}"));
        let second = KvBucket { history: History::new(3).unwrap(), ..first.clone() };
        let made = Provider::<KvBucket>::apply(&nats, &broken, &at, &first, None).await;
        let changed = match &made {
            Ok(_) => {
                let live = live(&nats, &at, &first).await;
                nats.apply(&broken, &at, &second, Some(&live)).await
            }
            Err(_) => Ok(Nothing {}),
        };
        let broke = faults.broke.load(Ordering::Relaxed);
        assert_eq!(made.is_err() || changed.is_err(), broke);
        apply(&nats, &at, &second).await.unwrap();
        assert_eq!(live(&nats, &at, &second).await.state, second);
        if !broke {
            assert!(point > 10, "only {point} points");
            return;
        }
    }
}
