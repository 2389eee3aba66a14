//! Signs of trouble in what an API says of pods, claims and what makes them. Nothing is asked here: see [`crate::explain`].

use std::time::Duration;

use serde_json::Value as Json;

/// A sign of trouble.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sign {
    /// What is in trouble: `pod shop/web-0, container web`.
    pub(crate) about: String,
    /// Why, in the words of whoever says so: `ImagePullBackOff: Back-off pulling image "web:1"`.
    pub(crate) reason: String,
    /// How long it may last before it ends the wait; `None` if it can heal by itself at any time.
    pub(crate) grace: Option<Duration>,
    pub(crate) hint: Option<&'static str>,
    /// Whose last words belong to it.
    pub(crate) words_of: Option<Words>,
}

/// A container that has ended: where its last words are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Words {
    pub(crate) pod: String,
    pub(crate) container: String,
    /// Whether it runs again since.
    pub(crate) is_previous: bool,
    /// What the node knows of them.
    pub(crate) message: String,
}

/// For what nobody heals but whoever changes a wish.
pub(crate) const NONE: Duration = Duration::ZERO;
/// For what somebody else heals at once or not at all, such as a Secret that the next step makes.
pub(crate) const SOON: Duration = Duration::from_secs(20);
/// For what a slow cluster overcomes: a node that joins, a server of a webhook that starts.
pub(crate) const LATER: Duration = Duration::from_secs(60);

impl Sign {
    fn new(about: impl Into<String>, reason: &str, message: &str, grace: impl Into<Option<Duration>>) -> Self {
        let reason = [reason, message].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(": ");
        Self { about: about.into(), reason, grace: grace.into(), hint: None, words_of: None }
    }

    fn with_hint(self, hint: impl Into<Option<&'static str>>) -> Self {
        Self { hint: hint.into(), ..self }
    }

    /// Object, container and reason.
    pub(crate) fn says(&self) -> String {
        format!("{}: {}", self.about, self.reason)
    }
}

/// What is said at a path; empty if nothing.
pub(crate) fn said<'a>(json: &'a Json, pointer: &str) -> &'a str {
    json.pointer(pointer).and_then(Json::as_str).unwrap_or_default()
}

fn list<'a>(json: &'a Json, pointer: &str) -> impl Iterator<Item = &'a Json> {
    json.pointer(pointer).and_then(Json::as_array).into_iter().flatten()
}

/// `NAMESPACE/NAME`.
pub(crate) fn name_of(object: &Json) -> String {
    format!("{}/{}", said(object, "/metadata/namespace"), said(object, "/metadata/name"))
}

/// What a pod says of itself.
pub(crate) fn of_pod(pod: &Json) -> Vec<Sign> {
    if pod.pointer("/metadata/deletionTimestamp").is_some() {
        return Vec::new();
    }
    let about = format!("pod {}", name_of(pod));
    let scheduled = list(pod, "/status/conditions").find(|one| one["type"] == "PodScheduled" && one["status"] == "False");
    if let Some(scheduled) = scheduled {
        let sign = Sign::new(about, said(scheduled, "/reason"), said(scheduled, "/message"), LATER);
        return vec![sign.with_hint("give the cluster a node that fits, or ask for less")];
    }
    containers(pod).filter_map(|container| of_container(&about, said(pod, "/metadata/name"), container)).collect()
}

fn containers(pod: &Json) -> impl Iterator<Item = &Json> {
    list(pod, "/status/initContainerStatuses").chain(list(pod, "/status/containerStatuses"))
}

fn of_container(pod_is: &str, pod: &str, container: &Json) -> Option<Sign> {
    let about = format!("{pod_is}, container {}", said(container, "/name"));
    let (reason, message) = (said(container, "/state/waiting/reason"), said(container, "/state/waiting/message"));
    let (grace, hint) = match reason {
        "" | "ContainerCreating" | "PodInitializing" => return exited(about, pod, container, None),
        "CrashLoopBackOff" => {
            let crashed = exited(about.clone(), pod, container, Some(SOON));
            return crashed
                .map(|sign| Sign { reason: format!("{reason}: {}", sign.reason), ..sign })
                .or_else(|| Some(Sign::new(about, reason, message, SOON).with_hint(CRASHED)));
        }
        "InvalidImageName" | "ErrImageNeverPull" => (NONE, Some("correct the image's name, or bring it to the node")),
        "ErrImagePull" | "ImagePullBackOff" => {
            (SOON, Some("correct the image's name, or give the pod a credential for its registry"))
        }
        "CreateContainerConfigError" | "CreateContainerError" | "RunContainerError" => {
            (SOON, Some("make what the container refers to, or correct its name"))
        }
        _ => (LATER, None),
    };
    Some(Sign::new(about, reason, message, grace).with_hint(hint))
}

const CRASHED: &str = "read its log, and correct what it complains of";

/// A container that has ended badly, now or before it was started again.
fn exited(about: String, pod: &str, container: &Json, grace: Option<Duration>) -> Option<Sign> {
    let ended = ["/state/terminated", "/lastState/terminated"].iter().find_map(|at| container.pointer(at))?;
    if ended["exitCode"] == 0 {
        return None;
    }
    let words = Words {
        pod: pod.to_owned(),
        container: said(container, "/name").to_owned(),
        is_previous: container.pointer("/state/terminated").is_none(),
        message: said(ended, "/message").to_owned(),
    };
    let reason = format!("exited with {} ({})", ended["exitCode"], said(ended, "/reason"));
    let sign = Sign::new(about, &reason, "", grace).with_hint(CRASHED);
    Some(Sign { words_of: Some(words), ..sign })
}

/// Whether a pod may be in a trouble that shows in events only: a volume that cannot be mounted, a probe that fails.
pub(crate) fn is_silent(pod: &Json) -> bool {
    pod.pointer("/metadata/deletionTimestamp").is_none()
        && !list(pod, "/status/conditions").any(|one| one["type"] == "Ready" && one["status"] == "True")
}

/// What the latest event about a pod says, if it is a warning. One of an earlier pod of this name says nothing of this one.
pub(crate) fn of_pod_events(pod: &Json, events: &[Json]) -> Option<Sign> {
    let uid = said(pod, "/metadata/uid");
    let event = events.iter().rfind(|event| said(event, "/involvedObject/uid") == uid)?;
    if event["type"] != "Warning" {
        return None;
    }
    let (reason, message) = (said(event, "/reason"), said(event, "/message"));
    let about = format!("pod {}{}", name_of(pod), container_of(pod, event));
    let starts = said(pod, "/status/phase") == "Pending" || list(pod, "/status/conditions").next().is_none();
    // What runs and fails its probe goes on trying.
    let grace = (starts && reason != "Unhealthy").then_some(SOON);
    let hint = message.contains("not found").then_some("make what it mounts, or correct its name");
    Some(Sign::new(about, reason, message, grace).with_hint(hint))
}

/// The container that an event is about, or those that mount the volume that it names.
fn container_of(pod: &Json, event: &Json) -> String {
    let path = said(event, "/involvedObject/fieldPath");
    if let Some(name) = path.split_once('{').and_then(|(_, name)| name.strip_suffix('}')) {
        return format!(", container {name}");
    }
    let volume = said(event, "/message").split_once("for volume \"").and_then(|(_, rest)| rest.split('"').next());
    let Some(volume) = volume else { return String::new() };
    let mounting: Vec<&str> = list(pod, "/spec/initContainers")
        .chain(list(pod, "/spec/containers"))
        .filter(|container| list(container, "/volumeMounts").any(|mount| mount["name"] == volume))
        .map(|container| said(container, "/name"))
        .collect();
    match mounting.as_slice() {
        [] => String::new(),
        [one] => format!(", container {one}"),
        more => format!(", containers {}", more.join(" and ")),
    }
}

/// The claims of a pod that cannot be scheduled because of them.
pub(crate) fn claims_of(pod: &Json) -> Vec<&str> {
    let is_waited_for = list(pod, "/status/conditions").any(|one| {
        one["type"] == "PodScheduled"
            && one["status"] == "False"
            && said(one, "/message").to_lowercase().contains("persistentvolumeclaim")
    });
    if !is_waited_for {
        return Vec::new();
    }
    let claims = list(pod, "/spec/volumes").map(|volume| said(volume, "/persistentVolumeClaim/claimName"));
    claims.filter(|name| !name.is_empty()).collect()
}

/// Why a claim has no volume yet: the latest that was said of it.
pub(crate) fn of_claim(claim: &Json, events: &[Json]) -> Option<Sign> {
    if said(claim, "/status/phase") != "Pending" {
        return None;
    }
    let about = format!("PersistentVolumeClaim {}", name_of(claim));
    let uid = said(claim, "/metadata/uid");
    let Some(event) = events.iter().rfind(|event| said(event, "/involvedObject/uid") == uid) else {
        return Some(Sign::new(about, "Pending", "no volume is bound to it", LATER));
    };
    let (reason, message) = (said(event, "/reason"), said(event, "/message"));
    let grace = match reason {
        // Somebody is at it.
        "Provisioning" | "ExternalProvisioning" | "WaitForFirstConsumer" => None,
        _ => Some(SOON),
    };
    let hint = grace.map(|_| "name a storage class that the cluster has, or make a volume for it");
    Some(Sign::new(about, reason, message, grace).with_hint(hint))
}

/// What those say that make the pods of something, or the like of it: the latest word of each that is in `makers` (uids).
pub(crate) fn of_makers(makers: &[&str], events: &[Json]) -> Vec<Sign> {
    let latest = |uid: &&str| events.iter().rfind(|event| said(event, "/involvedObject/uid") == *uid);
    makers.iter().filter_map(latest).filter(|event| event["type"] == "Warning").map(of_event).collect()
}

fn of_event(event: &Json) -> Sign {
    let about = |at: &str| said(event, &format!("/involvedObject/{at}"));
    let about = format!("{} {}/{}", about("kind"), about("namespace"), about("name"));
    let (reason, message) = (said(event, "/reason"), said(event, "/message"));
    let (grace, hint) = of_words(message);
    let grace = matches!(reason, "FailedCreate" | "ProvisioningFailed").then_some(grace);
    Sign::new(about, reason, message, grace).with_hint(hint)
}

/// What a refusal's words say of its end, and what to do.
pub(crate) fn of_words(message: &str) -> (Duration, Option<&'static str>) {
    if message.contains("exceeded quota") || message.contains("must specify limits") {
        (SOON, Some("ask for less, or raise the namespace's ResourceQuota"))
    } else if message.contains("admission webhook") || message.contains("ValidatingAdmissionPolicy") {
        (SOON, Some("change what the webhook or policy refuses, or its configuration"))
    } else if message.contains("failed calling webhook") {
        (LATER, Some("see that the webhook's server runs, or remove its configuration"))
    } else if message.contains("violates PodSecurity") {
        (SOON, Some("give the pod the security context that the namespace asks for"))
    } else if message.contains("provided port is already allocated") {
        (SOON, Some("choose another port, or free it"))
    } else {
        (SOON, None)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod(status: &Json) -> Json {
        json!({
            "metadata": { "namespace": "shop", "name": "web-0", "uid": "u" },
            "spec": { "containers": [{ "name": "web", "volumeMounts": [{ "name": "key" }] }, { "name": "side" }] },
            "status": status,
        })
    }

    fn waiting(reason: &str) -> Json {
        pod(&json!({ "containerStatuses": [{ "name": "web", "state": { "waiting": { "reason": reason, "message": "m" } } }] }))
    }

    #[test]
    fn a_container_that_waits_is_named_with_its_reason_and_the_grace_it_has() {
        for (reason, grace) in [
            ("InvalidImageName", NONE),
            ("ErrImagePull", SOON),
            ("ImagePullBackOff", SOON),
            ("CreateContainerConfigError", SOON),
            ("CrashLoopBackOff", SOON),
            ("SomethingNew", LATER),
        ] {
            let signs = of_pod(&waiting(reason));
            assert_eq!(signs[0].says(), format!("pod shop/web-0, container web: {reason}: m"));
            assert_eq!(signs[0].grace, Some(grace), "{reason}");
        }
        assert!(of_pod(&waiting("ContainerCreating")).is_empty());
    }

    #[test]
    fn a_container_that_ended_once_may_recover() {
        let ended = json!({ "terminated": { "exitCode": 3, "reason": "Error" } });
        let signs =
            of_pod(&pod(&json!({ "containerStatuses": [{ "name": "web", "state": { "running": {} }, "lastState": ended }] })));
        assert_eq!(signs[0].says(), "pod shop/web-0, container web: exited with 3 (Error)");
        assert_eq!((signs[0].grace, signs[0].words_of.as_ref().unwrap().is_previous), (None, true));
    }

    #[test]
    fn a_pod_that_goes_is_in_no_trouble() {
        let mut pod = waiting("CrashLoopBackOff");
        pod["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        assert!(of_pod(&pod).is_empty() && !is_silent(&pod));
    }

    #[test]
    fn a_volume_that_is_not_mounted_names_the_container_that_mounts_it() {
        let event = |uid: &str| {
            json!({ "type": "Warning", "reason": "FailedMount", "involvedObject": { "uid": uid },
                "message": "MountVolume.SetUp failed for volume \"key\" : secret \"key\" not found" })
        };
        let pod = pod(&json!({ "phase": "Pending" }));
        let sign = of_pod_events(&pod, &[event("u")]).unwrap();
        assert_eq!((sign.about.as_str(), sign.grace), ("pod shop/web-0, container web", Some(SOON)));
        assert_eq!(of_pod_events(&pod, &[event("of an earlier pod")]), None);
        let later = json!({ "type": "Normal", "reason": "Pulled", "involvedObject": { "uid": "u" } });
        assert_eq!(of_pod_events(&pod, &[event("u"), later]), None, "it was mounted since");
    }

    #[test]
    fn a_maker_that_has_made_its_pods_since_is_in_no_trouble() {
        let event = |kind: &str, reason: &str, message: &str| {
            json!({ "type": kind, "reason": reason, "message": message,
                "involvedObject": { "kind": "StatefulSet", "namespace": "shop", "name": "web", "uid": "s" } })
        };
        let failed = event("Warning", "FailedCreate", "pods \"web-0\" is forbidden: exceeded quota: small");
        let signs = of_makers(&["s"], std::slice::from_ref(&failed));
        assert_eq!(signs[0].says(), "StatefulSet shop/web: FailedCreate: pods \"web-0\" is forbidden: exceeded quota: small");
        assert!(of_makers(&["s"], &[failed, event("Normal", "SuccessfulCreate", "")]).is_empty());
    }

    #[test]
    fn a_claim_at_which_somebody_works_is_not_given_up() {
        let claim = json!({ "metadata": { "namespace": "shop", "name": "data", "uid": "c" }, "status": { "phase": "Pending" } });
        let event = |reason: &str| json!({ "reason": reason, "message": "m", "involvedObject": { "uid": "c" } });
        assert_eq!(of_claim(&claim, &[event("ProvisioningFailed")]).unwrap().grace, Some(SOON));
        assert_eq!(of_claim(&claim, &[event("ExternalProvisioning")]).unwrap().grace, None);
    }
}
