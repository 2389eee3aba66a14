//! Losses are shown, named, and asked about before anything is done.

use harmony::engine::maestro::EngineError;
use harmony::engine::plan::Change;
use harmony_test::{FakeSecret, FakeSite, FakeStore, FakeThing};

use crate::programs::{change, of_stores, program, step};

const STORE: &str = "fake-store/v1";

async fn site_with_apples() -> FakeSite {
    let site = FakeSite::new();
    site.apply(&of_stores(vec![FakeStore::new("s")])).await.unwrap();
    site.world.edit(STORE, "s", |stored| stored.holds = Some("12 apples".to_owned()));
    site.world.take_log();
    site
}

fn with_engine(engine: &str) -> FakeStore {
    FakeStore { engine: engine.into(), ..FakeStore::new("s") }
}

#[tokio::test]
async fn a_replacement_that_loses_data_is_refused_before_anything_is_done() {
    let site = site_with_apples().await;
    let wanted = || of_stores(vec![FakeStore::new("r"), with_engine("diesel")]);
    let plan = site.plan(&wanted()).await.unwrap();
    let loss = step(&plan, "fake/s").loss.clone().unwrap();
    assert_eq!((loss.what.as_str(), loss.allowed), ("12 apples", false));
    let EngineError::Refused { steps } = site.apply(&wanted()).await.unwrap_err() else { panic!() };
    assert_eq!(steps.iter().map(|step| step.address.as_str()).collect::<Vec<_>>(), ["fake/s"]);
    assert_eq!(site.world.writes(), 0);
    let outcome = site.apply_losing(&wanted(), &["fake/s"]).await.unwrap();
    assert_eq!((outcome.counts.replace, outcome.counts.create), (1, 1));
}

#[tokio::test]
async fn a_replacement_of_what_holds_nothing_needs_no_allowance() {
    let site = FakeSite::new();
    site.apply(&of_stores(vec![FakeStore::new("s")])).await.unwrap();
    assert_eq!(site.apply(&of_stores(vec![with_engine("diesel")])).await.unwrap().counts.replace, 1);
}

#[tokio::test]
async fn a_score_can_allow_the_loss_itself() {
    let site = site_with_apples().await;
    let wanted = program(|place, stage| stage.allowing_loss(|stage| stage.add(place, "s", &with_engine("diesel")).map(|_| ())));
    assert_eq!(site.apply(&wanted).await.unwrap().counts.replace, 1);
}

#[tokio::test]
async fn an_update_that_loses_data_is_refused_and_one_that_does_not_is_not() {
    let site = site_with_apples().await;
    let sized = |size| of_stores(vec![FakeStore { size, ..FakeStore::new("s") }]);
    assert!(matches!(site.apply(&sized(5)).await, Err(EngineError::Refused { .. })));
    assert_eq!(site.apply(&sized(20)).await.unwrap().counts.update, 1);
    assert_eq!(site.apply_losing(&sized(5), &["fake/s"]).await.unwrap().counts.update, 1);
}

#[tokio::test]
async fn deleting_what_holds_data_needs_an_allowance() {
    let site = site_with_apples().await;
    let without = || of_stores(vec![FakeStore::new("r")]);
    assert!(matches!(site.apply(&without()).await, Err(EngineError::Refused { .. })));
    assert!(matches!(site.destroy().await, Err(EngineError::Refused { .. })));
    assert_eq!(site.world.writes(), 0);
    assert_eq!(site.apply_losing(&without(), &["fake/s"]).await.unwrap().counts.delete, 1);
}

#[tokio::test]
async fn data_that_came_after_the_plan_is_not_deleted() {
    let site = FakeSite::new();
    let both = || of_stores(vec![FakeStore::new("r"), FakeStore::new("s")]);
    site.apply(&both()).await.unwrap();
    let without = of_stores(vec![FakeStore::new("r")]);
    let prepared = site.maestro().prepare(&harmony::Inventory::empty(), &site.place, &without).await.unwrap();
    site.world.edit(STORE, "s", |stored| stored.holds = Some("12 apples".to_owned()));
    let outcome = prepared.apply().await.unwrap();
    insta::assert_snapshot!(outcome.failures[0].error, @"the plan no longer holds for store s: it holds 12 apples now");
    assert!(site.world.find(STORE, "s").is_some());
}

#[tokio::test]
async fn a_replacement_that_the_plan_did_not_show_stops_its_branch_alone() {
    let site = FakeSite::new();
    let wanted = |size| of_stores(vec![FakeStore::new("r"), FakeStore { size, ..FakeStore::new("s") }]);
    site.apply(&wanted(10)).await.unwrap();
    let scores = of_stores(vec![FakeStore { size: 11, ..FakeStore::new("r") }, FakeStore { size: 11, ..FakeStore::new("s") }]);
    let prepared = site.maestro().prepare(&harmony::Inventory::empty(), &site.place, &scores).await.unwrap();
    site.world.edit(STORE, "s", |stored| stored.state["engine"] = "oxen".into());
    site.world.take_log();
    let outcome = prepared.apply().await.unwrap();
    assert_eq!(site.world.take_log(), ["update r"]);
    insta::assert_snapshot!(
        outcome.failures[0].error,
        @"the plan no longer holds for store s: it would now be replaced: an engine is built in"
    );
    insta::assert_snapshot!(outcome.failures[0].hint.clone().unwrap(), @"run `plan` again and look at what it says now");
}

#[tokio::test]
async fn data_that_went_by_hand_is_not_silently_made_anew() {
    let site = site_with_apples().await;
    let wanted = || of_stores(vec![FakeStore::new("s")]);
    site.apply(&wanted()).await.unwrap();
    site.world.remove(STORE, "s");
    let plan = site.plan(&wanted()).await.unwrap();
    assert_eq!(change(&plan, "fake/s"), &Change::Create);
    insta::assert_snapshot!(
        step(&plan, "fake/s").loss.as_ref().unwrap().what,
        @"an earlier run made it and it is gone, with what it held when last seen: 12 apples"
    );
    assert!(matches!(site.apply(&wanted()).await, Err(EngineError::Refused { .. })));
    assert_eq!(site.apply_losing(&wanted(), &["fake/s"]).await.unwrap().counts.create, 1);
    assert_eq!(site.apply(&wanted()).await.unwrap().writes, 0);
}

#[tokio::test]
async fn a_lost_secret_asks_before_another_is_made() {
    let site = FakeSite::new();
    let wanted = || {
        program(|place, stage| {
            let key = stage.add(place, "key", &FakeSecret::new("key"))?;
            stage.add(place, "a", &FakeThing::new("a").with_text(key.get(&FakeSecret::VALUE))).map(|_| ())
        })
    };
    site.apply(&wanted()).await.unwrap();
    site.world.remove("fake-secret/v1", "key");
    let error = site.apply(&wanted()).await.unwrap_err();
    let EngineError::Refused { steps } = &error else { panic!("{error}") };
    insta::assert_snapshot!(
        steps[0].loss.as_ref().unwrap().what,
        @"an earlier run made it and it is gone: what is made anew is another secret"
    );
    insta::assert_snapshot!(error.hint().unwrap(), @"see each step's reason; accept a loss with `--allow-loss ADDRESS`");
    let outcome = site.apply_losing(&wanted(), &["fake/key"]).await.unwrap();
    assert_eq!((outcome.counts.create, outcome.counts.update), (1, 1), "the new secret did not reach who uses it");
}

#[tokio::test]
async fn a_secret_is_never_replaced_without_being_asked_about() {
    let site = FakeSite::new();
    let wanted = |length| {
        program(move |place, stage| stage.add(place, "key", &FakeSecret { length, ..FakeSecret::new("key") }).map(|_| ()))
    };
    site.apply(&wanted(8)).await.unwrap();
    assert!(matches!(site.apply(&wanted(9)).await, Err(EngineError::Refused { .. })));
}

#[tokio::test]
async fn a_replacement_that_was_accepted_is_not_asked_about_again_after_a_failure_in_its_middle() {
    use harmony_test::{Call, Failing};
    let site = site_with_apples().await;
    site.world.fail(Call::Apply, "s", Failing::Refused, 1);
    let wanted = || of_stores(vec![with_engine("diesel")]);
    let outcome = site.apply_losing(&wanted(), &["fake/s"]).await.unwrap();
    assert_eq!(outcome.failures.len(), 1);
    assert_eq!(site.world.take_log(), ["delete s", "create s"]);
    assert_eq!(site.apply(&wanted()).await.unwrap().counts.create, 1);
}
