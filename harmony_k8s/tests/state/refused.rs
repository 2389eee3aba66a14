//! What is not used, and in which words.

use std::io::Write;

use data_encoding::BASE64;
use flate2::Compression;
use flate2::write::GzEncoder;
use harmony::engine::ledger::Ledger;
use harmony::engine::maestro::EngineError;
use harmony::engine::saved::PlanRefusal;
use harmony::lease::{Lease, MemoryLeaseStore};
use harmony::topology::Survey;
use harmony_test::World;
use harmony_testbed::{ControlPlane, available};
use harmony_types::Digest;

use crate::fixture::{Machine, NAME, NAMESPACE, kept, long_names, named, things, topology, with_namespace};

/// What reading the Ledger ends with, and what is advised.
async fn refusal(machine: &Machine) -> (String, String) {
    let error = Ledger::of(&machine.site).await.unwrap_err();
    (error.to_string(), error.hint().unwrap())
}

fn patch(plane: &ControlPlane, patch: &str) {
    plane.kubectl().run(&["-n", NAMESPACE, "patch", "configmap", NAME, "--type=merge", "-p", patch]).unwrap();
}

#[tokio::test]
async fn what_a_newer_program_wrote_is_refused_and_damage_is_named() {
    let name = "what_a_newer_program_wrote_is_refused_and_damage_is_named";
    let Some(plane) = available(name, ControlPlane::start().map(with_namespace)) else { return };
    let machine = Machine::new("one", &plane.kubeconfig(), &World::default());
    let (small, large) = (things(&named(&["a"])), things(&long_names(12)));
    let the_ledger = format!("the Ledger `{NAME}` in namespace {NAMESPACE} of cluster cluster");
    machine.applied(&small).await;

    patch(&plane, r#"{"data":{"layout":"2"}}"#);
    let (error, hint) = refusal(&machine).await;
    assert_eq!(error, format!("{the_ledger} cannot be read: its objects have form 2, this program reads up to 1"));
    assert!(hint.contains("newer version"), "{hint}");
    let refused = machine.apply(&small).await.unwrap_err();
    assert!(matches!(refused, EngineError::Ledger(_)), "{refused:?}");

    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(br#"{"format":99}"#).unwrap();
    let newer = encoder.finish().unwrap();
    let (text, digest) = (BASE64.encode(&newer), Digest::of(&newer));
    patch(&plane, &format!(r#"{{"data":{{"layout":"1","digest":"{digest}"}},"binaryData":{{"ledger":"{text}"}}}}"#));
    let (error, hint) = refusal(&machine).await;
    assert_eq!(error, format!("{the_ledger} has format 99, this program reads up to 2"));
    assert!(hint.contains("newer version"), "{hint}");

    patch(&plane, r#"{"data":{"digest":"sha256:0"}}"#);
    let (error, hint) = refusal(&machine).await;
    assert!(error.starts_with(&format!("{the_ledger} is damaged: its contents do not have the digest")), "{error}");
    assert!(hint.contains("restore it from a backup"), "{hint}");

    plane.kubectl().run(&["-n", NAMESPACE, "delete", "configmap", NAME]).unwrap();
    Machine::new("one", &plane.kubeconfig(), &World::default()).applied(&large).await;
    let part = kept(&plane).pop().unwrap();
    plane.kubectl().run(&["-n", NAMESPACE, "delete", "configmap", &part]).unwrap();
    let (error, _) = refusal(&machine).await;
    assert!(
        error.starts_with(&format!("{the_ledger} is damaged: not all of its objects are there: ")) && error.contains(&part),
        "{error}"
    );
}

#[tokio::test]
async fn a_namespace_that_is_not_there_is_named_and_a_plan_is_shown_all_the_same() {
    let name = "a_namespace_that_is_not_there_is_named_and_a_plan_is_shown_all_the_same";
    let Some(plane) = available(name, ControlPlane::start()) else { return };
    let machine = Machine::new("one", &plane.kubeconfig(), &World::default());
    let scores = things(&named(&["a"]));
    assert!(machine.plan(&scores).await.unwrap().is_pending());
    let error = machine.apply(&scores).await.unwrap_err();
    let said = harmony::explain::chain(&error);
    assert!(said.contains(&format!("namespaces \"{NAMESPACE}\" not found")), "{said}");
    assert!(error.hint().unwrap().contains(&format!("`kubectl create namespace {NAMESPACE}`")), "{:?}", error.hint());
}

#[tokio::test]
async fn a_plan_that_was_saved_elsewhere_is_refused_and_carried_out_where_it_was_made() {
    let name = "a_plan_that_was_saved_elsewhere_is_refused_and_carried_out_where_it_was_made";
    let Some(plane) = available(name, ControlPlane::start().map(with_namespace)) else { return };
    let (world, scores) = (World::default(), things(&named(&["a"])));
    let (one, other) = (Machine::new("one", &plane.kubeconfig(), &world), Machine::new("other", &plane.kubeconfig(), &world));
    let saved = one.save(&scores).await;
    let error = other.carry_out(&saved, &scores).await.unwrap_err();
    assert!(matches!(error, EngineError::SavedPlan(PlanRefusal::Key { .. })), "{error:?}");
    assert_eq!(one.carry_out(&saved, &scores).await.unwrap().writes, 1);
    let again = one.carry_out(&saved, &scores).await.unwrap_err();
    assert!(matches!(again, EngineError::SavedPlan(PlanRefusal::Ledger { .. })), "{again:?}");
}

#[tokio::test]
async fn state_that_would_be_kept_twice_or_nowhere_is_refused() {
    let machine = Machine::new("one", std::path::Path::new("/nowhere"), &World::default());
    let mut site = machine.site.clone();
    site.lease = Some(Lease::new(std::sync::Arc::new(MemoryLeaseStore::default())));
    let error = topology(std::path::Path::new("/nowhere")).keep_state(site.clone()).err().unwrap();
    assert!(error.to_string().ends_with("its runs exclude each other by the lease in memory already"), "{error}");
    site.lease = None;
    let error = topology(std::path::Path::new("/nowhere")).with_state_in("not a name").keep_state(site).err().unwrap();
    assert!(error.to_string().contains("`not a name` is not a namespace"), "{error}");
}
