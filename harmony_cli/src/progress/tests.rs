use std::io;
use std::time::{Duration, Instant};

use harmony::Origin;
use harmony::engine::events::{Event, Observer};
use harmony_test::Captured;

use super::*;
use crate::console::{Console, Streams};
use crate::paint::Paint;
use crate::report::{Detail, Layout};

fn progress(form: Form) -> (Progress, Captured) {
    let messages = Captured::default();
    let streams = Streams::without_terminal(io::sink(), messages.clone());
    let layout = Layout { paint: Paint::Plain, width: 80, detail: Detail::Short };
    (Progress::new(form, Console::new(streams), layout), messages)
}

fn started(address: &str, label: &str) -> Event {
    Event::Started { address: address.parse().unwrap(), doing: "creating", label: label.to_owned() }
}

fn waiting(address: &str, what: &str) -> Event {
    Event::Progress { address: address.parse().unwrap(), what: what.to_owned() }
}

fn finished(address: &str, label: &str) -> Event {
    let took = Duration::from_millis(312);
    Event::Finished { address: address.parse().unwrap(), done: "created", label: label.to_owned(), took }
}

#[test]
fn lines_say_what_was_done_and_what_is_waited_for() {
    let (progress, messages) = progress(Form::Lines);
    let failed = Event::Failed {
        address: "east/stream".parse().unwrap(),
        label: "stream ORDERS".to_owned(),
        origin: Origin::new("streams", "src/main.rs", 7),
        error: "refused".to_owned(),
        hint: None,
    };
    for event in [
        Event::Phase { phase: "applying", count: 2 },
        started("east/bucket", "key-value bucket HARMONY"),
        waiting("east/bucket", "waiting for a leader: no quorum"),
        finished("east/bucket", "key-value bucket HARMONY"),
        failed,
        Event::Remark { says: "made the identity".to_owned() },
    ] {
        progress.on(&event);
    }
    insta::assert_snapshot!(messages.text(), @"
             ... east/bucket: waiting for a leader: no quorum
         Created key-value bucket HARMONY  0.3 s
          Failed stream ORDERS
            Note made the identity
    ");
}

#[test]
fn silence_is_broken_after_five_seconds_and_only_while_something_runs() {
    let (progress, messages) = progress(Form::Lines);
    let begun = Instant::now();
    let after = |seconds: u64| begun + Duration::from_secs(seconds);
    progress.tick(after(60));
    assert_eq!(messages.text(), "");
    progress.on_at(&Event::Phase { phase: "applying", count: 1 }, after(60));
    progress.on_at(&started("east/bucket", "bucket A"), after(60));
    progress.on_at(&waiting("east/bucket", "waiting for a leader"), after(61));
    progress.tick(after(65));
    progress.tick(after(66));
    progress.tick(after(70));
    progress.tick(after(71));
    progress.end();
    progress.tick(after(100));
    insta::assert_snapshot!(messages.text(), @"
             ... east/bucket: waiting for a leader
             ... still creating bucket A (6.0 s, waiting for a leader)
             ... still creating bucket A (11.0 s, waiting for a leader)
    ");
}

#[test]
fn the_bottom_row_counts_and_names_the_longest_and_never_wraps() {
    let (progress, messages) = progress(Form::Live);
    let begun = Instant::now();
    progress.on_at(&Event::Phase { phase: "applying", count: 6 }, begun);
    for (index, name) in ["a", "b", "c", "d", "e"].into_iter().enumerate() {
        progress.on_at(&started(&format!("east/{name}"), &format!("bucket {name}")), begun + Duration::from_secs(index as u64));
    }
    progress.on_at(&finished("east/a", "bucket a"), begun + Duration::from_secs(5));
    progress.on_at(&waiting("east/b", "no quorum"), begun + Duration::from_secs(5));
    progress.tick(begun + Duration::from_secs(9));
    let text = messages.text();
    let row = text.rsplit("\u{1b}[2K").next().unwrap();
    assert_eq!(row, "applying 1/6 · creating bucket b 8.0 s (no quorum) · creating bucket c 7.0 s ·…");
    assert!(row.chars().count() < 80);
    progress.end();
    assert!(messages.text().ends_with("\r\u{1b}[2K"));
}

#[test]
fn a_line_above_the_bottom_row_takes_it_away_and_puts_it_back() {
    let (progress, messages) = progress(Form::Live);
    let begun = Instant::now();
    progress.on_at(&Event::Phase { phase: "looking at", count: 3 }, begun);
    progress.tick(begun + Duration::from_secs(1));
    progress.on_at(&Event::Remark { says: "x".to_owned() }, begun + Duration::from_secs(1));
    assert_eq!(messages.text(), "looking at 3 things\r\u{1b}[2K        Note x\nlooking at 3 things");
    progress.on_at(&Event::Phase { phase: "applying", count: 1 }, begun);
    progress.on_at(&finished("east/a", "bucket a"), begun + Duration::from_secs(2));
    assert!(messages.text().ends_with("Created bucket a  0.3 s\napplying 1/1"), "the row tells what is true now");
}
