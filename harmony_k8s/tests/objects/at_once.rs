//! What is made only where nothing is, by the API server's own judgement.

use std::fmt::Write;

use crate::fixture::yaml;
use crate::ground::Ground;
use harmony::{Inventory, Maestro};

/// A namespace and so many settings in it.
fn settings(count: usize) -> String {
    (0..count).fold("{ apiVersion: v1, kind: Namespace, metadata: { name: at-once } }\n".to_owned(), |mut all, number| {
        let metadata = format!("{{ name: s-{number}, namespace: at-once }}");
        writeln!(all, "---\n{{ apiVersion: v1, kind: ConfigMap, metadata: {metadata}, data: {{ mode: quiet }} }}").unwrap();
        all
    })
}

#[tokio::test]
async fn a_first_apply_sends_one_write_for_each_object_and_little_else() {
    let test = "a_first_apply_sends_one_write_for_each_object_and_little_else";
    let Some(ground) = Ground::find(test, "first-apply") else { return };
    let mut others = Vec::new();
    for count in [20, 60] {
        let program = ground.program(&format!("shop-{count}")).await;
        let scores = yaml(&[&settings(count)]);
        let mark = ground.mark();
        assert_eq!(program.applied(&scores).await, count + 1);
        let asked = ground.asked(mark);
        assert_eq!(asked.mutating().of("patch", "configmaps").len(), count, "{:?}", asked.tally());
        others.push(asked.len() - asked.mutating().len());
        assert_eq!(program.applied(&scores).await, 0, "what was made so is as it should be");
        program.destroyed(&["cluster/namespace/at-once"]).await;
    }
    assert_eq!(others[0], others[1], "everything else is asked as often for 60 objects as for 20");
}

#[tokio::test]
async fn what_others_made_since_the_plan_is_refused_by_the_api_server_itself() {
    let test = "what_others_made_since_the_plan_is_refused_by_the_api_server_itself";
    let Some(ground) = Ground::find(test, "since-the-plan") else { return };
    let program = ground.program("one").await;
    let ours = "{ apiVersion: v1, kind: ConfigMap, metadata: { name: a, namespace: since-the-plan }, data: { ours: x } }";
    // With nothing in common, so that no field is contested.
    let theirs = ours.replace("ours: x", "theirs: mine");
    let scores = yaml(&[ours]);
    let inventory = Inventory::empty();
    let maestro = Maestro::new(program.site());
    let prepared = maestro.prepare(&inventory, &program.place, &scores).await.unwrap();
    ground.kubectl().run_with_input(&["create", "-f", "-"], &theirs).unwrap();
    let mark = ground.mark();
    let outcome = prepared.apply().await.unwrap();
    assert!(outcome.failures[0].error.contains("this program has not made it"), "{:?}", outcome.failures);
    let changed: Vec<u16> = ground.asked(mark).mutating().0.iter().map(|event| event.code()).collect();
    assert_eq!(changed, [409], "it was asked for once, and refused");
    assert_eq!(ground.run(&["get", "configmap", "a", "-o", "jsonpath={.data}"]), r#"{"theirs":"mine"}"#);
}
