//! Runs of one machine, which have only its lock.

use std::time::{Duration, Instant};

use crate::runner::{Shared, Wanted};

const FILES: &[&str] = &["a", "b"];

fn wanted(words: &str, pause: u64) -> Wanted<'_> {
    Wanted { host: "one", words, pause, lease: 0, files: FILES }
}

#[test]
fn a_killed_holder_is_taken_over_at_once() {
    let shared = Shared::new();
    let old = shared.start(&wanted("old", 60_000));
    let held = shared.wait_for("begin", "a");
    old.signal("KILL");
    assert_eq!(old.end().code, None);
    let begun = Instant::now();
    let ended = shared.run(&wanted("new", 0));
    assert_eq!((ended.code, ended.said.as_str()), (Some(0), ""));
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    assert!(shared.log().iter().all(|line| line.what != "took" || line.number >= held.number));
    assert!(shared.log().last().unwrap().number > held.number, "the number grows");
    assert!(shared.world().values().all(|words| words == "new"));
}

#[test]
fn a_stopped_holder_is_never_taken_over_and_the_loser_says_that_it_is_stopped() {
    let shared = Shared::new();
    let old = shared.start(&wanted("old", 2000));
    shared.wait_for("begin", "a");
    let ended = shared.run(&wanted("new", 0));
    assert_eq!(ended.code, Some(4), "{}", ended.said);
    assert!(!ended.said.contains("stopped"), "{}", ended.said);
    assert!(ended.said.contains("\nwait for that run to end"), "{}", ended.said);
    old.signal("STOP");
    let process = old.process();
    for _ in 0..2 {
        let ended = shared.run(&wanted("new", 0));
        assert_eq!(ended.code, Some(4), "{}", ended.said);
        let (error, hint) = ended.said.split_once('\n').unwrap();
        assert!(error.contains(&format!("is locked by `lease_runner`, process {process} of ")), "{error}");
        assert!(
            error.contains(", since 20") && error.ends_with(" UTC until it ends; that process is stopped (SIGSTOP)"),
            "{error}"
        );
        assert!(hint.contains(&format!("`kill -CONT {process}`")), "{hint}");
    }
    old.signal("CONT");
    assert_eq!(old.end().code, Some(0));
    assert!(shared.world().values().all(|words| words == "old"), "{:?}", shared.world());
    assert_eq!(shared.run(&wanted("new", 0)).code, Some(0));
    assert!(shared.world().values().all(|words| words == "new"));
}
