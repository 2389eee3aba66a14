//! Why an object is not ready: the first sign of trouble in what hangs on it, with object, container and reason.

use std::time::Duration;

use harmony::run::Run;
use serde_json::Value as Json;

use crate::api::{Api, Send};

/// A sign of trouble.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sign {
    /// Object, container, reason, and the words for it.
    pub(crate) says: String,
    /// How long after the beginning of the wait it ends the wait; `None` if it can heal by itself at any time.
    pub(crate) ends_after: Option<Duration>,
    pub(crate) hint: Option<&'static str>,
}

/// Signs that heal at most by what somebody else does at once, such as a Secret made by the next step: what takes longer will not come.
const SOON: Duration = Duration::from_secs(20);
/// Signs that a slow cluster overcomes: a node that joins, a registry that answers again.
const LATER: Duration = Duration::from_secs(60);
/// How many lines of a log are shown, and how many bytes of them.
const LAST_LINES: usize = 5;
const MOST_BYTES: usize = 1500;

/// The first sign of trouble around `object`; nothing if there is none, or if nobody may look.
pub(crate) async fn explain(run: &Run, api: &Api, object: &Json) -> Option<Sign> {
    let namespace = object.pointer("/metadata/namespace")?.as_str()?;
    let pods = pods_of(run, api, namespace, object).await;
    for pod in &pods {
        if let Some(sign) = of_pod(run, api, namespace, pod).await {
            return Some(sign);
        }
    }
    // What cannot make its pods says so in events only; a Deployment's pods are made by its ReplicaSets.
    let events = events_of(run, api, namespace, "").await;
    let name = object.pointer("/metadata/name")?.as_str()?;
    let kind = object["kind"].as_str()?;
    let concerns = |event: &&Json| {
        let (about, whose) = (event.pointer("/involvedObject/kind"), event.pointer("/involvedObject/name"));
        let whose = whose.and_then(Json::as_str).unwrap_or_default();
        let own = about.is_some_and(|about| about == kind) && whose == name;
        own || (kind == "Deployment"
            && about.is_some_and(|about| about == "ReplicaSet")
            && whose.starts_with(&format!("{name}-")))
    };
    let event = events.iter().rfind(|event| event["type"] == "Warning" && concerns(event))?;
    Some(of_event(event))
}

fn of_event(event: &Json) -> Sign {
    let (kind, name) = (said(event, "/involvedObject/kind"), said(event, "/involvedObject/name"));
    let (reason, message) = (said(event, "/reason"), said(event, "/message"));
    let hint = if message.contains("exceeded quota") {
        Some("ask for less, or raise the namespace's ResourceQuota")
    } else if message.contains("admission webhook") {
        Some("change what the webhook refuses, or its configuration")
    } else {
        None
    };
    let ends_after = matches!(reason, "FailedCreate" | "ProvisioningFailed").then_some(SOON);
    Sign { says: format!("{kind} {name}: {reason}: {message}"), ends_after, hint }
}

fn said<'a>(json: &'a Json, pointer: &str) -> &'a str {
    json.pointer(pointer).and_then(Json::as_str).unwrap_or_default()
}

async fn pods_of(run: &Run, api: &Api, namespace: &str, object: &Json) -> Vec<Json> {
    if object["kind"] == "Pod" {
        return vec![object.clone()];
    }
    let Some(labels) = object.pointer("/spec/selector/matchLabels").and_then(Json::as_object) else { return Vec::new() };
    let selector: Vec<String> = labels.iter().filter_map(|(key, value)| Some(format!("{key}%3D{}", value.as_str()?))).collect();
    let path = format!("/api/v1/namespaces/{namespace}/pods?labelSelector={}", selector.join("%2C").replace('/', "%2F"));
    items(api.send(run, &path, Send::Get).await.ok())
}

fn items(list: Option<Json>) -> Vec<Json> {
    match list.and_then(|mut list| list.get_mut("items").map(Json::take)) {
        Some(Json::Array(items)) => items,
        _ => Vec::new(),
    }
}

async fn events_of(run: &Run, api: &Api, namespace: &str, name: &str) -> Vec<Json> {
    let selector = if name.is_empty() { String::new() } else { format!("?fieldSelector=involvedObject.name%3D{name}") };
    let path = format!("/api/v1/namespaces/{namespace}/events{selector}");
    let mut events = items(api.send(run, &path, Send::Get).await.ok());
    events.sort_by_key(|event| said(event, "/lastTimestamp").to_owned());
    events
}

async fn of_pod(run: &Run, api: &Api, namespace: &str, pod: &Json) -> Option<Sign> {
    let name = said(pod, "/metadata/name");
    let condition =
        |kind: &str| pod.pointer("/status/conditions").and_then(Json::as_array)?.iter().find(|one| one["type"] == kind);
    if let Some(scheduled) = condition("PodScheduled").filter(|one| one["status"] == "False") {
        let hint = Some("give the cluster a node that fits, or ask for less");
        let says = format!("pod {namespace}/{name}: {}: {}", said(scheduled, "/reason"), said(scheduled, "/message"));
        return Some(Sign { says, ends_after: Some(LATER), hint });
    }
    for container in containers(pod) {
        if let Some(sign) = of_container(run, api, namespace, name, container).await {
            return Some(sign);
        }
    }
    // A volume that cannot be mounted shows in events only.
    let creating = containers(pod).any(|container| said(container, "/state/waiting/reason") == "ContainerCreating");
    if creating || said(pod, "/status/phase") == "Pending" {
        let events = events_of(run, api, namespace, name).await;
        let event = events.iter().rfind(|event| event["type"] == "Warning")?;
        let says = format!("pod {namespace}/{name}: {}: {}", said(event, "/reason"), said(event, "/message"));
        let hint = says.contains("not found").then_some("make what it mounts, or correct its name");
        return Some(Sign { says, ends_after: Some(SOON), hint });
    }
    None
}

fn containers(pod: &Json) -> impl Iterator<Item = &Json> {
    let of = |list: &str| pod.pointer(list).and_then(Json::as_array).into_iter().flatten();
    of("/status/initContainerStatuses").chain(of("/status/containerStatuses"))
}

async fn of_container(run: &Run, api: &Api, namespace: &str, pod: &str, container: &Json) -> Option<Sign> {
    let name = said(container, "/name");
    let (reason, message) = (said(container, "/state/waiting/reason"), said(container, "/state/waiting/message"));
    let (ends_after, hint) = match reason {
        "" | "ContainerCreating" | "PodInitializing" => return exited(run, api, namespace, pod, container).await,
        "InvalidImageName" | "ErrImageNeverPull" => (Duration::ZERO, Some("correct the image's name, or bring it to the node")),
        "ErrImagePull" | "ImagePullBackOff" => {
            (SOON, Some("correct the image's name, or give the pod a credential for its registry"))
        }
        "CreateContainerConfigError" | "CreateContainerError" | "RunContainerError" => {
            (SOON, Some("make what the container refers to, or correct its name"))
        }
        "CrashLoopBackOff" => {
            let sign = exited(run, api, namespace, pod, container).await;
            let says = sign.map_or_else(
                || format!("pod {namespace}/{pod}, container {name}: {reason}: {message}"),
                |sign| sign.says.replacen(": exited", &format!(": {reason}: exited"), 1),
            );
            return Some(Sign { says, ends_after: Some(SOON), hint: Some("read its log, and correct what it complains of") });
        }
        _ => (LATER, None),
    };
    Some(Sign {
        says: format!("pod {namespace}/{pod}, container {name}: {reason}: {message}"),
        ends_after: Some(ends_after),
        hint,
    })
}

/// A container that has ended before, or now, with its last words.
async fn exited(run: &Run, api: &Api, namespace: &str, pod: &str, container: &Json) -> Option<Sign> {
    let ended = ["/state/terminated", "/lastState/terminated"].iter().find_map(|at| container.pointer(at))?;
    if ended["exitCode"] == 0 {
        return None;
    }
    let name = said(container, "/name");
    let previous = if container.pointer("/state/terminated").is_some() { "" } else { "&previous=true" };
    let path = format!(
        "/api/v1/namespaces/{namespace}/pods/{pod}/log?container={name}&tailLines={LAST_LINES}&limitBytes={MOST_BYTES}{previous}"
    );
    let log = api.send_accepting(run, &path, Send::Get, "text/plain").await.ok();
    let words = log.map(|bytes| String::from_utf8_lossy(&bytes).trim_end().to_owned()).unwrap_or_default();
    let words = if words.is_empty() { said(ended, "/message").to_owned() } else { words };
    let says = format!(
        "pod {namespace}/{pod}, container {name}: exited with {} ({}): {words}",
        ended["exitCode"],
        said(ended, "/reason")
    );
    Some(Sign { says, ends_after: None, hint: Some("read its log, and correct what it complains of") })
}
