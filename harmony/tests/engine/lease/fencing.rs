//! What is refused of a run that is not the newest any more.

use std::fs;
use std::sync::{Arc, Mutex};

use harmony::engine::outcome::Ending;
use harmony_test::FakeSite;

use super::machines::Shared;
use crate::programs::{chain, things};

#[tokio::test(start_paused = true)]
async fn the_ledger_refuses_what_an_older_run_writes() {
    let shared = Shared::new();
    let one = shared.machine("one");
    one.apply(&things(&["z"])).await.unwrap();
    let state = shared.state();
    let before = Arc::new(Mutex::new(String::new()));
    let (fence, kept) = (state.clone(), before.clone());
    shared.world.watch(move |happened| {
        // A newer run has begun, and this one does not know it: its clock says that it still has its lease.
        if happened.identity == "b" && happened.did == "create" {
            fs::write(fence.join("ledger.fence"), "99").unwrap();
            *kept.lock().unwrap() = contents(&fence);
        }
    });
    let outcome = one.apply(&chain("x")).await.unwrap();
    assert_eq!(outcome.ending(), Ending::Failed);
    assert_eq!(outcome.lease_lost.as_deref(), Some("run 99 has begun, this is run 2"));
    assert_eq!(outcome.not_begun, ["fake/c".parse().unwrap()]);
    assert!(!before.lock().unwrap().is_empty());
    assert_eq!(contents(&state), *before.lock().unwrap(), "the Ledger is as the newer run left it");
    assert_eq!(fs::read_to_string(state.join("ledger.fence")).unwrap(), "99");
}

/// The Ledger's files.
fn contents(state: &std::path::Path) -> String {
    ["ledger.json", "ledger.journal"].map(|name| fs::read_to_string(state.join(name)).unwrap_or_default()).concat()
}

#[tokio::test(start_paused = true)]
async fn a_ledger_that_a_newer_run_has_claimed_is_not_even_looked_at() {
    let shared = Shared::new();
    let one = shared.machine("one");
    one.apply(&things(&["a"])).await.unwrap();
    let fence = shared.state().join("ledger.fence");
    assert_eq!(fs::read_to_string(&fence).unwrap(), "1");
    one.apply(&things(&["a"])).await.unwrap();
    assert_eq!(fs::read_to_string(&fence).unwrap(), "2", "also by a run that changes nothing");
    fs::write(&fence, "two").unwrap();
    let error = one.apply(&things(&["a"])).await.unwrap_err();
    assert!(error.to_string().contains("ledger.fence` is damaged in its number"), "{error}");
}

#[tokio::test]
async fn without_a_lease_the_number_comes_from_the_lock_and_grows_also_after_a_complete_destroy() {
    let site = FakeSite::new();
    let numbers = Arc::new(Mutex::new(Vec::new()));
    let noted = numbers.clone();
    site.world.watch(move |happened| noted.lock().unwrap().push(happened.fence));
    let lock = site.site.state.join("lock");
    for _ in 0..3 {
        site.apply(&things(&["a"])).await.unwrap();
        site.apply(&things(&["b"])).await.unwrap();
        site.destroy().await.unwrap();
        assert!(!site.site.state.exists());
    }
    let numbers = std::mem::take(&mut *numbers.lock().unwrap());
    assert_eq!(numbers.len(), 12, "make `a`, make `b`, delete `a`, delete `b`, each time");
    assert!(numbers.chunks(4).all(|life| life[0] < life[1] && life[1] == life[2] && life[2] < life[3]), "{numbers:?}");
    assert!(numbers.windows(2).all(|pair| pair[0] <= pair[1]), "{numbers:?}");
    // A clock that is set back does not matter while the site lives.
    site.apply(&things(&["a"])).await.unwrap();
    let words: serde_json::Value = serde_json::from_str(&site.state_file("lock")).unwrap();
    let ahead = site.state_file("lock").replace(&words["fence"].to_string(), "9000000000000000");
    fs::write(&lock, ahead).unwrap();
    site.world.take_log();
    let last = Arc::new(Mutex::new(0));
    let noted = last.clone();
    site.world.watch(move |happened| *noted.lock().unwrap() = happened.fence);
    site.apply(&things(&["b"])).await.unwrap();
    assert_eq!(*last.lock().unwrap(), 9_000_000_000_000_001);
}

#[tokio::test(start_paused = true)]
async fn with_a_lease_providers_are_told_its_number() {
    let shared = Shared::new();
    shared.die_holding(41).await;
    let numbers = Arc::new(Mutex::new(Vec::new()));
    let noted = numbers.clone();
    shared.world.watch(move |happened| noted.lock().unwrap().push(happened.fence));
    shared.machine("one").apply(&things(&["a"])).await.unwrap();
    shared.machine("other").apply(&things(&["b"])).await.unwrap();
    assert_eq!(*numbers.lock().unwrap(), [42, 43, 43]);
}
