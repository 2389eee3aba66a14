//! Another identity at one address.

use harmony::Scores;
use harmony::engine::maestro::EngineError;
use harmony::engine::plan::Change;
use harmony_test::{Call, Failing, FakePlace, FakeSite, FakeStore, FakeThing};

use crate::programs::{program, step};

fn named(name: &'static str) -> Scores<FakePlace> {
    program(move |place, stage| stage.add(place, "it", &FakeThing::new(name)).map(|_| ()))
}

fn store(name: &'static str) -> Scores<FakePlace> {
    program(move |place, stage| stage.add(place, "it", &FakeStore::new(name)).map(|_| ()))
}

#[tokio::test]
async fn it_is_one_replacement_in_the_plan_and_in_the_outcome() {
    let site = FakeSite::new();
    site.apply(&named("old")).await.unwrap();
    let plan = site.plan(&named("new")).await.unwrap();
    assert_eq!(plan.steps.len(), 1, "{plan:?}");
    let Change::Replace { because } = &step(&plan, "fake/it").change else { panic!("{plan:?}") };
    assert_eq!(because, "the program now means thing new, and it was thing old");
    let counts = plan.counts();
    assert_eq!((counts.create, counts.delete, counts.replace), (0, 0, 1));
    let outcome = site.apply(&named("new")).await.unwrap();
    assert_eq!((outcome.counts.create, outcome.counts.delete, outcome.counts.replace), (0, 0, 1));
    assert_eq!((outcome.writes, site.world.identities()), (2, vec!["new".to_owned()]));
    assert_eq!(site.apply(&named("new")).await.unwrap().writes, 0);
}

#[tokio::test]
async fn it_is_refused_where_data_is_held_and_done_where_that_is_allowed() {
    let site = FakeSite::new();
    site.apply(&store("old")).await.unwrap();
    site.world.edit("fake-store/v1", "old", |stored| stored.holds = Some("7 apples".to_owned()));
    let refused = site.apply(&store("new")).await.unwrap_err();
    let EngineError::Refused { steps } = &refused else { panic!("{refused:?}") };
    assert_eq!((steps.len(), steps[0].loss.as_ref().unwrap().what.as_str()), (1, "7 apples"));
    assert_eq!(site.world.identities(), ["old"]);
    let outcome = site.apply_losing(&store("new"), &["fake/it"]).await.unwrap();
    assert_eq!((outcome.counts.replace, site.world.identities()), (1, vec!["new".to_owned()]));
}

#[tokio::test]
async fn what_was_allowed_once_is_allowed_when_the_run_goes_on() {
    let site = FakeSite::new();
    site.apply(&store("old")).await.unwrap();
    site.world.edit("fake-store/v1", "old", |stored| stored.holds = Some("7 apples".to_owned()));
    site.world.fail(Call::Delete, "old", Failing::Refused, 1);
    assert_eq!(site.apply_losing(&store("new"), &["fake/it"]).await.unwrap().failures.len(), 1);
    let outcome = site.apply_losing(&store("new"), &["fake/it"]).await.unwrap();
    assert!(outcome.failures.is_empty(), "{:?}", outcome.failures);
    assert_eq!(site.world.identities(), ["new"]);
}
