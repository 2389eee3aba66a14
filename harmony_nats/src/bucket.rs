//! Key-value buckets: streams of the shape that ADR-8 of NATS fixes.

use async_trait::async_trait;
use harmony::modules::nats::access::NatsAccess;
use harmony::modules::nats::assets::{BucketIdentity, History, KvBucket, Nothing};
use harmony::provider::{Known, Live, Observation, Provider, ProviderError};
use harmony::run::Run;
use harmony_types::BucketName;
use serde_json::{Value as Json, json};

use crate::client::NatsConnections;
use crate::config::{Config, Reading, default_duplicate_window, limit, nanoseconds, shared_settings};
use crate::streams::{self, Seen};

#[async_trait]
impl Provider<KvBucket> for NatsConnections {
    async fn observe(
        &self,
        run: &Run,
        at: &NatsAccess,
        wanted: &[Known<KvBucket>],
    ) -> Result<Vec<Observation<KvBucket>>, ProviderError> {
        let names = wanted.iter().map(|known| stream_name(&known.identity.bucket)).collect();
        let seen = self.look_at_streams(run, at, names).await?;
        Ok(wanted.iter().zip(seen).map(|(known, seen)| observation(&known.identity, seen)).collect())
    }

    async fn preview(
        &self,
        _run: &Run,
        _at: &NatsAccess,
        desired: &KvBucket,
        _live: Option<&Live<KvBucket>>,
    ) -> Result<KvBucket, ProviderError> {
        let zero = [
            ("max_size", desired.max_size.is_some_and(|size| size.as_bytes() == 0)),
            ("max_value_size", desired.max_value_size.is_some_and(|size| size.as_bytes() == 0)),
            ("ttl", desired.ttl.is_some_and(|ttl| ttl.as_duration().is_zero())),
        ];
        streams::refuse_zero(&format!("key-value bucket {}", desired.identity), &zero)?;
        Ok(desired.clone())
    }

    async fn apply(
        &self,
        run: &Run,
        at: &NatsAccess,
        desired: &KvBucket,
        live: Option<&Live<KvBucket>>,
    ) -> Result<Nothing, ProviderError> {
        let connection = self.shared.connection(run, at).await?;
        streams::make(run, &connection, &stream_name(&desired.identity.bucket), wish(desired), live.is_some()).await?;
        Ok(Nothing {})
    }

    async fn delete(&self, run: &Run, at: &NatsAccess, identity: &BucketIdentity) -> Result<(), ProviderError> {
        let connection = self.shared.connection(run, at).await?;
        streams::remove(run, &connection, &stream_name(&identity.bucket)).await
    }
}

/// The name of the stream that a bucket is.
pub(crate) fn stream_name(bucket: &BucketName) -> String {
    format!("KV_{bucket}")
}

fn observation(identity: &BucketIdentity, seen: Seen) -> Observation<KvBucket> {
    match seen {
        Seen::Absent => Observation::Absent,
        Seen::Unreachable(why) => Observation::Unreachable(why),
        Seen::There(info) => {
            Observation::There(Box::new(Live { state: state(identity, &info.config), outputs: Nothing {}, holds: info.holds() }))
        }
    }
}

/// The bucket that a stream of this configuration is.
fn state(identity: &BucketIdentity, config: &Config) -> KvBucket {
    let mut reading = Reading::of(config);
    let ttl = reading.span("max_age");
    reading.expect("subjects", &json!([subjects(&identity.bucket)]));
    reading.expect("duplicate_window", &json!(nanoseconds(Some(default_duplicate_window(ttl)))));
    for (name, value) in shape() {
        reading.expect(name, &value);
    }
    KvBucket {
        identity: identity.clone(),
        description: reading.description(),
        history: reading
            .take("max_msgs_per_subject", History::default(), |value| History::new(u8::try_from(value.as_u64()?).ok()?).ok()),
        ttl,
        max_value_size: reading.size("max_msg_size"),
        max_size: reading.size("max_bytes"),
        storage: reading.storage(),
        replicas: reading.replicas(),
        cluster: reading.cluster(),
        compression: reading.compression(),
        deviations: reading.deviations(),
    }
}

/// The configuration of the stream that this bucket is.
fn wish(bucket: &KvBucket) -> Config {
    let mut config = shared_settings(
        bucket.description.as_ref(),
        bucket.storage,
        bucket.compression,
        bucket.replicas,
        bucket.cluster.as_ref(),
    );
    let settings = [
        ("name", json!(stream_name(&bucket.identity.bucket))),
        ("subjects", json!([subjects(&bucket.identity.bucket)])),
        ("max_msgs_per_subject", json!(bucket.history.count())),
        ("max_age", json!(nanoseconds(bucket.ttl))),
        ("duplicate_window", json!(nanoseconds(Some(default_duplicate_window(bucket.ttl))))),
        ("max_msg_size", limit(bucket.max_value_size.map(harmony_types::ByteSize::as_bytes))),
        ("max_bytes", limit(bucket.max_size.map(harmony_types::ByteSize::as_bytes))),
    ];
    config.extend(settings.into_iter().chain(shape()).map(|(name, value)| (name.to_owned(), value)));
    config
}

/// What every bucket's stream has.
fn shape() -> [(&'static str, Json); 7] {
    [
        ("retention", json!("limits")),
        ("discard", json!("new")),
        ("max_msgs", json!(-1)),
        ("max_consumers", json!(-1)),
        ("allow_rollup_hdrs", json!(true)),
        ("deny_delete", json!(true)),
        ("allow_direct", json!(true)),
    ]
}

fn subjects(bucket: &BucketName) -> String {
    format!("$KV.{bucket}.>")
}
