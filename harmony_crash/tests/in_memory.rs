//! The supercluster of nine servers in memory, killed at every point.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test that cannot go on ends")]

use std::sync::Mutex;

use harmony::Outcome;
use harmony_crash::memory::{Disturbance, Ended, Instants, MemorySite, World};
use harmony_crash::{Command, Seed};
use serde_json::json;

const FOREIGN: &str = "local-file/v1";

/// A site in a world in which others have something too.
fn new_site() -> MemorySite {
    let site = MemorySite::new();
    site.things().plant(FOREIGN, "/etc/motd", json!({"path": "/etc/motd", "content": "theirs", "access": "public"}));
    site
}

fn left_when_all_is_gone() -> Vec<String> {
    let site = new_site();
    // The program is shared with others, and stays.
    let binary = r#"nats-server-binary/v1 2.15.1 {"version":"2.15.1"}"#.to_owned();
    site.things().all().into_iter().chain([binary]).collect()
}

/// Runs it to its end, which has to be a good one.
async fn run(site: &MemorySite, command: Command) -> Box<Outcome> {
    match site.run(command, Disturbance::Nothing).await {
        (Ended::Done(Ok(outcome)), ..) if outcome.failures.is_empty() && outcome.not_begun.is_empty() => outcome,
        (ended, ..) => panic!("{command:?} ended so: {ended:?}"),
    }
}

/// The next run makes everything as it should be, the one after it changes nothing.
async fn expect_converged(site: &MemorySite, expected: &[String]) {
    run(site, Command::Apply).await;
    expect_same(&site.things().all(), expected);
    let (files, writes) = (site.files(), site.things().writes());
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["ledger.json"], "something is left beside the Ledger");
    let outcome = run(site, Command::Apply).await;
    assert_eq!((outcome.writes, outcome.proofs.len(), site.things().writes()), (0, 0, writes), "it wrote again");
    assert!(files == site.files(), "it touched the Ledger");
}

fn expect_same(there: &[String], expected: &[String]) {
    let lacks =
        |all: &[String], some: &[String]| -> Vec<String> { some.iter().filter(|one| !all.contains(one)).cloned().collect() };
    let (more, less) = (lacks(expected, there), lacks(there, expected));
    assert!(more.is_empty() && less.is_empty(), "too much: {more:#?}, missing: {less:#?}");
}

async fn expect_gone(site: &MemorySite) {
    run(site, Command::Destroy).await;
    let mut left = site.things().all();
    left.retain(|thing| !thing.starts_with("nats-server-binary"));
    let mut expected = left_when_all_is_gone();
    expected.retain(|thing| !thing.starts_with("nats-server-binary"));
    expect_same(&left, &expected);
    assert!(site.is_gone(), "{:?}", site.files());
}

/// Does `check` for each world, on as many threads as there are cores.
fn for_each<'w, F: Future<Output = ()>>(worlds: &'w [World], check: impl Fn(&'w World) -> F + Sync) {
    let next = Mutex::new(worlds.iter());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                loop {
                    let Some(world) = next.lock().ok().and_then(|mut worlds| worlds.next()) else { return };
                    let checked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| runtime.block_on(check(world))));
                    checked.unwrap_or_else(|_| panic!("after a kill at {} ({} points leave the same)", world.at, world.points));
                }
            });
        }
    });
}

#[tokio::test]
async fn an_apply_killed_at_any_point_is_completed_or_taken_away_by_the_next_run() {
    let site = new_site();
    let instants = Instants::of(&site, Command::Apply).await;
    let expected = site.things().all();
    println!("{} points of apply leave {} different worlds", instants.points, instants.worlds.len());
    assert!(instants.points > 1000, "too few points to be the main job: {}", instants.points);
    for_each(&instants.worlds, |world| async {
        let site = world.site();
        expect_converged(&site, &expected).await;
        expect_gone(&world.site()).await;
    });
}

#[tokio::test]
async fn a_destroy_killed_at_any_point_is_completed_by_the_next_one() {
    let site = new_site();
    run(&site, Command::Apply).await;
    let instants = Instants::of(&site, Command::Destroy).await;
    println!("{} points of destroy leave {} different worlds", instants.points, instants.worlds.len());
    assert!(instants.points > 600, "too few points to be the main job: {}", instants.points);
    for_each(&instants.worlds, |world| async {
        let site = world.site();
        expect_gone(&site).await;
        let writes = site.things().writes();
        run(&site, Command::Destroy).await;
        assert_eq!((site.things().writes(), site.is_gone()), (writes, true), "it wrote again");
    });
}

/// That one run shows what every kill leaves is itself shown: runs that are abandoned leave the same.
#[tokio::test]
async fn an_abandoned_run_leaves_what_the_undisturbed_one_had_made_until_then() {
    let site = new_site();
    let instants = Instants::of(&site, Command::Apply).await;
    let expected = site.things().all();
    let points: Vec<u64> = (1..=instants.points).collect();
    for number in Seed(4).sample(&points, 25) {
        let site = new_site();
        let (ended, disturbed, _) = site.run(Command::Apply, Disturbance::Die(number)).await;
        assert!(matches!(ended, Ended::Abandoned), "point {number}: {ended:?}");
        let left = World::of(&site);
        assert!(instants.worlds.iter().any(|world| world.is_like(&left)), "point {number}, {:?}", disturbed.met());
        expect_converged(&left.site(), &expected).await;
    }
}
