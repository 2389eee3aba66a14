//! Whether an object is ready, by what it says of itself: the rules of `kstatus` (sigs.k8s.io/cli-utils), with those kinds exact that it
//! leaves open.

use serde_json::Value as Json;

/// Whether an object is ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Readiness {
    Ready,
    /// Not yet, for this reason.
    NotYet(String),
    /// Nor will it be, for this reason.
    Failed(String),
}

use Readiness::{Failed, NotYet, Ready};

/// Whether `object` is ready.
pub(crate) fn readiness(object: &Json) -> Readiness {
    if object.pointer("/metadata/deletionTimestamp").is_some() {
        return NotYet("it is being deleted".to_owned());
    }
    let generation = number(object, "/metadata/generation");
    let observed = number(object, "/status/observedGeneration");
    if let (Some(generation), Some(observed)) = (generation, observed)
        && observed < generation
    {
        return NotYet("its controller has not seen the change yet".to_owned());
    }
    let group = text(object, "/apiVersion").and_then(|version| version.split_once('/')).map_or("", |(group, _)| group);
    match (group, text(object, "/kind").unwrap_or("")) {
        ("apps", "Deployment") => deployment(object),
        ("apps", "StatefulSet") => stateful_set(object),
        ("apps", "DaemonSet") => daemon_set(object),
        ("apps", "ReplicaSet") | ("", "ReplicationController") => seen(object, || replicas(object)),
        ("", "Pod") => pod(object),
        ("batch", "Job") => job(object),
        ("", "PersistentVolumeClaim") => claim(object),
        ("", "Service") => service(object),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => definition(object),
        ("policy", "PodDisruptionBudget") => seen(object, || Ready),
        _ => by_conditions(object),
    }
}

fn number(object: &Json, pointer: &str) -> Option<i64> {
    object.pointer(pointer)?.as_i64()
}

fn text<'a>(object: &'a Json, pointer: &str) -> Option<&'a str> {
    object.pointer(pointer)?.as_str()
}

fn count(object: &Json, field: &str) -> i64 {
    number(object, &format!("/status/{field}")).unwrap_or(0)
}

/// A condition's status, reason and message.
pub(crate) fn condition<'a>(object: &'a Json, name: &str) -> Option<(&'a str, String)> {
    let conditions = object.pointer("/status/conditions")?.as_array()?;
    let found = conditions.iter().find(|condition| condition["type"] == name)?;
    let words = [text(found, "/reason"), text(found, "/message")].into_iter().flatten().filter(|text| !text.is_empty());
    Some((text(found, "/status").unwrap_or("Unknown"), words.collect::<Vec<_>>().join(": ")))
}

/// Of a kind with a controller that says what it has seen: nothing counts before that.
fn seen(object: &Json, then: impl FnOnce() -> Readiness) -> Readiness {
    match number(object, "/status/observedGeneration") {
        Some(_) => then(),
        None => NotYet("its controller has not seen it yet".to_owned()),
    }
}

fn wanted(object: &Json) -> i64 {
    number(object, "/spec/replicas").unwrap_or(1)
}

fn replicas(object: &Json) -> Readiness {
    let (wanted, ready) = (wanted(object), count(object, "readyReplicas"));
    if ready < wanted { NotYet(format!("{ready} of {wanted} pods are ready")) } else { Ready }
}

fn deployment(object: &Json) -> Readiness {
    if let Some((_, words)) = condition(object, "Progressing").filter(|(_, words)| words.starts_with("ProgressDeadlineExceeded"))
    {
        return Failed(words);
    }
    seen(object, || {
        let (wanted, updated) = (wanted(object), count(object, "updatedReplicas"));
        let (all, available) = (count(object, "replicas"), count(object, "availableReplicas"));
        if updated < wanted {
            NotYet(format!("{updated} of {wanted} pods are of the new revision"))
        } else if all > updated {
            NotYet(format!("{} pods of the old revision are still there", all - updated))
        } else if available < wanted {
            NotYet(format!("{available} of {wanted} pods are available"))
        } else {
            Ready
        }
    })
}

fn stateful_set(object: &Json) -> Readiness {
    seen(object, || {
        let rolling = text(object, "/spec/updateStrategy/type") != Some("OnDelete");
        let partition = number(object, "/spec/updateStrategy/rollingUpdate/partition").unwrap_or(0);
        let (wanted, updated) = (wanted(object), count(object, "updatedReplicas"));
        match replicas(object) {
            // Who replaces the pods waits for them: an old one that cannot become ready would be waited for by everybody else until it is
            // replaced.
            NotYet(_) if !rolling && count(object, "replicas") > updated => Ready,
            Ready if rolling && updated < wanted - partition => {
                NotYet(format!("{updated} of {} pods are of the new revision", wanted - partition))
            }
            readiness => readiness,
        }
    })
}

fn daemon_set(object: &Json) -> Readiness {
    seen(object, || {
        let wanted = count(object, "desiredNumberScheduled");
        let (updated, available) = (count(object, "updatedNumberScheduled"), count(object, "numberAvailable"));
        let rolling = text(object, "/spec/updateStrategy/type") != Some("OnDelete");
        if rolling && updated < wanted {
            NotYet(format!("{updated} of {wanted} pods are of the new revision"))
        } else if available < wanted {
            NotYet(format!("{available} of {wanted} pods are available"))
        } else {
            Ready
        }
    })
}

fn pod(object: &Json) -> Readiness {
    match text(object, "/status/phase").unwrap_or("Pending") {
        "Succeeded" => Ready,
        "Failed" => Failed(text(object, "/status/message").unwrap_or("the pod has failed").to_owned()),
        phase => match condition(object, "Ready") {
            Some(("True", _)) => Ready,
            Some((_, words)) if !words.is_empty() => NotYet(words),
            _ => NotYet(format!("the pod is {phase}")),
        },
    }
}

fn job(object: &Json) -> Readiness {
    match (condition(object, "Failed"), condition(object, "Complete")) {
        (Some(("True", words)), _) => Failed(words),
        (_, Some(("True", _))) => Ready,
        _ => NotYet(format!(
            "{} of {} runs have succeeded",
            count(object, "succeeded"),
            number(object, "/spec/completions").unwrap_or(1)
        )),
    }
}

/// One that waits for its first consumer is as ready as it can be: who waits for it would wait for ever.
fn claim(object: &Json) -> Readiness {
    match text(object, "/status/phase").unwrap_or("Pending") {
        "Bound" | "Pending" => Ready,
        "Lost" => Failed("its volume is lost".to_owned()),
        phase => NotYet(format!("it is {phase}")),
    }
}

fn service(object: &Json) -> Readiness {
    let ingress = object.pointer("/status/loadBalancer/ingress").and_then(Json::as_array);
    match text(object, "/spec/type") {
        Some("LoadBalancer") if ingress.is_none_or(Vec::is_empty) => NotYet("no load balancer has taken it yet".to_owned()),
        _ => Ready,
    }
}

fn definition(object: &Json) -> Readiness {
    match (condition(object, "NamesAccepted"), condition(object, "Established")) {
        (Some(("False", words)), _) => Failed(words),
        (_, Some(("True", _))) => Ready,
        _ => NotYet("it is not established yet".to_owned()),
    }
}

/// Kinds that nobody here knows: what their controllers say in the standard conditions.
fn by_conditions(object: &Json) -> Readiness {
    let says = |name: &str, status: &str| condition(object, name).filter(|(said, _)| *said == status).map(|(_, words)| words);
    if let Some(words) = says("Stalled", "True") {
        return Failed(words);
    }
    if let Some(words) = says("Reconciling", "True") {
        return NotYet(words);
    }
    match condition(object, "Ready").or_else(|| condition(object, "Available")) {
        Some(("True", _)) | None => Ready,
        Some((_, words)) => NotYet(if words.is_empty() { "it does not say that it is ready".to_owned() } else { words }),
    }
}
