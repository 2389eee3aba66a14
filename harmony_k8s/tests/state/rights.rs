//! What a run may not do to keep its state.

use harmony::engine::maestro::EngineError;
use harmony::topology::{Survey, Verdict};
use harmony_test::World;
use harmony_testbed::{ControlPlane, available};

use crate::fixture::{Machine, NAMESPACE, kept, named, things, topology, with_namespace};

#[tokio::test]
async fn the_rights_that_state_needs_are_named_all_at_once_before_anything_is_written() {
    let name = "the_rights_that_state_needs_are_named_all_at_once_before_anything_is_written";
    let Some(plane) = available(name, ControlPlane::start().map(with_namespace)) else { return };
    let (kubectl, world, scores) = (plane.kubectl(), World::default(), things(&named(&["a"])));
    let clerk = plane.kubeconfig_of("clerk", &[]).unwrap();
    let machine = Machine::new("one", &clerk, &world);
    let error = harmony::explain::chain(&machine.apply(&scores).await.unwrap_err());
    let rights =
        |verbs: &[&str], resource: &str| verbs.iter().map(|verb| format!("{verb} {resource} in {NAMESPACE}")).collect::<Vec<_>>();
    let of_ledger = rights(&["create", "delete", "get", "list", "patch", "update"], "configmaps");
    let of_lease = rights(&["create", "get", "update"], "leases.coordination.k8s.io");
    for right in of_ledger.iter().chain(&of_lease) {
        assert!(error.contains(right), "{right}: {error}");
    }

    // Who may take the lease and look is still told before anything is made.
    let grant = |name: &str, verbs: &str, resource: &str| {
        let (verbs, resource) = (format!("--verb={verbs}"), format!("--resource={resource}"));
        kubectl.run(&["-n", NAMESPACE, "create", "role", name, &verbs, &resource]).unwrap();
        let role = format!("--role={name}");
        kubectl.run(&["-n", NAMESPACE, "create", "rolebinding", name, &role, "--user=clerk"]).unwrap();
    };
    grant("take", "get,create,update", "leases.coordination.k8s.io");
    grant("look", "get,list", "configmaps");
    let error = machine.apply(&scores).await.unwrap_err();
    let EngineError::NotPermitted { missing } = &error else { panic!("{error:?}") };
    let expected = rights(&["create", "delete", "patch", "update"], "configmaps");
    assert!(missing.len() == 4 && expected.iter().zip(missing).all(|(right, said)| said.starts_with(right)), "{missing:?}");
    assert!(kept(&plane).is_empty() && world.writes() == 0);
    let checks = topology(&clerk).examine(&machine.site).await;
    let state = checks.iter().find(|check| check.about == "state in the cluster").unwrap();
    assert!(state.verdict == Verdict::Wrong && state.found.contains(&expected[0]), "{state:?}");

    grant("write", "create,update,patch,delete", "configmaps");
    assert_eq!((machine.applied(&scores).await, machine.destroyed().await), (1, 1));
    assert!(topology(&clerk).examine(&machine.site).await.iter().all(|check| check.verdict == Verdict::Good));
}
