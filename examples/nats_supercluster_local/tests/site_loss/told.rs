//! What the program says while a site is lost.

use std::time::{Duration, Instant};

use crate::place::{Place, servers};

/// The servers that go on elect new leaders, which takes seconds: until then more is lost than the site.
const ELECTIONS: Duration = Duration::from_secs(30);

/// `status` names the site's servers as gone, and the others and the bucket as they should be.
pub(crate) async fn by_status(place: &Place, site: &str, alive: &[&str]) {
    let lost = servers(site).map(|server| format!("gone  laptop/nats/{server}/process  nats-server {server}"));
    let running = alive.iter().flat_map(|site| servers(site));
    let works = running.map(|server| format!("fine  laptop/nats/{server}/process  nats-server {server}"));
    let bucket = "fine  laptop/nats/bucket/HARMONY/HARMONY  key-value bucket HARMONY".to_owned();
    says(place, "status", 3, &lost.chain(works).chain([bucket]).collect::<Vec<_>>()).await;
}

/// `verify` names for every proof what does not hold, and what still does.
pub(crate) async fn by_verify(place: &Place, site: &str, alive: &[&str]) {
    let [one, other] = alive else { panic!("two sites are left") };
    let mut clusters = [format!("nats-{one}"), format!("nats-{other}"), "nats-hub".to_owned()];
    clusters.sort();
    let expected = [
        format!("user agent works on 6 of 9 servers ({one}, {other}): site {site}: "),
        format!("what user agent may do works on 2 of 3 sites ({one}, {other}): site {site}: "),
        format!("3 of 9 servers do not answer: nats-{site}-1, nats-{site}-2, nats-{site}-hub of site {site}; the other 6 "),
        "the other 6 are healthy; they name ".to_owned(),
        format!("the other 6 servers of clusters {} have all 12 gateways between them", clusters.join(", ")),
        format!("bucket HARMONY_PROOF works in 2 of 6 directions ({one} to {other}, {other} to {one}): on site {site}: "),
    ];
    says(place, "verify", 1, &expected).await;
}

async fn says(place: &Place, command: &str, code: i32, expected: &[String]) {
    let began = Instant::now();
    loop {
        let said = place.run(&[command], code).output();
        let missing: Vec<&String> = expected.iter().filter(|words| !said.contains(*words)).collect();
        if missing.is_empty() {
            println!("  `{command}` says what is lost and what works, {:.1?} after the first look", began.elapsed());
            return;
        }
        assert!(began.elapsed() < ELECTIONS, "`{command}` does not say {missing:#?}\nbut\n{said}");
    }
}
