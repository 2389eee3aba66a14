use std::time::Duration;

use harmony::engine::maestro::{AfterFailure, EngineError, Maestro};
use harmony::engine::outcome::Ending;
use harmony::engine::plan::Allowances;
use harmony::lease::WallTime;
use harmony::{Inventory, Play, Scores};
use harmony_test::{Call, Failing, FakePort, FakeSite, FakeThing, score};

use crate::programs::{chain, of_things, program, proven, things};

#[tokio::test]
async fn the_first_apply_makes_everything_after_what_it_needs() {
    let site = FakeSite::new();
    let outcome = site.apply(&chain("x")).await.unwrap();
    assert_eq!(site.world.take_log(), ["create a", "create b", "create c"]);
    assert_eq!((outcome.ending(), outcome.writes, outcome.counts.create), (Ending::Changed, 3, 3));
    let text = site.world.find("fake-thing/v1", "c").unwrap().state["text"].clone();
    assert_eq!(text, "fake://b");
}

#[tokio::test]
async fn the_second_apply_changes_nothing_anywhere() {
    let site = FakeSite::new();
    for scores in [|| chain("x"), || proven(1)] {
        site.apply(&scores()).await.unwrap();
        let (before, writes) = (site.files(), site.world.writes());
        let outcome = site.apply(&scores()).await.unwrap();
        assert_eq!((outcome.ending(), outcome.writes), (Ending::Converged, 0));
        assert_eq!((site.files(), site.world.writes()), (before, writes));
        assert!(outcome.proofs.is_empty());
    }
}

#[tokio::test]
async fn only_what_differs_is_changed() {
    let site = FakeSite::new();
    site.apply(&things(&["a", "b"])).await.unwrap();
    site.world.take_log();
    let outcome = site.apply(&of_things(vec![FakeThing::new("a").with_size(2), FakeThing::new("b")])).await.unwrap();
    assert_eq!(site.world.take_log(), ["update a"]);
    assert_eq!((outcome.counts.update, outcome.counts.unchanged), (1, 1));
}

#[tokio::test]
async fn a_replacement_deletes_and_makes_anew() {
    let site = FakeSite::new();
    site.apply(&things(&["a"])).await.unwrap();
    site.world.take_log();
    let outcome = site.apply(&of_things(vec![FakeThing::new("a").with_colour("blue")])).await.unwrap();
    assert_eq!(site.world.take_log(), ["delete a", "create a"]);
    assert_eq!(outcome.counts.replace, 1);
}

#[tokio::test]
async fn what_was_changed_by_hand_is_put_right() {
    let site = FakeSite::new();
    site.apply(&things(&["a", "b"])).await.unwrap();
    site.world.edit("fake-thing/v1", "a", |stored| stored.state["size"] = 99.into());
    site.world.remove("fake-thing/v1", "b");
    site.world.take_log();
    site.apply(&things(&["a", "b"])).await.unwrap();
    assert_eq!(site.world.take_log(), ["update a", "create b"]);
}

#[tokio::test]
async fn outputs_of_something_updated_reach_what_needs_them_in_the_same_run() {
    let site = FakeSite::new();
    let wanted = |size: u64, number: u64| {
        program(move |place, stage| {
            let a = stage.add(place, "a", &FakeThing::new("a").with_size(size))?;
            stage.add(
                place,
                "b",
                &FakeThing::new("b").with_text(harmony::text![a.get(&FakeThing::URL), format!("/{number}")]),
            )?;
            Ok(())
        })
    };
    site.apply(&wanted(1, 1)).await.unwrap();
    let outcome = site.apply(&wanted(2, 2)).await.unwrap();
    assert_eq!(outcome.counts.update, 2);
    assert_eq!(site.world.find("fake-thing/v1", "b").unwrap().state["text"], "fake://a/2");
}

#[tokio::test]
async fn choices_that_a_thing_does_not_say_are_kept() {
    let site = FakeSite::new();
    let wanted = || {
        program(|place, stage| {
            let port = stage.add(place, "port", &FakePort { name: "port".to_owned() })?;
            stage.add(place, "a", &FakeThing::new("a").with_text(harmony::text![port.get(&FakePort::NUMBER)]))?;
            Ok(())
        })
    };
    let outcome = site.apply(&wanted()).await.unwrap();
    assert!(outcome.failures.is_empty(), "{:?}", outcome.failures);
    assert_eq!(site.world.find("fake-thing/v1", "a").unwrap().state["text"], "4001");
    assert_eq!(site.apply(&wanted()).await.unwrap().writes, 0, "the number is forgotten");
}

#[tokio::test]
async fn one_score_is_played_without_taking_away_what_others_made() {
    let site = FakeSite::new();
    site.apply(&things(&["a", "b"])).await.unwrap();
    let one = score("one", |_, place, stage| stage.add(place, "c", &FakeThing::new("c")).map(|_| ()));
    let outcome = one.interpret(&Inventory::empty(), &site.place).await.unwrap();
    assert_eq!(outcome.counts.create, 1);
    assert_eq!(site.world.identities(), ["a", "b", "c"]);
    assert_eq!(site.entries().len(), 3);
    assert_eq!(one.interpret(&Inventory::empty(), &site.place).await.unwrap().writes, 0);
}

#[tokio::test]
async fn another_run_is_refused_while_one_holds_the_lock() {
    let site = FakeSite::new();
    let (nothing, scores) = (Inventory::empty(), things(&["a"]));
    let maestro = site.maestro();
    let first = maestro.prepare(&nothing, &site.place, &scores).await.unwrap();
    let error = site.apply(&scores).await.unwrap_err();
    let EngineError::Exclusion(error) = error else { panic!("{error}") };
    let holding = error.holding().unwrap();
    let says = |program: &str, argument: &str| {
        let output = std::process::Command::new(program).arg(argument).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    let program = std::env::current_exe().unwrap().file_name().unwrap().to_string_lossy().into_owned();
    let (user, host) = (says("id", "-un"), says("uname", "-n"));
    assert_eq!(holding.by, format!("`{program}`, process {} of {user} on {host}", std::process::id()));
    assert!(!holding.stopped && holding.until.is_none() && WallTime::now().0 - holding.since.unwrap().0 < 60);
    let state = site.site.state.display();
    let since = holding.since.unwrap();
    assert_eq!(error.to_string(), format!("the state in `{state}` is locked by {}, since {since} until it ends", holding.by));
    assert!(error.hint().unwrap().contains("wait for that run"));
    assert!(site.plan(&scores).await.is_ok(), "a plan needs no lock");
    first.apply().await.unwrap();
    assert!(site.apply(&scores).await.is_ok(), "the lock was not freed");
}

#[tokio::test]
async fn a_stopped_run_finishes_what_is_in_flight_and_tells_what_is_left() {
    let site = FakeSite::new();
    site.world.fail(Call::Apply, "a", Failing::Slow(Duration::from_millis(100)), 1);
    let scores = chain("x");
    let prepared = site.maestro().prepare(&Inventory::empty(), &site.place, &scores).await.unwrap();
    let stopper = prepared.stopper();
    site.world.watch(move |_| stopper.stop());
    let outcome = prepared.apply().await.unwrap();
    assert_eq!(site.world.identities(), ["a"]);
    assert_eq!(outcome.ending(), Ending::Interrupted);
    assert_eq!(outcome.not_begun.iter().map(|address| address.as_str()).collect::<Vec<_>>(), ["fake/b", "fake/c"]);
    assert_eq!(site.apply(&scores).await.unwrap().counts.create, 2);
}

#[tokio::test]
async fn waiting_ends_when_the_run_is_stopped() {
    let site = FakeSite::new();
    site.world.fail(Call::Apply, "a", Failing::RetryLater, usize::MAX);
    let scores = things(&["a"]);
    let maestro = site.maestro().with_patience(Duration::from_secs(600));
    let prepared = maestro.prepare(&Inventory::empty(), &site.place, &scores).await.unwrap();
    let stopper = prepared.stopper();
    site.world.watch(move |_| stopper.stop());
    let outcome = tokio::time::timeout(Duration::from_secs(5), prepared.apply()).await.unwrap().unwrap();
    assert_eq!((outcome.ending(), outcome.failures.len()), (Ending::Interrupted, 0), "what was waited for has not failed");
    let [left] = &outcome.left[..] else { panic!("{outcome:?}") };
    assert_eq!((left.address.as_str(), left.label.as_str()), ("fake/a", "thing a"));
    insta::assert_snapshot!(left.why, @"stopped after waiting 0 s for it to be done: failed to reach a: it is busy");
}

#[tokio::test]
async fn a_run_that_failed_before_it_was_told_to_stop_has_failed() {
    let site = FakeSite::new();
    site.world.fail(Call::Apply, "a", Failing::NotPermitted, usize::MAX);
    let prepared = site.maestro().prepare(&Inventory::empty(), &site.place, &things(&["a"])).await.unwrap();
    let stopper = prepared.stopper();
    site.world.watch(move |_| stopper.stop());
    let outcome = prepared.apply().await.unwrap();
    assert_eq!((outcome.ending(), outcome.failures.len()), (Ending::Failed, 1));
}

#[tokio::test]
async fn things_that_do_not_need_each_other_are_made_side_by_side() {
    let site = FakeSite::new();
    for name in ["a", "b", "c"] {
        site.world.fail(Call::Apply, name, Failing::Slow(Duration::from_millis(50)), 1);
    }
    site.apply(&things(&["a", "b", "c"])).await.unwrap();
    assert_eq!(site.world.take_most_at_once(), 3);
}

#[tokio::test]
async fn a_conductor_stops_at_the_first_failure_if_told_to() {
    let site = FakeSite::new();
    let names: Vec<String> = (0..40).map(|number| format!("t{number:02}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    for name in &names {
        site.world.fail(Call::Apply, name, Failing::Refused, 1);
    }
    let maestro: Maestro = site.maestro().with_after_failure(AfterFailure::Stop).with_allowances(Allowances::default());
    let outcome = site.apply_with(&maestro, &things(&names)).await.unwrap();
    assert_eq!(outcome.failures.len() + outcome.not_begun.len(), 40);
    assert!(outcome.not_begun.len() >= 24, "only what was in flight may still have been tried: {}", outcome.failures.len());
}

#[tokio::test]
async fn next_steps_are_filled_in_and_never_show_a_secret() {
    use harmony_test::FakeSecret;
    let site = FakeSite::new();
    let scores: Scores<_> = program(|place, stage| {
        let a = stage.add(place, "a", &FakeThing::new("a"))?;
        let key = stage.add(place, "key", &FakeSecret::new("key"))?;
        stage.next_step("open", harmony::text!["go to ", a.get(&FakeThing::URL)]);
        stage.next_step("secret", harmony::text!["use ", key.get(&FakeSecret::VALUE)]);
        Ok(())
    });
    for _ in 0..2 {
        let outcome = site.apply(&scores).await.unwrap();
        assert_eq!(outcome.next_steps, [("open".to_owned(), "go to fake://a".to_owned())]);
    }
}
