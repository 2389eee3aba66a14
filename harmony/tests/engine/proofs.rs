//! When proofs are carried out, and what they gate.

use harmony::engine::outcome::Ending;
use harmony::engine::plan::Change;
use harmony_test::{Call, Failing, FakeProof, FakeSite};

use crate::programs::{change, program, proven, things};

#[tokio::test]
async fn a_proof_runs_when_something_under_it_changed_and_not_otherwise() {
    let site = FakeSite::new();
    let outcome = site.apply(&proven(1)).await.unwrap();
    assert_eq!(site.world.take_proofs(), ["p"]);
    assert_eq!((outcome.proofs[0].claim.as_str(), outcome.counts.prove), ("p holds", 1));
    let outcome = site.apply(&proven(1)).await.unwrap();
    assert!(site.world.take_proofs().is_empty());
    assert_eq!((outcome.counts.unchanged, outcome.counts.holding), (2, 1));
    site.apply(&proven(2)).await.unwrap();
    assert_eq!(site.world.take_proofs(), ["p"]);
    site.world.edit("fake-thing/v1", "a", |stored| stored.state["size"] = 9.into());
    site.apply(&proven(2)).await.unwrap();
    assert_eq!(site.world.take_proofs(), ["p"]);
}

#[tokio::test]
async fn a_failing_proof_fails_the_run_and_gates_what_follows() {
    let site = FakeSite::new();
    site.world.fail_proof("p");
    let outcome = site.apply(&proven(1)).await.unwrap();
    assert_eq!(outcome.ending(), Ending::Failed);
    insta::assert_snapshot!(outcome.failures[0].error, @"the proof p does not hold: it was told to fail");
    assert_eq!(site.world.identities(), ["a"]);
    site.world.heal();
    site.world.take_proofs();
    let outcome = site.apply(&proven(1)).await.unwrap();
    assert_eq!((site.world.take_proofs(), outcome.counts.create), (vec!["p".to_owned()], 1));
}

#[tokio::test]
async fn a_proof_runs_again_after_a_kill_between_the_change_and_the_proof() {
    let site = FakeSite::new();
    site.apply(&proven(1)).await.unwrap();
    site.world.take_proofs();
    site.world.fail(Call::Apply, "a", Failing::KilledAfter, 1);
    site.apply(&proven(2)).await.unwrap();
    assert!(site.world.take_proofs().is_empty());
    let outcome = site.apply(&proven(2)).await.unwrap();
    assert_eq!((outcome.writes, site.world.take_proofs()), (0, vec!["p".to_owned()]));
}

#[tokio::test]
async fn a_proof_runs_again_when_it_says_something_else() {
    let site = FakeSite::new();
    let about = |about: &'static str| {
        program(move |place, stage| {
            stage.prove(place, "proof", &[], &FakeProof { about: about.into(), ..FakeProof::new("p") }).map(|_| ())
        })
    };
    site.apply(&about("x")).await.unwrap();
    site.apply(&about("y")).await.unwrap();
    assert_eq!(site.world.take_proofs(), ["p", "p"]);
}

#[tokio::test]
async fn a_program_of_proofs_alone_remembers_that_they_passed_and_forgets_it_when_destroyed() {
    let site = FakeSite::new();
    let wanted = || program(|place, stage| stage.prove(place, "proof", &[], &FakeProof::new("p")).map(|_| ()));
    site.apply(&wanted()).await.unwrap();
    let before = site.files();
    site.apply(&wanted()).await.unwrap();
    assert_eq!(site.world.take_proofs(), ["p"]);
    assert_eq!(site.files(), before);
    site.destroy().await.unwrap();
    assert!(site.files().is_empty(), "{:?}", site.files());
}

#[tokio::test]
async fn a_proof_that_left_the_program_is_forgotten() {
    let site = FakeSite::new();
    site.apply(&proven(1)).await.unwrap();
    site.apply(&things(&["a", "b"])).await.unwrap();
    assert!(!site.state_file("ledger.json").contains("fake/proof"), "{}", site.state_file("ledger.json"));
    site.world.take_proofs();
    site.apply(&proven(1)).await.unwrap();
    assert_eq!(site.world.take_proofs(), ["p"]);
}

#[tokio::test]
async fn verify_carries_out_every_proof_and_changes_nothing() {
    let site = FakeSite::new();
    site.apply(&proven(1)).await.unwrap();
    site.world.take_proofs();
    let (before, writes) = (site.files(), site.world.writes());
    let verify = |scores| {
        let site = &site;
        async move { site.maestro().verify(&harmony::Inventory::empty(), &site.place, &scores).await.unwrap() }
    };
    let outcome = verify(proven(1)).await;
    assert_eq!((outcome.proofs.len(), outcome.ending()), (1, Ending::Converged));
    let outcome = verify(proven(2)).await;
    assert_eq!(outcome.not_begun.iter().map(|address| address.as_str()).collect::<Vec<_>>(), ["fake/a"], "the drift is told");
    assert_eq!(outcome.proofs.len(), 1, "what is there is proven as it is");
    site.world.fail_proof("p");
    assert_eq!(verify(proven(1)).await.ending(), Ending::Failed);
    assert_eq!(site.world.take_proofs(), ["p", "p", "p"]);
    assert_eq!((site.files(), site.world.writes()), (before, writes));
}

#[tokio::test]
async fn a_proof_that_stands_on_a_pending_proof_runs_too() {
    let site = FakeSite::new();
    let wanted = |about: &'static str| {
        program(move |place, stage| {
            let first = stage.prove(place, "first", &[], &FakeProof { about: about.into(), ..FakeProof::new("1") })?;
            stage.prove(place, "second", &[first], &FakeProof::new("2")).map(|_| ())
        })
    };
    site.apply(&wanted("x")).await.unwrap();
    let plan = site.plan(&wanted("y")).await.unwrap();
    assert_eq!((change(&plan, "fake/first"), change(&plan, "fake/second")), (&Change::Prove, &Change::Prove));
}
