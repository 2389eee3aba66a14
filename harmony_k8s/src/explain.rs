//! Why an object is not ready: the signs of trouble in what hangs on it, with object, container and reason.

use harmony::run::Run;
use serde_json::Value as Json;

use crate::api::{Api, Send};
use crate::ready::condition;
use crate::sign::{Sign, claims_of, is_silent, of_claim, of_makers, of_pod, of_pod_events, said};

/// How many lines of a log are shown, and how many bytes of them.
const LAST_LINES: usize = 5;
const MOST_BYTES: usize = 1500;

/// All signs of trouble around `object`; none if there is none, or if nobody may look.
pub(crate) async fn signs_around(run: &Run, api: &Api, object: &Json) -> Vec<Sign> {
    let namespace = said(object, "/metadata/namespace");
    if namespace.is_empty() {
        return Vec::new();
    }
    let look = Around { run, api, namespace };
    let sets = look.current_replica_sets(object).await;
    let pods = look.pods_of(object, &sets).await;
    let mut signs: Vec<Sign> = pods.iter().flat_map(of_pod).collect();
    // What cannot make its pods, mount a volume or bind a claim says so in events only.
    let events = look.events().await;
    for claim in pods.iter().flat_map(claims_of) {
        let path = format!("/api/v1/namespaces/{namespace}/persistentvolumeclaims/{claim}");
        let found = api.send(run, &path, Send::Get).await.ok();
        // It comes first: it is why the pod is not scheduled.
        signs.splice(0..0, found.and_then(|claim| of_claim(&claim, &events)));
    }
    if signs.is_empty() {
        signs.extend(pods.iter().filter(|pod| is_silent(pod)).filter_map(|pod| of_pod_events(pod, &events)));
    }
    if said(object, "/kind") == "PersistentVolumeClaim" {
        signs.extend(of_claim(object, &events));
    } else if said(object, "/kind") != "Pod" {
        let makers: Vec<&str> = sets.iter().chain([object]).map(|maker| said(maker, "/metadata/uid")).collect();
        signs.extend(of_makers(&makers, &events));
    }
    signs
}

/// The same sign with the last words of the container that it is about, if there are any.
pub(crate) async fn with_last_words(run: &Run, api: &Api, object: &Json, sign: Sign) -> Sign {
    let Some(ended) = &sign.words_of else { return sign };
    let previous = if ended.is_previous { "&previous=true" } else { "" };
    let path = format!(
        "/api/v1/namespaces/{}/pods/{}/log?container={}&tailLines={LAST_LINES}&limitBytes={MOST_BYTES}{previous}",
        said(object, "/metadata/namespace"),
        ended.pod,
        ended.container,
    );
    let log = api.send_accepting(run, &path, Send::Get, "*/*").await;
    let log = log.ok();
    let words = log.map(|bytes| String::from_utf8_lossy(&bytes).trim_end().to_owned()).unwrap_or_default();
    let words = if words.is_empty() { ended.message.trim_end() } else { &words };
    let reason = if words.is_empty() { sign.reason.clone() } else { format!("{}: {words}", sign.reason) };
    Sign { reason, ..sign }
}

/// `reason`, behind the node of the pod where that is what is not ready: the pod itself only says that it is not, or nothing at all.
pub(crate) async fn on_its_node(run: &Run, api: &Api, pod: &Json, reason: String) -> String {
    let name = said(pod, "/spec/nodeName");
    if name.is_empty() {
        return reason;
    }
    // Whoever may not look at nodes is told what the pod says.
    let Ok(node) = api.send(run, &format!("/api/v1/nodes/{name}"), Send::Get).await else { return reason };
    match condition(&node, "Ready") {
        Some(("True", _)) => reason,
        ready => {
            let words = ready.map(|(_, words)| words).filter(|words| !words.is_empty());
            format!("its node {name} is not ready ({}): {reason}", words.unwrap_or_else(|| "it does not say why".to_owned()))
        }
    }
}

/// Whether a claim gets its volume before anybody uses it: unless its class says that it waits for that, or nobody may look.
pub(crate) async fn binds_at_once(run: &Run, api: &Api, claim: &Json) -> bool {
    let class = said(claim, "/spec/storageClassName");
    if class.is_empty() {
        return false;
    }
    match api.send(run, &format!("/apis/storage.k8s.io/v1/storageclasses/{class}"), Send::Get).await {
        Ok(class) => said(&class, "/volumeBindingMode") != "WaitForFirstConsumer",
        Err(error) => error.is_absent(),
    }
}

struct Around<'a> {
    run: &'a Run,
    api: &'a Api,
    namespace: &'a str,
}

impl Around<'_> {
    async fn list(&self, root: &str, what: &str) -> Vec<Json> {
        let path = format!("{root}/namespaces/{}/{what}", self.namespace);
        match self.api.send(self.run, &path, Send::Get).await.ok().and_then(|mut list| list.get_mut("items").map(Json::take)) {
            Some(Json::Array(items)) => items,
            _ => Vec::new(),
        }
    }

    /// What makes the pods of a Deployment as it is wished now; those of an earlier revision go anyway.
    async fn current_replica_sets(&self, object: &Json) -> Vec<Json> {
        if said(object, "/kind") != "Deployment" {
            return Vec::new();
        }
        const REVISION: &str = "/metadata/annotations/deployment.kubernetes.io~1revision";
        let (uid, revision) = (said(object, "/metadata/uid"), said(object, REVISION));
        let Some(selector) = selector(object) else { return Vec::new() };
        let mut sets = self.list("/apis/apps/v1", &format!("replicasets?{selector}")).await;
        sets.retain(|set| said(set, "/metadata/ownerReferences/0/uid") == uid && said(set, REVISION) == revision);
        sets
    }

    async fn pods_of(&self, object: &Json, sets: &[Json]) -> Vec<Json> {
        if said(object, "/kind") == "Pod" {
            return vec![object.clone()];
        }
        let Some(selector) = selector(object) else { return Vec::new() };
        let mut pods = self.list("/api/v1", &format!("pods?{selector}")).await;
        let owner = |pod: &Json| said(pod, "/metadata/ownerReferences/0/uid").to_owned();
        if said(object, "/kind") == "Deployment" {
            pods.retain(|pod| sets.iter().any(|set| said(set, "/metadata/uid") == owner(pod)));
        } else {
            pods.retain(|pod| owner(pod) == said(object, "/metadata/uid"));
        }
        pods
    }

    /// The namespace's events, the latest one last.
    async fn events(&self) -> Vec<Json> {
        let mut events = self.list("/api/v1", "events").await;
        let time = |event: &Json| {
            let times = ["/series/lastObservedTime", "/lastTimestamp", "/eventTime"].map(|at| said(event, at));
            times.into_iter().find(|time| !time.is_empty()).unwrap_or_default().to_owned()
        };
        // Of one second, a warning counts: what was made besides says nothing of what was not.
        events.sort_by_cached_key(|event| (time(event).get(..19).unwrap_or_default().to_owned(), event["type"] == "Warning"));
        events
    }
}

/// The query for the pods of what makes them.
fn selector(object: &Json) -> Option<String> {
    let labels = object.pointer("/spec/selector/matchLabels").and_then(Json::as_object)?;
    let selector: Vec<String> = labels.iter().filter_map(|(key, value)| Some(format!("{key}%3D{}", value.as_str()?))).collect();
    Some(format!("labelSelector={}", selector.join("%2C").replace('/', "%2F")))
}
