use harmony::engine::maestro::EngineError;
use harmony::engine::plan::Change;
use harmony::resource::Shown;
use harmony_test::{FakeSite, FakeThing};
use serde_json::json;

use crate::programs::{chain, change, of_things, step, things};

#[tokio::test]
async fn a_plan_has_no_side_effect() {
    let site = FakeSite::new();
    let plan = site.plan(&chain("x")).await.unwrap();
    assert_eq!(plan.counts().create, 3);
    assert_eq!(site.world.writes(), 0);
    assert!(!site.site.state.exists(), "the plan made the state directory");
    site.apply(&chain("x")).await.unwrap();
    let (before, writes) = (site.files(), site.world.writes());
    assert!(site.plan(&chain("y")).await.unwrap().is_pending());
    site.maestro().verify(&harmony::Inventory::empty(), &site.place, &chain("y")).await.unwrap();
    assert_eq!((site.files(), site.world.writes()), (before, writes));
}

#[tokio::test]
async fn each_step_shows_the_fields_that_differ_and_the_line_that_wants_it() {
    let site = FakeSite::new();
    site.apply(&things(&["a"])).await.unwrap();
    let plan = site.plan(&of_things(vec![FakeThing::new("a").with_size(7)])).await.unwrap();
    let step = step(&plan, "fake/a");
    assert_eq!(step.change, Change::Update);
    let field = &step.fields[0];
    assert_eq!((field.path.as_str(), &field.live, &field.desired), ("/size", &Shown::Value(json!(1)), &Shown::Value(json!(7))));
    assert!(step.origin.file.ends_with("programs.rs") && step.origin.line > 0, "{:?}", step.origin);
}

#[tokio::test]
async fn a_value_of_something_that_is_still_to_be_made_is_known_after_it() {
    let site = FakeSite::new();
    let plan = site.plan(&chain("x")).await.unwrap();
    let text = step(&plan, "fake/b").fields.iter().find(|field| field.path == "/text").unwrap();
    assert_eq!(text.desired, Shown::KnownAfter(vec!["fake/a".parse().unwrap()]));
    site.apply(&chain("x")).await.unwrap();
    assert!(!site.plan(&chain("x")).await.unwrap().is_pending(), "the value is known now");
}

#[tokio::test]
async fn what_cannot_be_changed_in_place_is_replaced_and_says_why() {
    let site = FakeSite::new();
    site.apply(&things(&["a"])).await.unwrap();
    let plan = site.plan(&of_things(vec![FakeThing::new("a").with_colour("blue")])).await.unwrap();
    assert_eq!(change(&plan, "fake/a"), &Change::Replace { because: "paint does not stick to paint".to_owned() });
}

#[tokio::test]
async fn what_cannot_be_changed_at_all_refuses_the_whole_run() {
    let site = FakeSite::new();
    site.apply(&things(&["a"])).await.unwrap();
    let other = FakeThing { nature: "divine".to_owned(), ..FakeThing::new("a") };
    let wanted = || of_things(vec![other.clone(), FakeThing::new("b")]);
    site.world.take_log();
    let before = site.files();
    let error = site.apply(&wanted()).await.unwrap_err();
    insta::assert_snapshot!(error, @"1 of the plan's steps are refused");
    assert_eq!(site.files(), before);
    assert!(site.world.take_log().is_empty(), "`b` was made although the run was refused");
}

#[tokio::test]
async fn a_field_that_may_turn_out_the_same_does_not_announce_a_replacement() {
    use harmony_test::FakeStore;
    let site = FakeSite::new();
    let wanted = |size: u64| {
        crate::programs::program(move |place, stage| {
            let a = stage.add(place, "a", &FakeThing::new("a").with_size(size))?;
            let engine = a.get(&FakeThing::URL);
            stage.add(place, "s", &FakeStore { engine, ..FakeStore::new("s") })?;
            Ok(())
        })
    };
    site.apply(&wanted(1)).await.unwrap();
    site.world.edit("fake-store/v1", "s", |stored| stored.holds = Some("12 apples".to_owned()));
    let plan = site.plan(&wanted(2)).await.unwrap();
    assert_eq!(change(&plan, "fake/s"), &Change::UnknownUntil { until: vec!["fake/a".parse().unwrap()] });
    site.world.take_log();
    let outcome = site.apply(&wanted(2)).await.unwrap();
    assert_eq!(site.world.take_log(), ["update a"]);
    assert_eq!((outcome.counts.update, outcome.counts.unchanged), (1, 1));
}

#[tokio::test]
async fn an_empty_program_is_refused_once_things_were_made() {
    let site = FakeSite::new();
    assert!(site.apply(&things(&[])).await.is_ok(), "nothing was ever made");
    site.apply(&things(&["a"])).await.unwrap();
    for empty in [harmony::Scores::default(), things(&[])] {
        assert!(matches!(site.apply(&empty).await, Err(EngineError::Empty { made: 1 })));
        assert!(site.plan(&empty).await.is_err(), "the plan has to say what the apply would");
    }
    let error = site.apply(&things(&[])).await.unwrap_err();
    insta::assert_snapshot!(error, @"the program wants nothing, but its Ledger names 1 thing that it has made");
    insta::assert_snapshot!(error.hint().unwrap(), @"use `destroy` to take everything away");
    assert_eq!(site.world.identities(), ["a"]);
}
