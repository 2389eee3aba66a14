//! A control plane without nodes.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use harmony_testbed::{AuditLevel, ControlPlane, ControlPlaneOptions, TestbedError, available};

/// What the API server said in refusing.
fn refusal(refused: Result<String, TestbedError>) -> String {
    match refused.unwrap_err() {
        TestbedError::Command { said, .. } => said,
        other => panic!("something else than a refusal: {other}"),
    }
}

#[test]
fn the_audit_log_counts_what_was_really_asked() {
    let Some(plane) = available("the_audit_log_counts_what_was_really_asked", ControlPlane::start()) else { return };
    let kubectl = plane.kubectl();
    assert!(kubectl.run(&["get", "--raw", "/version"]).unwrap().contains(r#""gitVersion": "v1.34.4""#));
    let map = "{apiVersion: v1, kind: ConfigMap, metadata: {name: colours, namespace: default}, data: {sky: blue}}";

    let mark = plane.audit().mark().unwrap();
    kubectl.run_with_input(&["apply", "--server-side", "--dry-run=server", "-f", "-"], map).unwrap();
    let asked = plane.audit().since(mark).unwrap().of_user(plane.administrator());
    assert_eq!((asked.dry_runs().len(), asked.mutating().len()), (1, 0), "{:?}", asked.tally());

    let mark = plane.audit().mark().unwrap();
    kubectl.run_with_input(&["apply", "--server-side", "-f", "-"], map).unwrap();
    let asked = plane.audit().since(mark).unwrap().of_user(plane.administrator());
    let written: Vec<_> = asked.mutating().tally().into_iter().collect();
    assert_eq!(written, [("patch configmaps in default".to_owned(), 1)]);
    let write = &asked.mutating().0[0];
    assert_eq!((write.code(), write.parameter("fieldManager")), (201, Some("kubectl")));
}

#[test]
fn what_is_stored_outlives_a_killed_api_server() {
    let started = ControlPlaneOptions::default().with_audit_level(AuditLevel::RequestResponse).start();
    let Some(mut plane) = available("what_is_stored_outlives_a_killed_api_server", started) else { return };
    let kubectl = plane.kubectl();
    let (url, mark) = (plane.url(), plane.audit().mark().unwrap());
    kubectl.run(&["create", "configmap", "kept", "--from-literal=sky=blue"]).unwrap();
    plane.kill_api_server();
    assert!(refusal(kubectl.run(&["get", "configmap", "kept"])).contains("refused"));
    plane.start_api_server().unwrap();
    assert_eq!(plane.url(), url);
    assert_eq!(kubectl.run(&["get", "configmap", "kept", "-o", "jsonpath={.data.sky}"]).unwrap(), "blue");

    let trail = plane.audit().since(mark).unwrap().of_user(plane.administrator());
    let (created, read) = (trail.of("create", "configmaps"), trail.of("get", "configmaps"));
    assert_eq!((created.len(), read.len()), (1, 1), "before and behind the kill: {:?}", trail.tally());
    assert_eq!(created.0[0].request_object.as_ref().unwrap()["data"]["sky"], "blue");
}

#[test]
fn two_stand_side_by_side_and_know_nothing_of_each_other() {
    let name = "two_stand_side_by_side_and_know_nothing_of_each_other";
    let Some(one) = available(name, ControlPlane::start()) else { return };
    let Some(other) = available(name, ControlPlane::start()) else { return };
    assert_ne!(one.url(), other.url());
    one.kubectl().run(&["create", "namespace", "only-here"]).unwrap();
    assert!(refusal(other.kubectl().run(&["get", "namespace", "only-here"])).contains("NotFound"));
    let foreign = other.kubectl().with_kubeconfig(&one.kubeconfig());
    assert!(foreign.run(&["get", "namespace", "only-here"]).is_ok(), "the kubeconfig leads there");
    let holds = |plane: &ControlPlane, kind: &str| {
        let objects = plane.objects().unwrap();
        objects.iter().any(|object| object["kind"] == kind && object["metadata"]["name"] == "only-here")
    };
    assert!(holds(&one, "Namespace") && !holds(&other, "Namespace"), "what is there is listed with its kind");
}

#[test]
fn admission_quotas_roles_and_volumes_are_real() {
    let Some(plane) = available("admission_quotas_roles_and_volumes_are_real", ControlPlane::start()) else { return };
    let kubectl = plane.kubectl();
    kubectl.run(&["create", "namespace", "strict"]).unwrap();
    kubectl.run(&["label", "namespace", "strict", "pod-security.kubernetes.io/enforce=restricted"]).unwrap();
    let pod = |namespace| ["run", "root", "--image=any", "--namespace", namespace].map(str::to_owned);
    let run = |namespace| kubectl.run(&pod(namespace).each_ref().map(String::as_str));
    assert!(refusal(run("strict")).contains(r#"violates PodSecurity "restricted:latest""#));
    run("default").unwrap();

    kubectl.run(&["create", "quota", "few", "--hard=configmaps=2"]).unwrap();
    // The namespace holds the root certificate as a first one; the quota's controller has to count it before the quota holds.
    let used = ["wait", "resourcequota/few", "--for=jsonpath={.status.used.configmaps}=1", "--timeout=60s"];
    kubectl.run(&used).unwrap();
    kubectl.run(&["create", "configmap", "second"]).unwrap();
    assert!(refusal(kubectl.run(&["create", "configmap", "third"])).contains("exceeded quota: few"));

    let nobody = kubectl.clone().with_kubeconfig(&plane.kubeconfig_of("nobody", &[]).unwrap());
    assert!(refusal(nobody.run(&["get", "pods"])).contains(r#"User "nobody" cannot list resource "pods""#));
    kubectl.run(&["create", "rolebinding", "reads", "--clusterrole=view", "--user=nobody"]).unwrap();
    nobody.run(&["get", "pods"]).unwrap();

    let claim = "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: data}, \
                  spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}";
    kubectl.run_with_input(&["apply", "-f", "-"], claim).unwrap();
    kubectl.run(&["wait", "pvc/data", "--for=jsonpath={.status.phase}=Bound", "--timeout=60s"]).unwrap();
    let more = r#"{"spec": {"resources": {"requests": {"storage": "2Gi"}}}}"#;
    kubectl.run(&["patch", "pvc", "data", "--patch", more]).unwrap();
    kubectl.run(&["wait", "pvc/data", "--for=jsonpath={.status.capacity.storage}=2Gi", "--timeout=60s"]).unwrap();
}

#[test]
fn a_kubeconfig_that_is_given_takes_the_place_of_clusters_with_pods() {
    let name = "a_kubeconfig_that_is_given_takes_the_place_of_clusters_with_pods";
    let Some(plane) = available(name, ControlPlane::start()) else { return };
    let hold = |clusters| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_testbed"));
        command.args(["hold", "--clusters", clusters]).env("HARMONY_TEST_KUBECONFIG", plane.kubeconfig());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    };
    let too_many = hold("2").output().unwrap();
    let said = String::from_utf8_lossy(&too_many.stderr).into_owned();
    assert!(!too_many.status.success() && said.contains("this machine lacks 2 contexts in"), "{said}");

    let mut held = hold("1").spawn().unwrap();
    let mut line = String::new();
    BufReader::new(held.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(PathBuf::from(line.trim()), plane.kubeconfig());
    held.kill().unwrap();
    held.wait().unwrap();
    plane.kubectl().run(&["get", "namespace", "default"]).unwrap();
}
