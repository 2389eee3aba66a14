//! A stream's configuration as the server says it, compared with what it should be.

use std::collections::{BTreeMap, BTreeSet};

use harmony::modules::nats::assets::{Compression, Replicas, Storage};
use harmony_types::{ByteSize, ClusterName, NonBlank, TimeSpan};
use serde_json::{Map, Value as Json, json};

/// A configuration, by the server's names.
pub(crate) type Config = Map<String, Json>;

/// The key and value of the metadata by which a stream is known to be Harmony's.
pub(crate) const MARK: (&str, &str) = ("harmony", "managed");

/// The settings that a stream of ours never has, or has only where its kind reads them. What a server knows beyond these is left as it is.
const SETTINGS: [&str; 34] = [
    "allow_atomic",
    "allow_batched",
    "allow_direct",
    "allow_msg_counter",
    "allow_msg_schedules",
    "allow_msg_ttl",
    "allow_rollup_hdrs",
    "compression",
    "consumer_limits",
    "deny_delete",
    "deny_purge",
    "description",
    "discard",
    "discard_new_per_subject",
    "duplicate_window",
    "max_age",
    "max_bytes",
    "max_consumers",
    "max_msg_size",
    "max_msgs",
    "max_msgs_per_subject",
    "mirror",
    "mirror_direct",
    "no_ack",
    "num_replicas",
    "persist_mode",
    "placement",
    "republish",
    "retention",
    "sealed",
    "sources",
    "storage",
    "subject_delete_marker_ttl",
    "subject_transform",
];

/// Whether the stream is marked as Harmony's.
pub(crate) fn is_ours(config: &Config) -> bool {
    config.get("metadata").and_then(|metadata| metadata.get(MARK.0)).and_then(Json::as_str) == Some(MARK.1)
}

/// Reads a configuration setting by setting, and notes each that is not as it should be.
pub(crate) struct Reading<'a> {
    config: &'a Config,
    read: BTreeSet<&'static str>,
    deviations: BTreeMap<String, String>,
}

impl<'a> Reading<'a> {
    pub(crate) fn of(config: &'a Config) -> Self {
        Self { config, read: BTreeSet::new(), deviations: BTreeMap::new() }
    }

    /// The setting has to be this.
    pub(crate) fn expect(&mut self, name: &'static str, expected: &Json) {
        if !same(self.value(name), expected) {
            self.deviates(name);
        }
    }

    /// The setting as its type; what no such value can say is a deviation, and `otherwise` stands for it.
    pub(crate) fn take<T>(&mut self, name: &'static str, otherwise: T, read: impl FnOnce(&Json) -> Option<T>) -> T {
        if let Some(value) = read(self.value(name)) {
            return value;
        }
        self.deviates(name);
        otherwise
    }

    /// The description.
    pub(crate) fn description(&mut self) -> Option<NonBlank> {
        self.take(
            "description",
            None,
            |value| if is_unset(value) { Some(None) } else { Some(Some(value.as_str()?.parse().ok()?)) },
        )
    }

    /// A size, absent without a limit.
    pub(crate) fn size(&mut self, name: &'static str) -> Option<ByteSize> {
        self.count(name).map(ByteSize::bytes)
    }

    /// A number, absent without a limit.
    pub(crate) fn count(&mut self, name: &'static str) -> Option<u64> {
        self.take(name, None, |value| if is_unset(value) { Some(None) } else { Some(Some(value.as_u64()?)) })
    }

    /// A span, absent without a limit.
    pub(crate) fn span(&mut self, name: &'static str) -> Option<TimeSpan> {
        self.take(name, None, |value| if is_unset(value) { Some(None) } else { Some(Some(span_of(value)?)) })
    }

    /// Where it rests.
    pub(crate) fn storage(&mut self) -> Storage {
        self.take("storage", Storage::File, |value| match value.as_str()? {
            "file" => Some(Storage::File),
            "memory" => Some(Storage::Memory),
            _ => None,
        })
    }

    /// Whether it is compressed.
    pub(crate) fn compression(&mut self) -> Compression {
        self.take("compression", Compression::Off, |value| match value.as_str() {
            None | Some("none") => Some(Compression::Off),
            Some("s2") => Some(Compression::S2),
            Some(_) => None,
        })
    }

    /// How many copies it has. A number that cannot be wished for is a deviation.
    pub(crate) fn replicas(&mut self) -> Replicas {
        self.take("num_replicas", Replicas::ONE, |value| Replicas::new(u8::try_from(value.as_u64()?).ok()?).ok())
    }

    /// The cluster it is placed in. Anything more in the placement is a deviation.
    pub(crate) fn cluster(&mut self) -> Option<ClusterName> {
        self.take("placement", None, |value| {
            let Some(placement) = value.as_object() else { return is_unset(value).then_some(None) };
            let only_cluster = placement.iter().all(|(name, value)| name == "cluster" || is_unset(value));
            match placement.get("cluster").and_then(Json::as_str) {
                _ if !only_cluster => None,
                None | Some("") => Some(None),
                Some(cluster) => Some(Some(cluster.parse().ok()?)),
            }
        })
    }

    /// Every setting that is not as it should be, by name, with its value.
    pub(crate) fn deviations(mut self) -> BTreeMap<String, String> {
        for name in SETTINGS {
            if !self.read.contains(name) && !is_unset(self.config.get(name).unwrap_or(&Json::Null)) {
                self.deviates(name);
            }
        }
        if !is_ours(self.config) {
            self.deviations.insert("metadata".to_owned(), format!("not marked {}={}", MARK.0, MARK.1));
        }
        self.deviations
    }

    fn value(&mut self, name: &'static str) -> &'a Json {
        self.read.insert(name);
        self.config.get(name).unwrap_or(&Json::Null)
    }

    fn deviates(&mut self, name: &'static str) {
        let value = self.config.get(name).map_or_else(|| "not set".to_owned(), Json::to_string);
        self.deviations.insert(name.to_owned(), value);
    }
}

/// The settings that buckets and streams have in common.
pub(crate) fn shared_settings(
    description: Option<&NonBlank>,
    storage: Storage,
    compression: Compression,
    replicas: Replicas,
    cluster: Option<&ClusterName>,
) -> Config {
    let mut config = Config::new();
    if let Some(description) = description {
        config.insert("description".to_owned(), json!(description));
    }
    if let Some(cluster) = cluster {
        config.insert("placement".to_owned(), json!({ "cluster": cluster }));
    }
    let storage = match storage {
        Storage::File => "file",
        Storage::Memory => "memory",
    };
    let compression = match compression {
        Compression::Off => "none",
        Compression::S2 => "s2",
    };
    config.insert("storage".to_owned(), json!(storage));
    config.insert("compression".to_owned(), json!(compression));
    config.insert("num_replicas".to_owned(), json!(replicas.count()));
    config.insert("metadata".to_owned(), json!({ MARK.0: MARK.1 }));
    config
}

/// Adds to `wish` what an update has to carry along from `live`: settings that only a newer server knows, and what others have noted in
/// the metadata. What the server itself adds there, it adds again.
pub(crate) fn carry_along(live: &Config, wish: &mut Config) {
    for (name, value) in live {
        if !SETTINGS.contains(&name.as_str()) && name != "metadata" && !wish.contains_key(name) {
            wish.insert(name.clone(), value.clone());
        }
    }
    let noted = live.get("metadata").and_then(Json::as_object).into_iter().flatten();
    if let Some(metadata) = wish.get_mut("metadata").and_then(Json::as_object_mut) {
        for (name, value) in noted.filter(|(name, _)| !name.starts_with("_nats.")) {
            metadata.entry(name.clone()).or_insert_with(|| value.clone());
        }
    }
}

/// A limit as the server wants it: -1 without one.
pub(crate) fn limit(limit: Option<u64>) -> Json {
    limit.map_or_else(|| json!(-1), |limit| json!(limit))
}

/// A span as the server wants it: nanoseconds, 0 without one.
pub(crate) fn nanoseconds(span: Option<TimeSpan>) -> u64 {
    span.map_or(0, |span| u64::try_from(span.as_duration().as_nanos()).unwrap_or(u64::MAX))
}

/// For how long the server remembers message ids unless told otherwise: two minutes, or as long as messages live, if shorter.
pub(crate) fn default_duplicate_window(max_age: Option<TimeSpan>) -> TimeSpan {
    max_age.map_or(TWO_MINUTES, |age| age.min(TWO_MINUTES))
}

const TWO_MINUTES: TimeSpan = TimeSpan::minutes(2);

fn span_of(value: &Json) -> Option<TimeSpan> {
    let nanoseconds = value.as_u64()?;
    nanoseconds.is_multiple_of(1_000_000).then(|| TimeSpan::milliseconds(nanoseconds / 1_000_000))
}

fn same(value: &Json, expected: &Json) -> bool {
    value == expected || (is_unset(value) && is_unset(expected))
}

/// Whether a value says no more than its absence: servers write some settings out and leave others away. Limits have two ways to say that
/// there is none.
fn is_unset(value: &Json) -> bool {
    match value {
        Json::Null => true,
        Json::Bool(set) => !set,
        Json::Number(number) => number.as_i64().is_some_and(|number| number == 0 || number == -1),
        Json::String(text) => text.is_empty(),
        Json::Array(items) => items.is_empty(),
        Json::Object(map) => map.values().all(is_unset),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(json: Json) -> Config {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn what_a_server_adds_by_itself_is_no_deviation() {
        let config = config(json!({
            "name": "S", "first_seq": 7, "max_consumers": -1, "sealed": false, "consumer_limits": {}, "mirror_direct": false,
            "metadata": { "harmony": "managed", "_nats.ver": "2.15.1", "team": "blue" }, "from_the_future": { "on": true }
        }));
        assert_eq!(Reading::of(&config).deviations(), BTreeMap::new());
    }

    #[test]
    fn what_no_wish_can_say_is_a_deviation() {
        let config = config(json!({
            "num_replicas": 2, "max_age": 1_500_000, "description": " x", "placement": { "cluster": "east", "tags": ["ssd"] },
            "storage": "tape", "sealed": true, "mirror": { "name": "OTHER" }
        }));
        let mut reading = Reading::of(&config);
        assert_eq!((reading.replicas(), reading.storage()), (Replicas::ONE, Storage::File));
        assert_eq!((reading.span("max_age"), reading.description(), reading.cluster()), (None, None, None));
        let names: Vec<String> = reading.deviations().into_keys().collect();
        assert_eq!(names, ["description", "max_age", "metadata", "mirror", "num_replicas", "placement", "sealed", "storage"]);
    }

    #[test]
    fn an_update_carries_along_only_what_is_not_ours_to_say() {
        let live = config(json!({
            "no_ack": true, "from_the_future": 1, "description": "old", "metadata": { "_nats.ver": "2.15.1", "team": "blue", "harmony": "x" }
        }));
        let mut wish = config(json!({ "name": "S", "metadata": { "harmony": "managed" } }));
        carry_along(&live, &mut wish);
        assert_eq!(
            Json::Object(wish),
            json!({ "name": "S", "from_the_future": 1, "metadata": { "harmony": "managed", "team": "blue" } })
        );
    }
}
