//! Fields that others apply.

use harmony::engine::plan::Change;
use harmony_testbed::{ControlPlane, available};

use crate::fixture::{Program, changes, yaml};

const SETTINGS: &str =
    "{ apiVersion: v1, kind: ConfigMap, metadata: { name: settings, namespace: default }, data: { mode: quiet } }";

#[tokio::test]
async fn what_another_tool_applies_is_not_taken_from_it() {
    let Some(plane) = available("what_another_tool_applies_is_not_taken_from_it", ControlPlane::start()) else { return };
    let program = Program::new("one", &plane.kubeconfig()).await;
    program.applied(&yaml(&[SETTINGS])).await;
    let theirs = SETTINGS.replace("quiet", "loud");
    let kubectl = plane.kubectl();
    kubectl.run_with_input(&["apply", "--server-side", "--force-conflicts", "--field-manager=argo", "-f", "-"], &theirs).unwrap();
    let shown = changes(&program.plan(&yaml(&[SETTINGS])).await.unwrap());
    let Change::Forbidden { because, .. } = &shown[0].1 else { panic!("{shown:?}") };
    assert_eq!(because, "`data.mode` is applied by `argo`: take it out of the Score, or out of what `argo` applies");
    program.apply(&yaml(&[SETTINGS])).await.unwrap_err();
    assert_eq!(kubectl.run(&["get", "configmap", "settings", "-o", "jsonpath={.data.mode}"]).unwrap(), "loud");
}

#[tokio::test]
async fn what_others_have_made_is_not_taken_over_unasked() {
    let Some(plane) = available("what_others_have_made_is_not_taken_over_unasked", ControlPlane::start()) else { return };
    let program = Program::new("one", &plane.kubeconfig()).await;
    let kubectl = plane.kubectl();
    kubectl
        .run_with_input(
            &["apply", "-f", "-"],
            "{ apiVersion: v1, kind: ConfigMap, metadata: { name: settings, namespace: default }, data: { other: theirs } }",
        )
        .unwrap();
    let settings = yaml(&[SETTINGS]);
    let shown = changes(&program.plan(&settings).await.unwrap());
    let Change::Forbidden { because, hint } = &shown[0].1 else { panic!("{shown:?}") };
    assert!(because.contains("is there already") && hint.contains("--adopt"), "{because} {hint}");
}
