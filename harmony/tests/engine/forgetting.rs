//! Striking things from the Ledger.

use harmony::Inventory;
use harmony::engine::maestro::EngineError;
use harmony::engine::plan::{Allowances, Change};
use harmony::engine::scope::Targets;
use harmony_test::FakeSite;

use crate::programs::{change, house, things};

fn targets(names: &[&str]) -> Targets {
    Targets::new(names.iter().map(|name| (*name).to_owned()))
}

#[tokio::test]
async fn what_is_forgotten_is_shown_struck_and_foreign_afterwards() {
    let site = FakeSite::new();
    site.apply(&things(&["a", "b"])).await.unwrap();
    site.world.take_log();
    let files = site.files();
    let forgetting = site.maestro().prepare_forget(&targets(&["fake/a"])).await.unwrap();
    let shown: Vec<_> = forgetting.plan().steps.iter().map(|step| (step.address.as_str(), &step.change)).collect();
    assert_eq!(shown, [("fake/a", &Change::Forget)]);
    assert_eq!(site.files(), files, "showing writes nothing");
    assert_eq!(forgetting.carry_out().await.unwrap().counts.forget, 1);
    assert_eq!((site.world.writes(), site.world.identities()), (0, vec!["a".to_owned(), "b".to_owned()]));
    let plan = site.plan(&things(&["a", "b"])).await.unwrap();
    assert!(
        matches!(change(&plan, "fake/a"), Change::Forbidden { because, .. } if because.contains("has not made it")),
        "{plan:?}"
    );
    assert_eq!(change(&plan, "fake/b"), &Change::None);
    let adoptions = ["fake/a".to_owned()].into();
    let adopting = site.maestro().with_allowances(Allowances { adoptions, ..Allowances::default() });
    site.apply_with(&adopting, &things(&["a", "b"])).await.unwrap();
    assert_eq!(site.entries().len(), 2);
}

#[tokio::test]
async fn a_saved_plan_from_before_is_refused() {
    let site = FakeSite::new();
    site.apply(&things(&["a", "b"])).await.unwrap();
    let saved = site.maestro().plan_to_save(&Inventory::empty(), &site.place, &things(&["b"])).await.unwrap();
    site.maestro().prepare_forget(&targets(&["fake/a"])).await.unwrap().carry_out().await.unwrap();
    let refused = site.maestro().prepare_saved(&saved, &Inventory::empty(), &site.place, &things(&["b"])).await;
    assert!(matches!(refused.err(), Some(EngineError::SavedPlan(_))));
}

#[tokio::test]
async fn what_means_nothing_is_refused_with_what_is_near() {
    let site = FakeSite::new();
    site.apply(&house(1, &["attic"])).await.unwrap();
    let error = site.maestro().prepare_forget(&targets(&["fake/atic"])).await.err().unwrap();
    assert!(error.hint().unwrap().contains("did you mean `fake/attic`"), "{:?}", error.hint());
}

#[tokio::test]
async fn what_something_else_is_reached_through_is_not_forgotten_alone() {
    let site = FakeSite::new();
    site.apply(&house(1, &["attic"])).await.unwrap();
    for through in ["fake/house", "fake/key"] {
        let error = site.maestro().prepare_forget(&targets(&[through])).await.err().unwrap();
        assert_eq!(error.to_string(), format!("`{through}` cannot be forgotten, because `fake/attic` is reached through it"));
    }
    let forgetting = site.maestro().prepare_forget(&targets(&["fake/house", "fake/attic"])).await.unwrap();
    assert_eq!(forgetting.carry_out().await.unwrap().counts.forget, 2);
    assert_eq!(site.entries().len(), 1);
}

#[tokio::test]
async fn when_all_is_forgotten_nothing_is_left_of_the_state() {
    let site = FakeSite::new();
    site.apply(&things(&["a", "b"])).await.unwrap();
    site.maestro().prepare_forget(&targets(&["program"])).await.unwrap().carry_out().await.unwrap();
    assert!(!site.site.state.exists());
    assert_eq!(site.world.identities(), ["a", "b"]);
}
