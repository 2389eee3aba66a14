//! Kinds that are defined and used by one program.

use crate::fixture::{changes, yaml};
use crate::ground::Ground;

const ORCHARD: &str = r#"
apiVersion: farm.example.com/v1
kind: Orchard
metadata: { name: hill }
spec: { trees: [{ sort: apple, count: 3 }] }
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: orchards.farm.example.com }
spec:
  group: farm.example.com
  scope: Cluster
  names: { kind: Orchard, plural: orchards }
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec:
              type: object
              properties:
                trees:
                  type: array
                  x-kubernetes-list-type: map
                  x-kubernetes-list-map-keys: [sort]
                  items: { type: object, required: [sort], properties: { sort: { type: string }, count: { type: integer } } }
"#;

#[tokio::test]
async fn a_plan_works_before_the_kind_is_defined_and_both_are_applied_in_one_run() {
    let test = "a_plan_works_before_the_kind_is_defined_and_both_are_applied_in_one_run";
    let Some(ground) = Ground::find(test, "farm") else { return };
    let program = ground.program("farm").await;
    assert_eq!(changes(&program.plan(&yaml(&[ORCHARD])).await.unwrap()).len(), 2);
    assert_eq!(program.applied(&yaml(&[ORCHARD])).await, 2);
    assert_eq!(program.applied(&yaml(&[ORCHARD])).await, 0);
    ground.run(&["patch", "orchard", "hill", "--type=merge", "-p", r#"{"spec":{"trees":[{"sort":"apple","count":4}]}}"#]);
    let shown = changes(&program.plan(&yaml(&[ORCHARD])).await.unwrap());
    assert_eq!(shown[0].2[0], "/fields/spec/trees/sort=apple/count", "{shown:?}");
    program.applied(&yaml(&[ORCHARD])).await;
    assert_eq!(program.destroyed(&["cluster/customresourcedefinition.apiextensions.k8s.io/orchards.farm.example.com"]).await, 2);
}
