//! Fields that others apply.

use harmony::engine::plan::Change;

use crate::fixture::{changes, yaml};
use crate::ground::Ground;

fn settings(namespace: &str, data: &str) -> String {
    format!("{{ apiVersion: v1, kind: ConfigMap, metadata: {{ name: settings, namespace: {namespace} }}, data: {{ {data} }} }}")
}

#[tokio::test]
async fn what_another_tool_applies_is_not_taken_from_it() {
    let Some(ground) = Ground::find("what_another_tool_applies_is_not_taken_from_it", "applied-by-two") else { return };
    let (program, kubectl) = (ground.program("one").await, ground.kubectl());
    let (ours, theirs) = (settings(ground.name, "mode: quiet"), settings(ground.name, "mode: loud"));
    program.applied(&yaml(&[&ours])).await;
    kubectl.run_with_input(&["apply", "--server-side", "--force-conflicts", "--field-manager=argo", "-f", "-"], &theirs).unwrap();
    let shown = changes(&program.plan(&yaml(&[&ours])).await.unwrap());
    let Change::Forbidden { because, .. } = &shown[0].1 else { panic!("{shown:?}") };
    assert_eq!(because, "`data.mode` is applied by `argo`: take it out of the Score, or out of what `argo` applies");
    program.apply(&yaml(&[&ours])).await.unwrap_err();
    assert_eq!(ground.run(&["get", "configmap", "settings", "-o", "jsonpath={.data.mode}"]), "loud");
}

#[tokio::test]
async fn what_others_have_made_is_not_taken_over_unasked() {
    let Some(ground) = Ground::find("what_others_have_made_is_not_taken_over_unasked", "made-by-others") else { return };
    let program = ground.program("one").await;
    ground.kubectl().run_with_input(&["apply", "-f", "-"], &settings(ground.name, "other: theirs")).unwrap();
    let ours = yaml(&[&settings(ground.name, "mode: quiet")]);
    let shown = changes(&program.plan(&ours).await.unwrap());
    let Change::Forbidden { because, hint } = &shown[0].1 else { panic!("{shown:?}") };
    assert!(because.contains("is there already") && hint.contains("--adopt"), "{because} {hint}");
}
