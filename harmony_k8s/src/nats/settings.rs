//! What becomes of what is said of the pods of NATS servers, and of what is not.

use harmony::modules::nats::kubernetes::{Amounts, NatsK8sSettings, Spread, Strictness, Toleration};
use harmony_types::{ByteSize, Cpus};
use serde_json::{Map, Value as Json, json};

/// The image of a server, as the name that container engines look up. Its tag is the version that is pinned for local servers too.
pub const NATS_IMAGE: &str = "nats:2.15.1";

/// The volume of a server of which nobody says how much it may hold.
const STORAGE: ByteSize = ByteSize::gib(10);
/// What a server is sure of if nobody says more: it starts with it, and serves a few clients.
const CPUS: Cpus = Cpus::thousandths(100);
const MEMORY: ByteSize = ByteSize::mib(128);
/// Nodes, as Kubernetes labels each.
const NODES: &str = "kubernetes.io/hostname";

/// The image of a server.
pub(super) fn image(settings: &NatsK8sSettings) -> &str {
    settings.image.as_deref().unwrap_or(NATS_IMAGE)
}

/// How large the volume of a server is whose JetStream may hold `max_file`.
pub(super) fn volume(settings: &NatsK8sSettings, max_file: Option<ByteSize>) -> ByteSize {
    // A store needs room beside its messages: indexes, and what compaction writes before it deletes.
    let with_room = |size: ByteSize| ByteSize::mib((size.as_bytes() / 4 * 5).div_ceil(ByteSize::mib(1).as_bytes()));
    settings.storage.or_else(|| max_file.map(with_room)).unwrap_or(STORAGE)
}

/// What a server's container is sure of, and what it gets at most.
pub(super) fn resources(settings: &NatsK8sSettings) -> Json {
    let limits = settings.limits;
    // What is sure is never more than what is allowed.
    let requests = Amounts {
        cpus: settings.requests.cpus.or(Some(limits.cpus.map_or(CPUS, |limit| limit.min(CPUS)))),
        memory: settings.requests.memory.or(Some(limits.memory.map_or(MEMORY, |limit| limit.min(MEMORY)))),
    };
    let mut resources = json!({ "requests": amounts(requests) });
    if !limits.is_nothing() {
        resources["limits"] = amounts(limits);
    }
    resources
}

fn amounts(Amounts { cpus, memory, .. }: Amounts) -> Json {
    let cpus = cpus.map(|cpus| ("cpu".to_owned(), json!(cpus)));
    let memory = memory.map(|memory| ("memory".to_owned(), json!(quantity(memory))));
    cpus.into_iter().chain(memory).collect::<Map<_, _>>().into()
}

/// The environment of a server whose memory is limited. Its garbage collector has to know: JetStream takes three quarters of what it
/// believes to have for streams in memory, and a server that takes more than it may have is killed.
pub(super) fn environment(settings: &NatsK8sSettings) -> Option<Json> {
    let limit = settings.limits.memory?.as_bytes() / 10 * 9;
    Some(json!([{ "name": "GOMEMLIMIT", "value": limit.to_string() }]))
}

/// Over what the pods with `labels` are spread.
pub(super) fn spread(settings: &NatsK8sSettings, labels: &Json) -> Json {
    let spread = settings.spread.clone().unwrap_or_else(|| Spread::preferred(NODES));
    let when = match spread.strictness {
        Strictness::Preferred => "ScheduleAnyway",
        Strictness::Required => "DoNotSchedule",
    };
    json!([{
        "maxSkew": 1,
        "topologyKey": spread.over,
        "whenUnsatisfiable": when,
        "labelSelector": { "matchLabels": labels },
    }])
}

/// As a pod has it.
pub(super) fn toleration(toleration: &Toleration) -> Json {
    let mut json = json!({ "key": toleration.key, "operator": "Exists" });
    if let Some(value) = &toleration.value {
        (json["operator"], json["value"]) = (json!("Equal"), json!(value));
    }
    if let Some(effect) = toleration.effect {
        json["effect"] = json!(effect);
    }
    json
}

/// As Kubernetes writes it: `10Gi`.
pub(super) fn quantity(size: ByteSize) -> String {
    size.to_string().trim_end_matches('B').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_volume_has_room_beside_what_streams_may_hold() {
        let settings = NatsK8sSettings::default();
        let volume = |max_file| quantity(volume(&settings, max_file));
        assert_eq!([volume(Some(ByteSize::gib(4))), volume(Some(ByteSize::mib(1))), volume(None)], ["5Gi", "2Mi", "10Gi"]);
        let said = NatsK8sSettings { storage: Some(ByteSize::mib(100)), ..settings };
        assert_eq!(quantity(super::volume(&said, Some(ByteSize::gib(4)))), "100Mi");
    }

    #[test]
    fn what_is_sure_is_never_more_than_what_is_allowed() {
        let limits = Amounts { cpus: Some(Cpus::thousandths(50)), memory: Some(ByteSize::gib(1)) };
        let said = resources(&NatsK8sSettings { limits, ..NatsK8sSettings::default() });
        assert_eq!(said, json!({ "requests": { "cpu": "50m", "memory": "128Mi" }, "limits": { "cpu": "50m", "memory": "1Gi" } }));
    }
}
