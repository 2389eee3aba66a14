//! Runs of several machines, which share a lease.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::runner::{Ended, Line, Runner, Shared, Wanted};

/// Milliseconds: enough for a busy machine to renew in time.
const LEASE: u64 = 5000;

fn wanted<'a>(host: &'a str, pause: u64, files: &'a [&'a str]) -> Wanted<'a> {
    Wanted { host, words: host, pause, lease: LEASE, files }
}

/// Nothing of a run is begun, or done, once a newer one has taken over.
fn assert_fenced(log: &[Line]) {
    for taken in log.iter().filter(|line| line.what == "took") {
        let late: Vec<&Line> = log.iter().filter(|line| line.number < taken.number && line.at >= taken.at).collect();
        assert!(late.is_empty(), "after {taken:?}: {late:?}\nin {log:?}");
    }
}

fn assert_world(shared: &Shared, host: &str, files: &[&str]) {
    let expected: BTreeMap<String, String> = files.iter().map(|file| ((*file).to_owned(), host.to_owned())).collect();
    assert_eq!(shared.world(), expected);
}

/// When the run that was stopped goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum GoesOn {
    WhileTheNewOneWrites,
    AfterTheNewOneHasEnded,
}

/// Stops a run in the middle of a write, lets four others try at once, and lets it go on again.
fn stopped_past_its_lease(goes_on: GoesOn) {
    let shared = Shared::new();
    let old = shared.start(&wanted("old", 1500, &["a", "b", "c"]));
    shared.wait_for("begin", "b");
    old.signal("STOP");
    let stopped = Instant::now();
    let hosts = ["two", "three", "four", "five"];
    let others: Vec<(&str, Runner)> =
        hosts.iter().map(|host| (*host, shared.start(&wanted(host, 300, &["b", "c", "d"])))).collect();
    let processes: BTreeMap<&str, u32> = others.iter().map(|(host, runner)| (*host, runner.process())).collect();
    if goes_on == GoesOn::WhileTheNewOneWrites {
        shared.wait_for("begin", "d");
        old.signal("CONT");
    }
    let ended: Vec<(&str, Ended)> = others.into_iter().map(|(host, runner)| (host, runner.end())).collect();
    if goes_on == GoesOn::AfterTheNewOneHasEnded {
        old.signal("CONT");
    }
    let old_process = old.process();
    let old = old.end();
    let log = shared.log();

    let winners: Vec<&(&str, Ended)> = ended.iter().filter(|(_, ended)| ended.code == Some(0)).collect();
    let [(winner, won)] = winners[..] else { panic!("{ended:?}") };
    assert!(won.said.contains(&format!("held by `lease_runner`, process {old_process} of ")), "{}", won.said);
    assert!(won.said.contains("took over the lease in"), "{}", won.said);
    for (_, lost) in ended.iter().filter(|(host, _)| host != winner) {
        assert_eq!(lost.code, Some(4), "{}", lost.said);
        let held = format!("is held by `lease_runner`, process {} of ", processes[winner]);
        let says_when = [&format!(" on {winner}, since 20"), " until 20"].iter().all(|words| lost.said.contains(*words));
        assert!(lost.said.contains(&held) && says_when, "the winner {winner} is not named: {}", lost.said);
    }
    assert_eq!(old.code, Some(1), "{}", old.said);
    assert!(old.said.contains("lease lost: it was not renewed for "), "{}", old.said);
    assert!(stopped.elapsed() >= Duration::from_millis(LEASE));

    assert_fenced(&log);
    let of_old: Vec<&str> = log.iter().filter(|line| line.number == 1).map(|line| line.what.as_str()).collect();
    assert_eq!(of_old, ["took", "begin", "wrote", "begin"], "the second write was not done");
    assert_world(&shared, winner, &["b", "c", "d"]);
    // What the old run left half done is not seen again, and nothing has to be done by hand.
    let last = wanted(winner, 0, &["b", "c", "d"]);
    let ended = (shared.run(&last), shared.run(&last));
    assert_eq!((ended.0.code, ended.0.said.as_str(), ended.1.code), (Some(0), "", Some(0)));
    assert_eq!(
        shared.log().iter().filter(|line| line.what == "wrote").count(),
        log.iter().filter(|line| line.what == "wrote").count()
    );
    let taken: Vec<u64> = shared.log().into_iter().filter(|line| line.what == "took").map(|line| line.number).collect();
    assert_eq!(taken, [1, 2, 3, 4]);
}

#[test]
fn a_run_that_was_stopped_past_its_lease_begins_nothing_while_the_newer_one_writes() {
    stopped_past_its_lease(GoesOn::WhileTheNewOneWrites);
}

#[test]
fn a_run_that_was_stopped_past_its_lease_begins_nothing_after_the_newer_one_has_ended() {
    stopped_past_its_lease(GoesOn::AfterTheNewOneHasEnded);
}

#[test]
fn a_killed_holder_is_taken_over_when_its_lease_has_run_out() {
    let shared = Shared::new();
    let old = shared.start(&wanted("old", 60_000, &["a"]));
    let begun = shared.wait_for("begin", "a");
    old.signal("KILL");
    assert_eq!(old.end().code, None);
    // Also on the same machine, whose lock is free: only the lease can tell about the others.
    let ended = shared.run(&wanted("old", 0, &["b"]));
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    let taken = shared.log().into_iter().filter(|line| line.what == "took").nth(1).unwrap();
    let waited = Duration::from_nanos(u64::try_from(taken.at - begun.at).unwrap());
    assert!(waited >= Duration::from_millis(LEASE) && waited < Duration::from_millis(LEASE * 4), "{waited:?}");
    assert_world(&shared, "old", &["b"]);
    assert_fenced(&shared.log());
}

#[test]
fn a_run_whose_lease_goes_on_being_renewed_is_not_overtaken_by_any_of_four() {
    let shared = Shared::new();
    // Longer than a lease.
    let old = shared.start(&wanted("old", 2 * LEASE, &["a"]));
    shared.wait_for("begin", "a");
    let others: Vec<Runner> = ["two", "three", "four", "five"].map(|host| shared.start(&wanted(host, 0, &["b"]))).into();
    for other in others {
        let ended = other.end();
        assert_eq!(ended.code, Some(4), "{}", ended.said);
        assert!(ended.said.contains(&format!("process {} of ", old.process())), "{}", ended.said);
    }
    assert_eq!(old.end().code, Some(0));
    assert_world(&shared, "old", &["a"]);
    assert_fenced(&shared.log());
}

#[test]
fn a_run_whose_store_is_gone_says_so_and_stops_in_time() {
    let shared = Shared::new();
    let old = shared.start(&wanted("old", LEASE, &["a", "b"]));
    shared.wait_for("begin", "a");
    // A file where the directory was: nothing can be written there.
    let lease = shared.path().join("lease");
    std::fs::rename(&lease, shared.path().join("elsewhere")).unwrap();
    std::fs::write(&lease, "").unwrap();
    let ended = old.end();
    assert_eq!(ended.code, Some(1), "{}", ended.said);
    assert!(
        ended.said.contains("could not be renewed") && ended.said.contains("if that goes on, nothing new is begun in"),
        "{}",
        ended.said
    );
    assert!(ended.said.contains("nothing new is begun\n") && ended.said.contains("lease lost: "), "{}", ended.said);
    assert!(shared.log().iter().all(|line| line.about != "b"), "{:?}", shared.log());
}
