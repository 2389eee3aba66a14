//! The table of `docs/reference/kubernetes-failures.md`, each failure with its sign, its name and its end.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use futures::future::join_all;
use harmony_testbed::{Cluster, ControlPlane, Image, Kubectl, NodePrograms, available};
use serde_json::{Value as Json, json};

use crate::failure::{Ends, Failure, shown};
use crate::webhook::Webhook;

const TABLE: &str = include_str!("../../../docs/reference/kubernetes-failures.md");
const IMAGE: &str = "harmony.test/pod:1";

fn text<'a>(json: &'a Json, pointer: &str) -> &'a str {
    json.pointer(pointer).and_then(Json::as_str).unwrap_or_default()
}

/// Whether a container of a pod waits for one of these reasons.
fn waits(shown: &[Json], reasons: &[&str]) -> bool {
    let containers = shown.iter().filter_map(|one| one.pointer("/status/containerStatuses")?.as_array()).flatten();
    containers.into_iter().any(|container| reasons.contains(&text(container, "/state/waiting/reason")))
}

fn has_event(shown: &[Json], reason: &str, words: &str) -> bool {
    shown.iter().any(|event| event["kind"] == "Event" && event["reason"] == reason && text(event, "/message").contains(words))
}

/// A Deployment of one pod whose container is called `web`.
fn web(container: &str, pod: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{ name: web, namespace: NAMESPACE }}\nspec:\n  selector: {{ matchLabels: {{ app: web }} }}\n  \
         template:\n    metadata: {{ labels: {{ app: web }} }}\n    spec:\n      containers: [{{ name: web, {container} }}]\n      {pod}\n"
    )
}

fn pulls_no_image() -> Failure {
    Failure {
        name: "Bad image",
        objects: web("image: 'harmony.test/nothing:1'", ""),
        sign: Some(|shown| waits(shown, &["ErrImagePull", "ImagePullBackOff"])),
        says: &["pod bad-image/web-", ", container web: ", "ImagePull", "harmony.test/nothing:1"],
        ends: Ends::After(20),
    }
}

fn has_no_image_name() -> Failure {
    Failure {
        name: "Invalid image name",
        objects: web("image: 'Not a Name:1'", ""),
        sign: Some(|shown| waits(shown, &["InvalidImageName"])),
        says: &["pod invalid-image-name/web-", ", container web: ", "InvalidImageName"],
        ends: Ends::AtOnce,
    }
}

fn crashes() -> Failure {
    Failure {
        name: "Crash loop",
        objects: web(&format!("image: '{IMAGE}', args: [read, /nothing]"), ""),
        sign: Some(|shown| {
            let containers = shown.iter().filter_map(|one| one.pointer("/status/containerStatuses")?.as_array()).flatten();
            let mut ended = containers
                .into_iter()
                .filter_map(|one| one.pointer("/state/terminated").or_else(|| one.pointer("/lastState/terminated")));
            ended.any(|ended| ended["exitCode"] != 0)
        }),
        says: &["pod crash-loop/web-", ", container web: ", "exited with 1 (Error)", "no such file"],
        ends: Ends::After(20),
    }
}

fn is_unschedulable(shown: &[Json]) -> bool {
    let conditions = shown.iter().filter_map(|one| one.pointer("/status/conditions")?.as_array()).flatten();
    conditions.into_iter().any(|one| one["type"] == "PodScheduled" && one["status"] == "False")
}

fn fits_no_node() -> Failure {
    Failure {
        name: "Unschedulable",
        objects: web(&format!("image: '{IMAGE}', args: [pause], resources: {{ requests: {{ cpu: 1000 }} }}"), ""),
        sign: Some(is_unschedulable),
        says: &["pod unschedulable/web-", "Unschedulable", "Insufficient cpu"],
        ends: Ends::After(60),
    }
}

fn misses_its_secret() -> Failure {
    Failure {
        name: "Missing Secret",
        objects: web(
            &format!("image: '{IMAGE}', args: [pause], volumeMounts: [{{ name: key, mountPath: /key }}]"),
            "volumes: [{ name: key, secret: { secretName: key } }]",
        ),
        sign: Some(|shown| has_event(shown, "FailedMount", "key")),
        says: &["pod missing-secret/web-", ", container web: ", "FailedMount", "secret \"key\" not found"],
        ends: Ends::After(20),
    }
}

fn misses_its_variable() -> Failure {
    Failure {
        name: "Missing Secret in a variable",
        objects: web(
            &format!(
                "image: '{IMAGE}', args: [pause], env: [{{ name: KEY, valueFrom: {{ secretKeyRef: {{ name: key, key: key }} }} }}]"
            ),
            "",
        ),
        sign: Some(|shown| waits(shown, &["CreateContainerConfigError"])),
        says: &[
            "pod missing-secret-in-a-variable/web-",
            ", container web: ",
            "CreateContainerConfigError",
            "secret \"key\" not found",
        ],
        ends: Ends::After(20),
    }
}

fn claims_of_no_class() -> Failure {
    let claim = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: { name: data, namespace: NAMESPACE }\nspec:\n  \
                 storageClassName: none-such\n  accessModes: [ReadWriteOnce]\n  resources: { requests: { storage: 1Gi } }\n";
    Failure {
        name: "PVC pending",
        objects: claim.to_owned(),
        sign: Some(|shown| has_event(shown, "ProvisioningFailed", "none-such")),
        says: &["PersistentVolumeClaim pvc-pending/data", "ProvisioningFailed", "\"none-such\" not found"],
        ends: Ends::After(20),
    }
}

fn claims_too_little() -> Failure {
    let claims = "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: { name: web, namespace: NAMESPACE }\nspec:\n  serviceName: web\n  \
                  selector: { matchLabels: { app: web } }\n  template:\n    metadata: { labels: { app: web } }\n    spec:\n      \
                  containers: [{ name: web, image: 'IMAGE', args: [pause] }]\n  volumeClaimTemplates:\n  - metadata: { name: data }\n    \
                  spec: { storageClassName: none-such, accessModes: [ReadWriteOnce], resources: { requests: { storage: 1Gi } } }\n";
    Failure {
        name: "PVC pending of a pod",
        objects: claims.replace("IMAGE", IMAGE),
        sign: Some(|shown| has_event(shown, "ProvisioningFailed", "none-such")),
        says: &["PersistentVolumeClaim pvc-pending-of-a-pod/data-web-0", "ProvisioningFailed", "\"none-such\" not found"],
        ends: Ends::After(20),
    }
}

fn exceeds_its_quota() -> Failure {
    Failure {
        name: "Quota",
        objects: web(&format!("image: '{IMAGE}', resources: {{ requests: {{ cpu: 2 }} }}"), ""),
        sign: Some(|shown| has_event(shown, "FailedCreate", "exceeded quota")),
        says: &["ReplicaSet quota/web-", "FailedCreate", "exceeded quota: small", "requests.cpu=2"],
        ends: Ends::After(20),
    }
}

fn is_denied() -> Failure {
    Failure {
        name: "Webhook denial",
        objects: web(&format!("image: '{IMAGE}'"), ""),
        sign: Some(|shown| has_event(shown, "FailedCreate", "denied the request")),
        says: &[
            "ReplicaSet webhook-denial/web-",
            "FailedCreate",
            "admission webhook \"strict.example.com\" denied the request: no pods today",
        ],
        ends: Ends::After(20),
    }
}

fn is_denied_itself() -> Failure {
    Failure {
        name: "Webhook denial of the object",
        objects:
            "{ apiVersion: v1, kind: Service, metadata: { name: web, namespace: NAMESPACE }, spec: { ports: [{ port: 80 }] } }"
                .to_owned(),
        sign: None,
        says: &[
            "Service webhook-denial-of-the-object/web",
            "admission webhook \"strict.example.com\" denied the request: no pods today",
        ],
        ends: Ends::BeforeItWrites,
    }
}

fn is_not_permitted() -> Failure {
    Failure {
        name: "Missing permission",
        objects: "{ apiVersion: v1, kind: ConfigMap, metadata: { name: web, namespace: NAMESPACE } }".to_owned(),
        sign: None,
        says: &["create configmaps in missing-permission (web)", "patch configmaps in missing-permission (web)"],
        ends: Ends::BeforeItWrites,
    }
}

fn is_of_no_kind() -> Failure {
    Failure {
        name: "CRD missing",
        objects: "{ apiVersion: farm.example.com/v1, kind: Orchard, metadata: { name: hill, namespace: NAMESPACE } }".to_owned(),
        sign: Some(|_| true),
        says: &["Orchard.farm.example.com crd-missing/hill", "the API serves no Orchard in farm.example.com/v1"],
        ends: Ends::After(20),
    }
}

fn wants_a_taken_port() -> Failure {
    Failure {
        name: "Port taken",
        objects: "{ apiVersion: v1, kind: Service, metadata: { name: web, namespace: NAMESPACE }, spec: { type: NodePort, selector: { app: web }, \
                  ports: [{ port: 80, nodePort: 30500 }] } }"
            .to_owned(),
        sign: None,
        says: &["Service port-taken/web", "30500", "provided port is already allocated", "choose another port"],
        ends: Ends::BeforeItWrites,
    }
}

fn wants_a_taken_port_of_the_node() -> Failure {
    let two = web(&format!("image: '{IMAGE}', args: [pause], ports: [{{ containerPort: 80, hostPort: 31999 }}]"), "");
    Failure {
        name: "Port of the node taken",
        objects: two.replacen("spec:", "spec:\n  replicas: 2", 1),
        sign: Some(is_unschedulable),
        says: &["pod port-of-the-node-taken/web-", "Unschedulable", "free ports for the requested pod ports"],
        ends: Ends::After(60),
    }
}

fn is_not_answered() -> Failure {
    Failure {
        name: "Silent webhook",
        objects: web(&format!("image: '{IMAGE}'"), ""),
        sign: Some(|shown| has_event(shown, "FailedCreate", "failed calling webhook")),
        says: &["ReplicaSet silent-webhook/web-", "FailedCreate", "failed calling webhook \"silent.example.com\""],
        ends: Ends::After(60),
    }
}

/// What a kubelet would say of the first pod of a namespace.
type Play = fn(&Kubectl, &Json);

fn says_status(kubectl: &Kubectl, pod: &Json, status: &Json) {
    let (namespace, name) = (text(pod, "/metadata/namespace"), text(pod, "/metadata/name"));
    let patch = json!({ "status": status }).to_string();
    kubectl.run(&["-n", namespace, "patch", "pod", name, "--subresource=status", "--type=merge", "-p", &patch]).unwrap();
}

fn of_container(state: &Json) -> Json {
    let container = json!({ "name": "web", "image": "i", "imageID": "", "ready": false, "restartCount": 0, "state": state });
    json!({ "phase": "Pending", "containerStatuses": [container] })
}

/// Those failures that only a kubelet or a scheduler finds, with what they would say of the pod.
fn played() -> Vec<(Failure, Play)> {
    let image: Play = |kubectl, pod| {
        let waiting = json!({ "reason": "ErrImagePull", "message": "failed to pull image \"harmony.test/nothing:1\"" });
        says_status(kubectl, pod, &of_container(&json!({ "waiting": waiting })));
    };
    let crash: Play = |kubectl, pod| {
        let terminated = json!({ "exitCode": 1, "reason": "Error", "message": "open /nothing: no such file or directory" });
        let mut status = of_container(&json!({ "waiting": { "reason": "CrashLoopBackOff", "message": "back-off" } }));
        status["containerStatuses"][0]["lastState"] = json!({ "terminated": terminated });
        says_status(kubectl, pod, &status);
    };
    let schedule: Play = |kubectl, pod| {
        let condition = json!({ "type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes are available: 1 Insufficient cpu." });
        says_status(kubectl, pod, &json!({ "phase": "Pending", "conditions": [condition] }));
    };
    let mount: Play = |kubectl, pod| {
        says_status(kubectl, pod, &of_container(&json!({ "waiting": { "reason": "ContainerCreating" } })));
        let namespace = text(pod, "/metadata/namespace");
        let involved =
            json!({ "kind": "Pod", "namespace": namespace, "name": pod["metadata"]["name"], "uid": pod["metadata"]["uid"] });
        let event = json!({
            "apiVersion": "v1", "kind": "Event", "metadata": { "name": "mount", "namespace": namespace }, "involvedObject": involved, "type": "Warning",
            "reason": "FailedMount", "message": "MountVolume.SetUp failed for volume \"key\" : secret \"key\" not found",
            "lastTimestamp": "2026-01-01T00:00:00Z",
        });
        kubectl.run_with_input(&["apply", "-f", "-"], &event.to_string()).unwrap();
    };
    vec![(pulls_no_image(), image), (crashes(), crash), (fits_no_node(), schedule), (misses_its_secret(), mount)]
}

/// Runs all side by side, looking at the API all the while, and holds each against the table.
async fn run_all(failures: &[Failure], plays: &BTreeMap<String, Play>, (kubeconfig, context): (&Path, &str), kubectl: &Kubectl) {
    for failure in failures {
        assert!(
            TABLE.contains(&format!("| {} |", failure.name)),
            "`{}` is not in docs/reference/kubernetes-failures.md",
            failure.name
        );
    }
    let runs = join_all(failures.iter().map(|failure| failure.run(kubeconfig, context)));
    let (ended, has_ended) = tokio::sync::oneshot::channel::<()>();
    let signs: BTreeMap<String, fn(&[Json]) -> bool> =
        failures.iter().filter_map(|failure| Some((failure.namespace(), failure.sign?))).collect();
    let (kubectl, mut plays) = (kubectl.clone(), plays.clone());
    let watching = tokio::task::spawn_blocking(move || {
        let (mut first, mut has_ended) = (BTreeMap::<String, Instant>::new(), has_ended);
        while has_ended.try_recv() == Err(tokio::sync::oneshot::error::TryRecvError::Empty) {
            let begun = Instant::now();
            let all = shown(&kubectl);
            for (namespace, sign) in &signs {
                let own: Vec<Json> = all.iter().filter(|one| text(one, "/metadata/namespace") == namespace).cloned().collect();
                if !first.contains_key(namespace) && sign(&own) {
                    first.insert(namespace.clone(), begun);
                }
                if let Some(pod) = own.iter().find(|one| one["kind"] == "Pod" && plays.contains_key(namespace)) {
                    let (play, kubectl, pod) = (plays.remove(namespace), kubectl.clone(), pod.clone());
                    std::thread::spawn(move || play.into_iter().for_each(|play| play(&kubectl, &pod)));
                }
            }
            std::thread::sleep(Duration::from_millis(300));
        }
        first
    });
    let runs = runs.await;
    drop(ended);
    let first = watching.await.unwrap();
    for (failure, run) in failures.iter().zip(&runs) {
        failure.check(run, first.get(&failure.namespace()).copied());
    }
}

fn make_namespaces(kubectl: &Kubectl, failures: &[Failure]) {
    for failure in failures {
        kubectl.run(&["create", "namespace", &failure.namespace()]).unwrap();
    }
}

/// What has to be there so that a failure fails.
fn prepare(kubectl: &Kubectl, webhook: &Webhook) {
    kubectl.run(&["-n", "quota", "create", "quota", "small", "--hard=requests.cpu=1"]).unwrap();
    kubectl.run(&["-n", "default", "create", "service", "nodeport", "first", "--tcp=80", "--node-port=30500"]).unwrap();
    let rules =
        json!([{ "apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods", "services"] }]);
    let certificate = data_encoding::BASE64.encode(webhook.certificate.as_bytes());
    let hook = |name: &str, url: &str, namespaces: &[&str]| {
        let selected = json!([{ "key": "kubernetes.io/metadata.name", "operator": "In", "values": namespaces }]);
        json!({
            "name": name, "sideEffects": "None", "admissionReviewVersions": ["v1"], "rules": rules, "timeoutSeconds": 5,
            "namespaceSelector": { "matchExpressions": selected }, "clientConfig": { "url": url, "caBundle": certificate },
        })
    };
    let hooks = [
        hook("strict.example.com", &webhook.url, &["webhook-denial", "webhook-denial-of-the-object"]),
        // Nobody listens there.
        hook("silent.example.com", "https://127.0.0.1:9/", &["silent-webhook"]),
    ];
    let configuration = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration", "metadata": { "name": "strict" }, "webhooks": hooks,
    });
    kubectl.run_with_input(&["apply", "-f", "-"], &configuration.to_string()).unwrap();
    let rights = ["create", "role", "reader", "--verb=get,list", "--resource=configmaps", "-n", "missing-permission"];
    kubectl.run(&rights).unwrap();
    kubectl.run(&["-n", "missing-permission", "create", "rolebinding", "reader", "--role=reader", "--user=clerk"]).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_failure_that_an_api_server_shows_is_named_and_ends_the_run() {
    let name = "every_failure_that_an_api_server_shows_is_named_and_ends_the_run";
    let Some(plane) = available(name, ControlPlane::start()) else { return };
    let (played, plays): (Vec<Failure>, Vec<Play>) = played().into_iter().unzip();
    let plays: BTreeMap<String, Play> = played.iter().map(Failure::namespace).zip(plays).collect();
    let failures: Vec<Failure> = [
        exceeds_its_quota(),
        is_denied(),
        is_not_answered(),
        is_denied_itself(),
        is_of_no_kind(),
        wants_a_taken_port(),
        claims_of_no_class(),
    ]
    .into_iter()
    .chain(played)
    .collect();
    let (kubectl, webhook) = (plane.kubectl(), Webhook::start("no pods today"));
    let clerks = [is_not_permitted()];
    make_namespaces(&kubectl, &failures);
    make_namespaces(&kubectl, &clerks);
    prepare(&kubectl, &webhook);
    let clerk = plane.kubeconfig_of("clerk", &[]).unwrap();
    run_all(&clerks, &BTreeMap::new(), (&clerk, "testbed"), &kubectl).await;
    run_all(&failures, &plays, (&plane.kubeconfig(), "testbed"), &kubectl).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_failure_of_real_pods_is_named_and_ends_the_run() {
    let name = "every_failure_of_real_pods_is_named_and_ends_the_run";
    let Some(mut cluster) = available(name, Cluster::start("failures")) else { return };
    let image = Image::new(IMAGE, &["/pod"]).with_program("/pod", NodePrograms::ensure(&|_| ()).unwrap().pod);
    cluster.load_image(&image).unwrap();
    let failures = [
        has_no_image_name(),
        pulls_no_image(),
        crashes(),
        fits_no_node(),
        misses_its_secret(),
        misses_its_variable(),
        wants_a_taken_port_of_the_node(),
        claims_too_little(),
    ];
    let kubectl = cluster.kubectl();
    make_namespaces(&kubectl, &failures);
    let context = cluster.context().to_owned();
    run_all(&failures, &BTreeMap::new(), (&cluster.kubeconfig(), &context), &kubectl).await;
}
