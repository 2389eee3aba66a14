//! Namespaces that several programs use.

use crate::fixture::{changes, yaml};
use crate::ground::Ground;

#[tokio::test]
async fn a_namespace_goes_with_the_last_program_that_uses_it_and_only_if_that_has_made_it() {
    let test = "a_namespace_goes_with_the_last_program_that_uses_it_and_only_if_that_has_made_it";
    let Some(ground) = Ground::find(test, "sharing") else { return };
    let (one, other) = (ground.program("one").await, ground.program("other").await);
    let with = |object: &str| {
        let namespace = "{ apiVersion: v1, kind: Namespace, metadata: { name: shared } }";
        yaml(&[namespace, &format!("{{ apiVersion: v1, kind: ConfigMap, metadata: {{ name: {object}, namespace: shared }} }}")])
    };
    one.applied(&with("of-one")).await;
    other.applied(&with("of-other")).await;
    let shown = changes(&one.plan(&with("of-one")).await.unwrap());
    assert!(shown.is_empty(), "{shown:?}");
    assert_eq!((one.applied(&with("of-one")).await, other.applied(&with("of-other")).await), (0, 0));
    let kubectl = ground.kubectl();
    // Nothing is lost by leaving, so nothing has to be allowed.
    one.destroyed(&[]).await;
    assert_eq!(kubectl.run(&["-n", "shared", "get", "configmap", "of-other", "-o", "name"]).unwrap(), "configmap/of-other\n");
    // The one that has made it is gone, and nobody else takes away what it has not made.
    other.destroyed(&[]).await;
    assert!(kubectl.run(&["get", "namespace", "shared"]).is_ok());
}
