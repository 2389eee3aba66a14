//! What a run may not do.

use std::sync::Arc;

use harmony::Scores;
use harmony::engine::maestro::EngineError;
use harmony::modules::k8s::score::K8sResourceScore;
use harmony_testbed::{ControlPlane, available};

use crate::failure::{Program, Said};

const OLD: &str = "{ apiVersion: v1, kind: ConfigMap, metadata: { name: old, namespace: default } }";
const NEW: &str = "{ apiVersion: v1, kind: ConfigMap, metadata: { name: a, namespace: default } }\n---\n\
                   { apiVersion: v1, kind: ConfigMap, metadata: { name: b, namespace: default } }\n---\n\
                   { apiVersion: v1, kind: Service, metadata: { name: web, namespace: default }, spec: { ports: [{ port: 80 }] } }";

#[tokio::test]
async fn what_a_run_may_not_do_is_said_in_one_error_before_the_first_write() {
    let name = "what_a_run_may_not_do_is_said_in_one_error_before_the_first_write";
    let Some(plane) = available(name, ControlPlane::start()) else { return };
    let (kubectl, said) = (plane.kubectl(), Arc::new(Said::default()));
    let scores = |text: &str| Scores::default().with(K8sResourceScore::yaml("objects", text));
    let mut program = Program::new("default", &plane.kubeconfig(), "testbed").await;
    program.apply(&scores(OLD), &said).await.unwrap();

    kubectl.run(&["create", "role", "clerk", "--verb=get,list", "--resource=configmaps,services"]).unwrap();
    kubectl.run(&["create", "role", "one", "--verb=patch,create", "--resource=configmaps", "--resource-name=a"]).unwrap();
    kubectl.run(&["create", "rolebinding", "clerk", "--role=clerk", "--user=clerk"]).unwrap();
    kubectl.run(&["create", "rolebinding", "one", "--role=one", "--user=clerk"]).unwrap();
    program.go_on_as(&plane.kubeconfig_of("clerk", &[]).unwrap()).await;
    let mark = plane.audit().mark().unwrap();
    let refused = program.apply(&scores(NEW), &said).await.unwrap_err();
    insta::assert_snapshot!(
        refused.to_string().replace("; ", "\n"),
        @r"
    the run may not create configmaps in default (b) of cluster cluster
    delete configmaps in default (old) of cluster cluster
    patch configmaps in default (b) of cluster cluster
    create services in default (web) of cluster cluster
    patch services in default (web) of cluster cluster
    "
    );
    assert!(matches!(refused, EngineError::NotPermitted { .. }));
    assert!(plane.audit().since(mark).unwrap().of_user("clerk").mutating().is_empty(), "nothing is written");

    kubectl.run(&["create", "rolebinding", "all", "--clusterrole=edit", "--user=clerk"]).unwrap();
    let applied = program.apply(&scores(NEW), &said).await.unwrap();
    assert!(applied.failures.is_empty(), "{:?}", applied.failures);
    assert_eq!(applied.writes, 4);
}
