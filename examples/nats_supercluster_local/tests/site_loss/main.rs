//! Each site is lost once, under clients that go on working on the others, and nothing that was acknowledged is lost with it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "the lints' exception for tests does not see the functions that tests share"
)]

mod place;
mod reader;
mod servers;
mod told;
mod wait;
mod writer;

use std::time::{Duration, Instant};

use async_nats::Client;
use place::{Place, SITES, hub, ordinary, site_of};
use reader::Watcher;
use servers::Leaders;
use wait::{until, wait};
use writer::{Acknowledged, Writer, longest_gap};

/// The longest time without an acknowledged write.
const LONGEST_GAP: Duration = Duration::from_secs(15);
/// How long it may take until everything is current again.
const CURRENT_WITHIN: Duration = Duration::from_secs(120);
/// How many writes the test makes at least, one third of them at each loss.
const AT_LEAST: usize = 21_000;
/// How many writes come before the loss, and how many behind it before anything else is looked at.
const BEFORE: usize = 1_000;
const BEHIND: usize = 500;

/// What came of one loss.
struct Loss {
    site: &'static str,
    led: Vec<&'static str>,
    gap: Duration,
    newcomer: Duration,
    current: Duration,
    again: usize,
    acknowledged: Vec<Acknowledged>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn each_site_may_be_lost_and_no_acknowledged_write_with_it() {
    let place = Place::new();
    place.run(&["apply", "--yes"], 0);
    let mut losses: Vec<Loss> = Vec::new();
    let mut left = SITES.to_vec();
    // Who leads may move to a site that has already been lost: that one is then lost again.
    while !left.is_empty() || !both_have_led(&losses) {
        assert!(losses.len() < 6, "the leaders always move to where nothing happens");
        let leaders = who_leads(&place).await;
        let site = next(&left, &losses, &leaders);
        left.retain(|one| *one != site);
        losses.push(lose(&place, site, &leaders, losses.len()).await);
    }
    let acknowledged: Vec<Acknowledged> = losses.iter().flat_map(|loss| loss.acknowledged.clone()).collect();
    print(&losses);
    read_back(&place, &acknowledged).await;
}

async fn who_leads(place: &Place) -> Leaders {
    let operator = place.operator(&[hub("east")]).await;
    wait("all servers to name one leader", async || servers::leaders(&operator, SITES.len() * 3).await.ok_or("they do not")).await
}

/// The site to lose next: one that leads, as long as a site with that part has not been lost.
fn next(left: &[&'static str], losses: &[Loss], leaders: &Leaders) -> &'static str {
    let has_been_lost = |part| losses.iter().any(|loss| loss.led.contains(&part));
    let parts = [("the bucket", site_of(&leaders.stream)), ("JetStream", site_of(&leaders.meta))];
    let wanted = parts.into_iter().filter(|(part, _)| !has_been_lost(*part)).map(|(_, site)| site);
    let fresh = wanted.clone().find(|site| left.contains(site));
    fresh.or_else(|| left.first().copied()).or_else(|| wanted.clone().next()).unwrap()
}

fn both_have_led(losses: &[Loss]) -> bool {
    ["the bucket", "JetStream"].iter().all(|part| losses.iter().any(|loss| loss.led.contains(part)))
}

async fn lose(place: &Place, site: &'static str, leaders: &Leaders, round: usize) -> Loss {
    let parts = [("the bucket", &leaders.stream), ("JetStream", &leaders.meta)];
    let led = parts.iter().filter(|(_, leader)| site_of(leader) == site).map(|(part, _)| *part).collect();
    let alive: Vec<&str> = SITES.into_iter().filter(|one| *one != site).collect();
    println!("losing {site}: {} leads the bucket, {} leads JetStream", leaders.stream, leaders.meta);

    let watcher = Watcher::start(place.agent(&ordinary(alive[1])).await, &format!("loss-{round}.>")).await;
    let writer = Writer::start(place.agent(&ordinary(alive[0])).await, round);
    until("the first writes", async || writer.count() >= BEFORE && watcher.has_seen_some()).await;
    let killed = Instant::now();
    place.kill(site);
    let newcomer = async {
        let client = place.agent(&ordinary(alive[1])).await;
        let listed = reader::use_as_newcomer(client, &format!("newcomer-{round}")).await;
        assert!(listed >= BEFORE, "a newcomer lists only {listed} keys");
        killed.elapsed()
    };
    let writes = until("writes behind the loss", async || writer.count_since(killed) >= BEHIND);
    let (newcomer, ()) = tokio::join!(newcomer, writes);

    told::by_status(place, site, &alive).await;
    told::by_verify(place, site, &alive).await;
    until("writes while a site is lost", async || writer.count() >= AT_LEAST / SITES.len()).await;

    let began = Instant::now();
    place.run(&["apply", "--yes"], 0);
    let operator = place.operator(&[hub(alive[0])]).await;
    current(&operator, writer.count_since(killed)).await;
    let (acknowledged, again) = writer.stop().await;
    let last = acknowledged.iter().map(|write| write.sequence).max().unwrap();
    settled(&operator, last).await;
    let current = began.elapsed();
    until("the watcher to be told of every write", async || watcher.has_seen_all(&acknowledged)).await;
    place.run(&["verify"], 0);
    let gap = longest_gap(&acknowledged);
    println!("  longest gap {gap:.2?}, newcomer at work after {newcomer:.2?}, current after {current:.2?}");
    assert!(gap <= LONGEST_GAP, "no write was acknowledged for {gap:?} after the loss of {site}");
    assert!(current <= CURRENT_WITHIN, "{site} was current only after {current:?}");
    Loss { site, led, gap, newcomer, current, again, acknowledged }
}

/// Waits, under the writes, until every copy has what the most advanced one had when this was first asked.
async fn current(operator: &Client, at_least: usize) {
    let mut target = u64::try_from(at_least).unwrap();
    let mut is_first = true;
    until("every copy to reach the last sequence of its leader", async || {
        let sequences = servers::sequences(operator).await;
        if is_first && sequences.len() == SITES.len() {
            target = target.max(sequences.values().copied().max().unwrap());
            is_first = false;
        }
        sequences.len() == SITES.len() && sequences.values().all(|sequence| *sequence >= target)
    })
    .await;
}

/// Waits until every copy has the same last sequence, and nothing that was acknowledged is behind it.
async fn settled(operator: &Client, last: u64) {
    until("every copy to have the same last sequence", async || {
        let sequences = servers::sequences(operator).await;
        let first = sequences.values().next().copied().unwrap_or_default();
        sequences.len() == SITES.len() && first >= last && sequences.values().all(|sequence| *sequence == first)
    })
    .await;
}

fn print(losses: &[Loss]) {
    println!("\nlost site  led                     longest gap  newcomer  current after  acknowledged  written again");
    for loss in losses {
        let led = if loss.led.is_empty() { "nothing".to_owned() } else { loss.led.join(" and ") };
        println!(
            "{:<9}  {led:<22}  {:>9.2} s  {:>6.2} s  {:>11.2} s  {:>12}  {:>13}",
            loss.site,
            loss.gap.as_secs_f64(),
            loss.newcomer.as_secs_f64(),
            loss.current.as_secs_f64(),
            loss.acknowledged.len(),
            loss.again,
        );
    }
}

/// Every site's own copy has every acknowledged key with its value.
async fn read_back(place: &Place, acknowledged: &[Acknowledged]) {
    assert!(acknowledged.len() >= 20_000, "only {} writes were acknowledged", acknowledged.len());
    let began = Instant::now();
    let read = SITES.map(async |site| {
        let wrong = reader::wrong(place.agent(&[hub(site)]).await, acknowledged).await;
        assert!(wrong.is_empty(), "{} keys are missing or wrong on {site}: {:?}", wrong.len(), wrong.first());
    });
    futures::future::join_all(read).await;
    let (keys, took) = (acknowledged.len(), began.elapsed());
    println!("\n{keys} acknowledged keys read back with their values from each of {} sites in {took:.1?}", SITES.len());
}
