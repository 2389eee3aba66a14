//! The commands of a site program whose state is in the cluster, each from a directory of its own.

use std::collections::BTreeMap;
use std::path::Path;

use harmony::lease::{LeaseRecord, WallTime};
use harmony::modules::k8s::score::K8sResourceScore;
use harmony::{Inventory, Scores};
use harmony_cli::{Exit, Invocation, Streams, Variables, interrupts, run_with};
use harmony_io::Io;
use harmony_k8s::K8sPlace;
use harmony_test::Captured;
use harmony_testbed::{ControlPlane, available};
use tempfile::TempDir;

use crate::fixture::{NAME, kept, site, topology, with_namespace};

/// Runs a command on a machine where it has never run before; how it ended, and all that it said.
async fn command(kubeconfig: &Path, arguments: &str, variables: &[(&str, &str)]) -> (Exit, String) {
    let (directory, said) = (TempDir::new().unwrap(), Captured::default());
    let state = directory.path().to_str().unwrap();
    let mut given: BTreeMap<String, String> =
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    given.insert("HARMONY_STATE_DIR".to_owned(), state.to_owned());
    given.insert("XDG_CONFIG_HOME".to_owned(), format!("{state}/configuration"));
    let (_interrupter, interrupts) = interrupts();
    let invocation = Invocation {
        program: "shop".to_owned(),
        arguments: arguments.split_whitespace().map(Into::into).collect(),
        variables: Variables::Given(given),
        streams: Streams::without_terminal(said.clone(), said.clone()),
        width: Some(200),
        interrupts,
        io: Io::real(),
    };
    let object = "{ apiVersion: v1, kind: ConfigMap, metadata: { name: window, namespace: default } }";
    let scores = Scores::<K8sPlace>::default().with(K8sResourceScore::yaml("window", object));
    let exit = run_with(invocation, Inventory::empty(), topology(kubeconfig), scores).await;
    (exit, said.text())
}

#[tokio::test]
async fn every_command_finds_the_state_and_says_who_holds_the_lease() {
    let name = "every_command_finds_the_state_and_says_who_holds_the_lease";
    let Some(plane) = available(name, ControlPlane::start().map(with_namespace)) else { return };
    let kubeconfig = plane.kubeconfig();
    let (exit, said) = command(&kubeconfig, "apply --yes", &[]).await;
    assert_eq!(exit, Exit::Done, "{said}");
    for arguments in ["plan --exit-code", "status", "drift", "apply --yes", "doctor"] {
        let (exit, said) = command(&kubeconfig, arguments, &[]).await;
        assert_eq!(exit, Exit::Done, "{arguments}: {said}");
        assert!(
            arguments != "doctor"
                || ["lease", "readable: 1 thing, run 1", "may be kept in"].iter().all(|words| said.contains(words)),
            "{said}"
        );
    }

    let directory = TempDir::new().unwrap();
    let lease = site(&directory.path().join("shop"), Io::real(), &kubeconfig).lease.unwrap();
    let stored = lease.store().find().await.unwrap().unwrap();
    let (now, holder) = (WallTime::now(), "`shop`, process 7 of ci on runner-3".to_owned());
    let record = LeaseRecord { holder: Some(holder.clone()), taken: now, renewed: now, ..stored.record };
    let held = lease.store().swap(Some(&stored.version), &record).await.unwrap();
    for arguments in ["plan", "status", "drift", "doctor"] {
        let (_, said) = command(&kubeconfig, arguments, &[]).await;
        assert!(
            said.contains(&format!("the lease `{NAME}`")) && said.contains(&format!("is held by {holder}, since 20")),
            "{arguments}: {said}"
        );
    }
    lease.store().swap(Some(&held), &LeaseRecord { holder: None, ..record }).await.unwrap();

    let (exit, said) = command(&kubeconfig, "plan", &[("HARMONY_LEASE_DIR", "/tmp/leases")]).await;
    assert_eq!(exit, Exit::Refused, "{said}");
    assert!(said.contains("the state of this program cannot be kept") && said.contains("hint: say one of the two"), "{said}");
    let (exit, said) = command(&kubeconfig, "forget cluster/default/configmap/window --yes", &[]).await;
    assert!(exit == Exit::Done && said.contains("Done: 1 forgotten"), "{said}");
    assert!(kept(&plane).is_empty());
    assert!(plane.kubectl().run(&["get", "configmap", "window"]).is_ok(), "it stays as it is");
}
