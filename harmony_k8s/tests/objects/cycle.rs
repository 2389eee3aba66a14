//! From nothing to converged and back.

use std::collections::BTreeSet;

use harmony::engine::plan::Change;
use serde_json::Value as Json;

use crate::fixture::{changes, yaml};
use crate::ground::Ground;

/// One of many kinds in the namespace `shop`, as manifests write them: short of defaults, with amounts that the API writes otherwise.
const MANY_KINDS: &str = r#"
apiVersion: v1
kind: Namespace
metadata: { name: shop }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: settings, namespace: shop, labels: { app: shop } }
data: { mode: quiet, empty: "" }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: others, namespace: shop }
data: { mode: loud }
---
apiVersion: v1
kind: ServiceAccount
metadata: { name: shop, namespace: shop }
automountServiceAccountToken: false
---
apiVersion: v1
kind: Service
metadata: { name: shop, namespace: shop }
spec:
  selector: { app: shop }
  ports: [{ name: http, port: 80, targetPort: 8080 }, { name: dns, port: 53, protocol: UDP }]
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: { name: shop, namespace: shop }
spec: { maxUnavailable: 1, selector: { matchLabels: { app: shop } } }
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: shop, namespace: shop }
spec:
  podSelector: { matchLabels: { app: shop } }
  policyTypes: [Ingress]
  ingress: [{ ports: [{ port: 8080, protocol: TCP }] }]
---
apiVersion: v1
kind: ResourceQuota
metadata: { name: shop, namespace: shop }
spec: { hard: { requests.cpu: 2000m, requests.memory: 4096Mi } }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: shop, namespace: shop }
spec:
  replicas: 0
  selector: { matchLabels: { app: shop } }
  template:
    metadata: { labels: { app: shop } }
    spec:
      containers:
        - name: shop
          image: shop:1
          ports: [{ containerPort: 8080 }]
          env: [{ name: MODE, value: quiet }]
          resources: { requests: { cpu: 1000m, memory: 0.5Gi }, limits: { cpu: 1, memory: 1024Mi } }
          volumeMounts: [{ name: scratch, mountPath: /scratch }]
      volumes: [{ name: scratch, emptyDir: {} }]
"#;

/// The same in a namespace of a test's own.
fn many_kinds(namespace: &str) -> String {
    let inside = MANY_KINDS.replace("namespace: shop", &format!("namespace: {namespace}"));
    inside.replace("kind: Namespace\nmetadata: { name: shop }", &format!("kind: Namespace\nmetadata: {{ name: {namespace} }}"))
}

#[tokio::test]
async fn what_is_applied_once_is_not_written_again_and_goes_without_a_trace() {
    let test = "what_is_applied_once_is_not_written_again_and_goes_without_a_trace";
    let Some(ground) = Ground::find(test, "applied-once") else { return };
    let program = ground.program("cycle").await;
    let scores = yaml(&[&many_kinds("cycle")]);

    let mark = ground.mark();
    let plan = program.plan(&scores).await.unwrap();
    assert!(changes(&plan).iter().all(|(_, change, _)| *change == Change::Create), "{:?}", changes(&plan));
    assert_eq!(changes(&plan).len(), 9);
    assert!(ground.asked(mark).mutating().is_empty(), "a plan changes nothing");

    assert_eq!(program.applied(&scores).await, 9);
    assert!(applied_by(&ground, "harmony-cycle") >= 9);
    let mark = ground.mark();
    assert_eq!(program.applied(&scores).await, 0);
    let second = ground.asked(mark);
    assert!(second.mutating().is_empty(), "{:?}", second.tally());
    assert!(second.dry_runs().is_empty(), "what is as wished needs no dry-run: {:?}", second.tally());
    let lists: Vec<_> = second.tally().into_iter().filter(|(what, count)| what.starts_with("list ") && *count > 1).collect();
    assert!(lists.is_empty(), "one list for each kind and namespace: {lists:?}");

    assert_eq!(program.destroyed(&["cluster/namespace/cycle"]).await, 9);
    assert_eq!(applied_by(&ground, "harmony-cycle"), 0);
    assert!(ground.kubectl().run(&["get", "namespace", "cycle"]).is_err());
}

/// How many objects of the cluster hold something that this field manager has applied.
fn applied_by(ground: &Ground, manager: &str) -> usize {
    let is_theirs = |of: &Json| of["manager"] == manager;
    let objects = ground.plane.objects().unwrap();
    objects
        .iter()
        .filter(|object| object["metadata"]["managedFields"].as_array().is_some_and(|all| all.iter().any(is_theirs)))
        .count()
}

#[tokio::test]
async fn damage_is_shown_field_by_field_and_repaired() {
    let Some(ground) = Ground::find("damage_is_shown_field_by_field_and_repaired", "damaged") else { return };
    let program = ground.program("shop").await;
    // The namespace is there already, and used.
    let scores = yaml(&[&many_kinds("damaged")]);
    program.applied(&scores).await;
    ground.run(&["patch", "configmap", "settings", "--type=merge", "-p", r#"{"data":{"mode":"loud","new":"x"}}"#]);
    ground.run(&["set", "image", "deployment/shop", "shop=shop:2"]);
    ground.run(&["delete", "service", "shop"]);
    let mark = ground.mark();
    let shown = changes(&program.plan(&scores).await.unwrap());
    let previewed = ground.asked(mark).dry_runs();
    let previewed: BTreeSet<String> = previewed
        .0
        .iter()
        .filter_map(|event| event.object.as_ref())
        .map(|object| format!("{}/{}", object.resource, object.name))
        .collect();
    let damaged = ["configmaps/settings", "deployments/shop", "services/shop"].map(str::to_owned);
    assert_eq!(previewed, BTreeSet::from(damaged), "a dry-run only for what is not as wished");
    let fields =
        |address: &str| shown.iter().find(|(of, ..)| of == address).map(|(_, change, fields)| (change.clone(), fields.join(" ")));
    let settings = fields("cluster/damaged/configmap/settings").unwrap();
    assert_eq!(settings.0, Change::Update);
    assert_eq!(settings.1, "/fields/data/mode /holders/data.mode");
    let deployment = fields("cluster/damaged/deployment.apps/shop").unwrap().1;
    assert!(deployment.starts_with("/fields/spec/template/spec/containers/name=shop/image "), "{deployment}");
    assert_eq!(fields("cluster/damaged/service/shop").unwrap().0, Change::Create);
    assert_eq!(shown.len(), 3, "{shown:?}");
    assert_eq!(program.applied(&scores).await, 3);
    assert!(!program.plan(&scores).await.unwrap().is_pending());
    let data = ground.run(&["get", "configmap", "settings", "-o", "jsonpath={.data}"]);
    assert_eq!(data, r#"{"empty":"","mode":"quiet","new":"x"}"#, "what others have put there stays");
}

#[tokio::test]
async fn what_leaves_the_program_is_taken_away_and_a_field_that_leaves_it_is_given_up() {
    let test = "what_leaves_the_program_is_taken_away_and_a_field_that_leaves_it_is_given_up";
    let Some(ground) = Ground::find(test, "leaving") else { return };
    let program = ground.program("shop").await;
    let both = "{ apiVersion: v1, kind: ConfigMap, metadata: { name: a, namespace: leaving }, data: { one: x, two: z } }";
    let other = "{ apiVersion: v1, kind: ConfigMap, metadata: { name: b, namespace: leaving } }";
    program.applied(&yaml(&[both, other])).await;
    let less = "{ apiVersion: v1, kind: ConfigMap, metadata: { name: a, namespace: leaving }, data: { one: x } }";
    let shown = changes(&program.plan(&yaml(&[less])).await.unwrap());
    assert_eq!(shown.len(), 2, "{shown:?}");
    assert_eq!(shown[0].2, ["/fields/data/two"]);
    assert!(matches!(shown[1].1, Change::Delete { .. }));
    assert_eq!(program.applied(&yaml(&[less])).await, 2);
    let data = ground.run(&["get", "configmap", "a", "-o", "jsonpath={.data}"]);
    assert_eq!(data, r#"{"one":"x"}"#);
}
