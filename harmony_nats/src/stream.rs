//! Streams with their own subjects.

use async_trait::async_trait;
use harmony::modules::nats::access::NatsAccess;
use harmony::modules::nats::assets::{Discard, Nothing, Retention, Stream, StreamIdentity};
use harmony::provider::{Known, Live, Observation, Provider, ProviderError};
use harmony::run::Run;
use harmony_types::ByteSize;
use serde_json::{Value as Json, json};

use crate::client::NatsConnections;
use crate::config::{Config, Reading, default_duplicate_window, limit, nanoseconds, shared_settings};
use crate::streams::{self, Seen};

#[async_trait]
impl Provider<Stream> for NatsConnections {
    async fn observe(
        &self,
        run: &Run,
        at: &NatsAccess,
        wanted: &[Known<Stream>],
    ) -> Result<Vec<Observation<Stream>>, ProviderError> {
        let names = wanted.iter().map(|known| known.identity.stream.to_string()).collect();
        let seen = self.look_at_streams(run, at, names).await?;
        Ok(wanted.iter().zip(seen).map(|(known, seen)| observation(&known.identity, seen)).collect())
    }

    async fn preview(
        &self,
        _run: &Run,
        _at: &NatsAccess,
        desired: &Stream,
        _live: Option<&Live<Stream>>,
    ) -> Result<Stream, ProviderError> {
        let zero = [
            ("max_messages", desired.max_messages == Some(0)),
            ("max_messages_per_subject", desired.max_messages_per_subject == Some(0)),
            ("max_size", desired.max_size.is_some_and(|size| size.as_bytes() == 0)),
            ("max_message_size", desired.max_message_size.is_some_and(|size| size.as_bytes() == 0)),
            ("max_age", desired.max_age.is_some_and(|age| age.as_duration().is_zero())),
            ("duplicate_window", desired.duplicate_window.is_some_and(|window| window.as_duration().is_zero())),
        ];
        streams::refuse_zero(&format!("stream {}", desired.identity), &zero)?;
        let mut normal = desired.clone();
        normal.subjects.sort();
        normal.subjects.dedup();
        normal.duplicate_window = normal.duplicate_window.filter(|window| *window != default_duplicate_window(normal.max_age));
        Ok(normal)
    }

    async fn apply(
        &self,
        run: &Run,
        at: &NatsAccess,
        desired: &Stream,
        live: Option<&Live<Stream>>,
    ) -> Result<Nothing, ProviderError> {
        let connection = self.shared.connection(run, at).await?;
        streams::make(run, &connection, desired.identity.stream.as_str(), wish(desired), live.is_some()).await?;
        Ok(Nothing {})
    }

    async fn delete(&self, run: &Run, at: &NatsAccess, identity: &StreamIdentity) -> Result<(), ProviderError> {
        let connection = self.shared.connection(run, at).await?;
        streams::remove(run, &connection, identity.stream.as_str()).await
    }
}

fn observation(identity: &StreamIdentity, seen: Seen) -> Observation<Stream> {
    match seen {
        Seen::Absent => Observation::Absent,
        Seen::Unreachable(why) => Observation::Unreachable(why),
        Seen::There(info) => {
            Observation::There(Box::new(Live { state: state(identity, &info.config), outputs: Nothing {}, holds: info.holds() }))
        }
    }
}

/// The stream that has this configuration.
fn state(identity: &StreamIdentity, config: &Config) -> Stream {
    let mut reading = Reading::of(config);
    for (name, value) in shape() {
        reading.expect(name, &value);
    }
    let max_age = reading.span("max_age");
    let window = reading.span("duplicate_window");
    Stream {
        identity: identity.clone(),
        description: reading.description(),
        subjects: reading.take("subjects", Vec::new(), subjects),
        retention: reading.take("retention", Retention::Limits, |value| match value.as_str()? {
            "limits" => Some(Retention::Limits),
            "interest" => Some(Retention::Interest),
            "workqueue" => Some(Retention::WorkQueue),
            _ => None,
        }),
        discard: reading.take("discard", Discard::Old, |value| match value.as_str()? {
            "old" => Some(Discard::Old),
            "new" => Some(Discard::New),
            _ => None,
        }),
        max_messages: reading.count("max_msgs"),
        max_messages_per_subject: reading.count("max_msgs_per_subject"),
        max_size: reading.size("max_bytes"),
        max_age,
        max_message_size: reading.size("max_msg_size"),
        duplicate_window: window.filter(|window| *window != default_duplicate_window(max_age)),
        storage: reading.storage(),
        replicas: reading.replicas(),
        cluster: reading.cluster(),
        compression: reading.compression(),
        deviations: reading.deviations(),
    }
}

fn subjects(value: &Json) -> Option<Vec<String>> {
    let Some(subjects) = value.as_array() else { return value.is_null().then(Vec::new) };
    let mut subjects: Vec<String> = subjects.iter().filter_map(|subject| Some(subject.as_str()?.to_owned())).collect();
    subjects.sort();
    Some(subjects)
}

/// The configuration that makes this stream.
fn wish(stream: &Stream) -> Config {
    let mut config = shared_settings(
        stream.description.as_ref(),
        stream.storage,
        stream.compression,
        stream.replicas,
        stream.cluster.as_ref(),
    );
    let retention = match stream.retention {
        Retention::Limits => "limits",
        Retention::Interest => "interest",
        Retention::WorkQueue => "workqueue",
    };
    let discard = match stream.discard {
        Discard::Old => "old",
        Discard::New => "new",
    };
    let window = stream.duplicate_window.unwrap_or_else(|| default_duplicate_window(stream.max_age));
    let settings = [
        ("name", json!(stream.identity.stream)),
        ("subjects", json!(stream.subjects)),
        ("retention", json!(retention)),
        ("discard", json!(discard)),
        ("max_msgs", limit(stream.max_messages)),
        ("max_msgs_per_subject", limit(stream.max_messages_per_subject)),
        ("max_bytes", limit(stream.max_size.map(ByteSize::as_bytes))),
        ("max_age", json!(nanoseconds(stream.max_age))),
        ("max_msg_size", limit(stream.max_message_size.map(ByteSize::as_bytes))),
        ("duplicate_window", json!(nanoseconds(Some(window)))),
    ];
    config.extend(settings.into_iter().chain(shape()).map(|(name, value)| (name.to_owned(), value)));
    config
}

/// What every stream of ours has. Direct reads are answered by any copy and are what clients use when they are allowed.
fn shape() -> [(&'static str, Json); 2] {
    [("max_consumers", json!(-1)), ("allow_direct", json!(true))]
}
