//! Objects that do not go at once, that cannot be changed, and an API server that goes away in between.

use std::fmt::Write;
use std::time::Duration;

use harmony::engine::plan::Change;
use harmony_testbed::{ControlPlane, available};

use crate::fixture::{Program, asked, changes, yaml};
use crate::ground::Ground;

const KEPT: &str = "{ apiVersion: v1, kind: ConfigMap, metadata: { name: kept, namespace: finalizers } }";
const OTHER: &str = "{ apiVersion: v1, kind: ConfigMap, metadata: { name: other, namespace: finalizers } }";

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_is_waited_for_until_its_finalizers_are_gone_and_is_what_was_seen() {
    let test = "what_goes_is_waited_for_until_its_finalizers_are_gone_and_is_what_was_seen";
    let Some(ground) = Ground::find(test, "finalizers") else { return };
    let program = ground.program("one").await;
    program.applied(&yaml(&[KEPT, OTHER])).await;
    let finalizers = |list: &str| format!(r#"{{"metadata":{{"finalizers":{list}}}}}"#);
    let patch = |list: &str| ground.run(&["patch", "configmap", "kept", "--type=merge", "-p", &finalizers(list)]);
    patch(r#"["example.com/backup"]"#);
    let uid = ground.run(&["get", "configmap", "kept", "-o", "jsonpath={.metadata.uid}"]);
    let mark = ground.mark();
    let scores = yaml(&[OTHER]);
    let release = async {
        tokio::time::sleep(Duration::from_secs(3)).await;
        let leaving = ground.run(&["get", "configmap", "kept", "-o", "jsonpath={.metadata.deletionTimestamp}"]);
        assert!(!leaving.is_empty(), "it is being deleted");
        patch("[]");
        tokio::time::Instant::now()
    };
    let apply = async { (program.applied(&scores).await, tokio::time::Instant::now()) };
    let ((writes, ended), released) = tokio::join!(apply, release);
    assert!(writes == 1 && ended > released, "it is waited for");
    let asked = ground.asked(mark);
    let deletions = asked.of("delete", "configmaps");
    assert_eq!(deletions.len(), 1, "{:?}", asked.tally());
    assert_eq!(deletions.0[0].request_object.as_ref().unwrap()["preconditions"]["uid"], uid);
}

#[tokio::test]
async fn what_cannot_be_changed_is_replaced_and_the_plan_says_so() {
    let Some(ground) = Ground::find("what_cannot_be_changed_is_replaced_and_the_plan_says_so", "fixed") else { return };
    let program = ground.program("one").await;
    let fixed = "{ apiVersion: v1, kind: ConfigMap, metadata: { name: fixed, namespace: fixed }, immutable: true, data: { mode: quiet } }";
    let loud = fixed.replace("quiet", "loud");
    program.applied(&yaml(&[fixed])).await;
    let shown = changes(&program.plan(&yaml(&[&loud])).await.unwrap());
    assert!(matches!(&shown[0].1, Change::Replace { because } if because.contains("immutable")), "{shown:?}");
    assert_eq!(program.applied(&yaml(&[&loud])).await, 1);
    assert_eq!(ground.run(&["get", "configmap", "fixed", "-o", "jsonpath={.data.mode}"]), "loud");
    assert_eq!(program.applied(&yaml(&[&loud])).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_server_that_is_killed_in_mid_apply_and_comes_back_is_waited_for() {
    let name = "an_api_server_that_is_killed_in_mid_apply_and_comes_back_is_waited_for";
    let Some(mut plane) = available(name, ControlPlane::start()) else { return };
    let program = Program::new("one", &plane.kubeconfig()).await;
    let many = (0..300).fold(String::new(), |mut all, number| {
        writeln!(all, "---\n{{ apiVersion: v1, kind: ConfigMap, metadata: {{ name: m-{number}, namespace: default }} }}")
            .unwrap();
        all
    });
    let scores = yaml(&[&many]);
    let mark = plane.audit().mark().unwrap();
    let disturb = tokio::task::spawn_blocking(move || {
        let written = |plane: &ControlPlane| asked(plane, mark).mutating().of("patch", "configmaps").len();
        while written(&plane) < 30 {
            std::thread::sleep(Duration::from_millis(20));
        }
        plane.kill_api_server();
        let until_then = written(&plane);
        plane.start_api_server().unwrap();
        (plane, until_then)
    });
    let (writes, disturbed) = tokio::join!(program.applied(&scores), disturb);
    let (plane, until_then) = disturbed.unwrap();
    assert_eq!(writes, 300);
    assert!(until_then < 300, "it was killed too late to disturb: {until_then}");
    assert_eq!(program.applied(&scores).await, 0);
    let created = asked(&plane, mark).mutating().0.iter().filter(|event| event.code() == 201).count();
    assert!((300 - 16..=300).contains(&created), "nothing twice, and at most the answers in flight unheard: {created}");
}
