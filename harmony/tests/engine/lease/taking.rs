//! Who gets it, and when.

use harmony::engine::exclusion::ExclusionError;
use harmony::engine::maestro::EngineError;
use harmony::lease::{LeaseError, LeaseStore};
use tokio::time::Instant;

use super::machines::{DURATION, Passing, Shared};
use crate::programs::things;

/// Why a run did not begin.
fn refusal(error: EngineError) -> ExclusionError {
    match error {
        EngineError::Exclusion(error) => error,
        other => panic!("{other}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_free_lease_is_taken_at_once_and_given_back_with_its_number() {
    let shared = Shared::new();
    let (one, other) = (shared.machine("one"), shared.machine("other"));
    let begun = Instant::now();
    one.apply(&things(&["a"])).await.unwrap();
    assert_eq!((shared.record().await.holder, shared.record().await.number), (None, 1));
    other.apply(&things(&["a"])).await.unwrap();
    assert_eq!((shared.record().await.holder, shared.record().await.number), (None, 2));
    assert!(begun.elapsed().is_zero(), "nobody was waited for");
    assert!(one.remarks().is_empty() && other.remarks().is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_number_goes_on_after_everything_was_taken_away() {
    let shared = Shared::new();
    let one = shared.machine("one");
    one.apply(&things(&["a"])).await.unwrap();
    one.maestro().prepare_destroy(&one.place).await.unwrap().apply().await.unwrap();
    assert!(shared.world.identities().is_empty() && !shared.state().join("ledger.json").exists());
    one.apply(&things(&["a"])).await.unwrap();
    assert_eq!(shared.record().await.number, 3);
}

#[tokio::test(start_paused = true)]
async fn the_number_goes_on_after_the_lease_itself_was_lost() {
    let shared = Shared::new();
    shared.die_holding(41).await;
    shared.machine("one").apply(&things(&["a"])).await.unwrap();
    let other = Shared { lease: harmony::lease::MemoryLeaseStore::default(), ..shared };
    other.machine("one").apply(&things(&["a"])).await.unwrap();
    assert_eq!(other.record().await.number, 43, "the Ledger knows it too");
}

#[tokio::test(start_paused = true)]
async fn a_living_holder_is_named_as_soon_as_it_shows_a_sign_of_life() {
    let shared = Shared::new();
    let (one, other) = (shared.machine("one"), shared.machine("other"));
    let held = one.prepare(&things(&["a"])).await.unwrap();
    let begun = Instant::now();
    let error = refusal(other.apply(&things(&["b"])).await.unwrap_err());
    assert!(begun.elapsed() < DURATION / 2, "{:?}", begun.elapsed());
    let holding = error.holding().unwrap();
    let record = shared.record().await;
    assert_eq!(Some(&holding.by), record.holder.as_ref());
    assert!(holding.by.contains(&format!("process {} of ", std::process::id())) && holding.by.ends_with(" on one"), "{error}");
    assert_eq!(holding.since, Some(record.taken));
    assert_eq!(holding.until, Some(record.renewed.later_by(DURATION)));
    let (since, until) = (record.taken, record.renewed.later_by(DURATION));
    assert_eq!(
        error.to_string(),
        format!("the shared lease is held by {}, since {since} until {until} unless it is renewed", holding.by)
    );
    assert!(error.hint().unwrap().contains("wait for that run"));
    assert_eq!(other.remarks().len(), 1, "{:?}", other.remarks());
    held.apply().await.unwrap();
    assert_eq!(shared.world.take_log(), ["create a"]);
}

#[tokio::test(start_paused = true)]
async fn a_dead_holder_is_taken_over_after_a_whole_duration_and_not_before() {
    let shared = Shared::new();
    shared.die_holding(7).await;
    let begun = Instant::now();
    let one = shared.machine("one");
    let held = one.prepare(&things(&["a"])).await.unwrap();
    assert!(begun.elapsed() >= DURATION, "{:?}", begun.elapsed());
    assert!(begun.elapsed() < DURATION * 2, "{:?}", begun.elapsed());
    assert_eq!(shared.record().await.number, 8);
    assert!(one.remarks()[0].contains("held by a run that died: watching for 30 s at most"), "{:?}", one.remarks());
    held.apply().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn of_several_that_wait_for_a_dead_holder_one_takes_over_and_the_others_name_it() {
    let shared = Shared::new();
    shared.die_holding(7).await;
    let machines = ["one", "two", "three", "four", "five"].map(|host| shared.machine(host));
    let scores = things(&["a"]);
    let tried = futures::future::join_all(machines.iter().map(|machine| machine.prepare(&scores))).await;
    let winner = tried.iter().position(Result::is_ok).unwrap();
    for (index, tried) in tried.into_iter().enumerate().filter(|(index, _)| *index != winner) {
        let holding = refusal(tried.map(|_| ()).unwrap_err()).holding().unwrap();
        assert!(holding.by.ends_with(["one", "two", "three", "four", "five"][winner]), "{index} names {}", holding.by);
    }
    assert_eq!(shared.record().await.number, 8);
}

#[tokio::test(start_paused = true)]
async fn runs_of_one_machine_exclude_each_other_at_once_by_its_lock() {
    let shared = Shared::new();
    let (one, also_one) = (shared.machine("one"), shared.machine("one"));
    let held = one.prepare(&things(&["a"])).await.unwrap();
    let begun = Instant::now();
    let error = refusal(also_one.apply(&things(&["b"])).await.unwrap_err());
    assert!(matches!(error, ExclusionError::Locked { .. }) && begun.elapsed().is_zero(), "{error}");
    assert_eq!(*also_one.way.swaps.lock().unwrap(), 0);
    drop(held);
    one.lease().settle().await;
    assert!(also_one.apply(&things(&["b"])).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_is_not_carried_out_gives_the_lease_back() {
    let shared = Shared::new();
    let (one, other) = (shared.machine("one"), shared.machine("other"));
    drop(one.prepare(&things(&["a"])).await.unwrap());
    one.lease().settle().await;
    assert_eq!(shared.record().await.holder, None);
    // Nor is it kept by one that is refused, or cannot look.
    shared.world.fail(harmony_test::Call::Observe, "a", harmony_test::Failing::Refused, 1);
    assert!(one.prepare(&things(&["a"])).await.is_err());
    one.lease().settle().await;
    assert_eq!(shared.record().await.holder, None);
    let begun = Instant::now();
    other.apply(&things(&["a"])).await.unwrap();
    assert!(begun.elapsed().is_zero());
}

#[tokio::test(start_paused = true)]
async fn a_store_that_does_not_answer_keeps_a_run_from_beginning() {
    let shared = Shared::new();
    let one = shared.machine("one");
    one.way.let_pass(Passing::Refused);
    let error = refusal(one.apply(&things(&["a"])).await.unwrap_err());
    assert!(matches!(error, ExclusionError::Lease(LeaseError::Store { .. })) && error.holding().is_none());
    let said = harmony::explain::chain(&error);
    assert_eq!(said, "failed to take the shared lease: failed to look at the lease: the store is down");
    assert_eq!(shared.world.writes(), 0);
    assert!(shared.lease.find().await.unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_plan_alone_needs_no_lease() {
    let shared = Shared::new();
    let (one, other) = (shared.machine("one"), shared.machine("other"));
    let held = one.prepare(&things(&["a"])).await.unwrap();
    let plan = other.maestro().plan(&harmony::Inventory::empty(), &other.place, &things(&["b"])).await.unwrap();
    assert!(plan.is_pending());
    assert_eq!(*other.way.swaps.lock().unwrap(), 0);
    held.apply().await.unwrap();
}
