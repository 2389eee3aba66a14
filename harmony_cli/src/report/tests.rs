use std::time::Duration;

use harmony::engine::outcome::{Failed, Left, Proved};
use harmony::engine::plan::{Change, Counts, FORMAT, LossNotice, Plan, Step, Subject};
use harmony::engine::silence::Silence;
use harmony::engine::status::{Standing, State};
use harmony::proof::Evidence;
use harmony::resource::{FieldChange, Shown};
use harmony::{Origin, Outcome};
use serde_json::json;

use super::*;
use crate::paint::Paint;

fn nowhere() -> Sources {
    Sources::nowhere()
}

fn wide() -> Layout {
    Layout { paint: Paint::Plain, width: 100, detail: Detail::Short }
}

fn origin(score: &str, line: u32) -> Origin {
    Origin::new(score, "src/main.rs", line)
}

fn step(address: &str, label: &str, change: Change) -> Step {
    let score = if address.starts_with("east") { origin("jetstream", 21) } else { origin("nats", 12) };
    Step {
        address: address.parse().unwrap(),
        subject: if change == Change::Prove { Subject::Proof } else { Subject::Resource },
        kind: "test/v1".to_owned(),
        label: label.to_owned(),
        origin: score,
        change,
        fields: vec![],
        loss: None,
    }
}

fn field(path: &str, live: Shown, desired: Shown) -> FieldChange {
    FieldChange { path: path.to_owned(), live, desired }
}

fn value(value: serde_json::Value) -> Shown {
    Shown::Value(value)
}

const BEFORE: &str = "server_name: n1\nport: 4222\nhttp: 8222\nmax_payload: 1MB\njetstream {\n  store_dir: /srv\n}\n";

/// One step of every sort.
fn every_sort() -> Plan {
    let mut config = step("east/nats/config", "file /srv/nats.conf", Change::Update);
    let after = BEFORE.replace("4222", "4223");
    config.fields = vec![
        field("/content", value(json!(BEFORE)), value(json!(after))),
        field("/mode", value(json!("0600")), value(json!("0640"))),
        field("/token", Shown::Sensitive, Shown::Sensitive),
        field("/labels/a~1b", Shown::Absent, value(json!("x"))),
        field("/url", value(json!("nats://a:4222")), Shown::KnownAfter(vec!["east/nats/server".parse().unwrap()])),
    ];
    let mut made = step("laptop/nats/config", "file /srv/leaf.conf", Change::Create);
    made.fields = vec![
        field("/content", Shown::Absent, value(json!(BEFORE))),
        field("/password", Shown::Absent, Shown::Sensitive),
        field("/routes", Shown::Absent, value(json!((0..20).map(|at| format!("nats://host-{at}:6222")).collect::<Vec<_>>()))),
    ];
    let mut replaced =
        step("east/streams/ORDERS", "stream ORDERS", Change::Replace { because: "storage cannot change".to_owned() });
    replaced.fields = vec![field("/storage", value(json!("file")), value(json!("memory")))];
    replaced.loss = Some(LossNotice { what: "12 messages, last sequence 34".to_owned(), allowed: false });
    let mut deleted = step("east/streams/OLD", "stream OLD", Change::Delete { because: "no Score wants it any more".to_owned() });
    deleted.loss = Some(LossNotice { what: "3 messages".to_owned(), allowed: true });
    let forbidden = Change::Forbidden { because: "max_bytes cannot shrink".to_owned(), hint: "put it back".to_owned() };
    let until = Change::UnknownUntil { until: vec!["laptop/nats/server".parse().unwrap()] };
    let mut held = step("laptop/proofs/kept", "kept", Change::None);
    held.subject = Subject::Proof;
    Plan {
        format: FORMAT,
        ledger_serial: 3,
        steps: vec![
            config,
            replaced,
            deleted,
            step("east/streams/SHRUNK", "stream SHRUNK", forbidden),
            made,
            step("laptop/nats/old", "process old", Change::Forget),
            step("laptop/nats/server", "nats-server n1", Change::None),
            step("laptop/buckets/HARMONY", "key-value bucket HARMONY", until),
            step(
                "laptop/proofs/harmony-can-write",
                "user `harmony` reads and writes bucket `HARMONY` on every site",
                Change::Prove,
            ),
            held,
        ],
        notes: vec![harmony::arrangement::Note {
            about: "bucket HARMONY".to_owned(),
            says: "survives the loss of any one site".to_owned(),
        }],
        left: vec![],
        silent: vec![],
        waiting: vec![],
    }
}

fn no_line_ends_with_a_space(text: &str) {
    for line in text.lines() {
        assert!(!line.ends_with(' '), "{line:?}");
    }
}

#[test]
fn a_plan_shows_every_sort_of_step() {
    let text = plan(&every_sort(), &wide());
    no_line_ends_with_a_space(&text);
    insta::assert_snapshot!(text);
}

#[test]
fn a_narrow_plan_puts_labels_on_their_own_lines_and_cuts_values() {
    let text = plan(&every_sort(), &Layout { width: 40, ..wide() });
    no_line_ends_with_a_space(&text);
    insta::assert_snapshot!(text);
}

#[test]
fn a_full_plan_shows_what_is_made_line_by_line() {
    insta::assert_snapshot!(plan(&every_sort(), &Layout { detail: Detail::Full, ..wide() }));
}

#[test]
fn a_coloured_plan_is_the_plain_one_with_colour() {
    let colored = plan(&every_sort(), &Layout { paint: Paint::Colored, ..wide() });
    insta::assert_snapshot!(colored.replace('\u{1b}', "ESC"));
    let mut plain = String::new();
    let mut rest = colored.as_str();
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        plain.push_str(before);
        rest = after.split_once('m').unwrap().1;
    }
    assert_eq!(plain + rest, plan(&every_sort(), &wide()));
}

#[test]
fn structures_that_do_not_fit_on_a_line_are_compared_line_by_line() {
    let hosts = |count: usize| json!((0..count).map(|at| format!("host-{at}.example.org")).collect::<Vec<_>>());
    let mut changed = step("east/cluster", "cluster", Change::Update);
    changed.fields = vec![
        field("/routes", value(hosts(8)), value(hosts(9))),
        field("/gateways", value(hosts(1)), value(hosts(2))),
        field("/description", value(json!("x".repeat(90))), value(json!("y".repeat(90)))),
        field("", value(json!("a")), Shown::Absent),
    ];
    let plan_of_one = Plan { steps: vec![changed], notes: vec![], ..every_sort() };
    insta::assert_snapshot!(plan(&plan_of_one, &wide()));
}

#[test]
fn refusals_name_the_flag_or_the_way_out() {
    insta::assert_snapshot!(refusals(&every_sort(), &nowhere(), &wide()));
}

fn outcome() -> Outcome {
    Outcome {
        counts: Counts { create: 3, update: 1, unchanged: 40, holding: 2, ..Counts::default() },
        writes: 4,
        proofs: vec![Proved {
            address: "east/proofs/a".parse().unwrap(),
            claim: "user `harmony` reads and writes bucket `HARMONY`".to_owned(),
            evidence: Evidence {
                checks: 12,
                how: "as harmony, on n1, n2 and n3".to_owned(),
                measured: vec!["longest read on another site: 3ms".to_owned()],
            },
        }],
        next_steps: vec![("Connect".to_owned(), "nats --server nats://a:4222 \\\n  kv ls".to_owned())],
        took: Duration::from_millis(3210),
        ..Outcome::default()
    }
}

#[test]
fn a_run_tells_what_it_did_what_it_proved_and_what_is_next() {
    insta::assert_snapshot!(done(&outcome(), &wide()));
}

#[test]
fn a_run_with_nothing_to_do_tells_one_line() {
    let counts = Counts { unchanged: 312, holding: 14, ..Counts::default() };
    let converged = Outcome { counts, proofs: vec![], writes: 0, took: Duration::from_millis(400), ..outcome() };
    assert_eq!(done(&converged, &wide()), "Nothing to change: 312 resources, 14 proofs hold (0.4 s)\n");
}

#[test]
fn a_failed_run_tells_what_failed_what_is_left_and_no_next_steps() {
    let failure = Failed {
        address: "east/buckets/HARMONY".parse().unwrap(),
        label: "key-value bucket HARMONY".to_owned(),
        origin: origin("jetstream", 21),
        error: "failed to create bucket HARMONY: insufficient resources\n(10023)".to_owned(),
        hint: Some("give the servers more storage".to_owned()),
    };
    let not_begun = (0..12).map(|at| format!("east/streams/S{at}").parse().unwrap()).collect();
    let outcome = Outcome { failures: vec![failure.clone()], not_begun, ..outcome() };
    let text = failures(&[failure], &nowhere(), &wide()) + &after_failures(&outcome, &wide()) + &done(&outcome, &wide());
    insta::assert_snapshot!(text);
}

#[test]
fn an_interrupted_run_tells_what_was_waited_for_and_what_was_not_begun() {
    let left = Left {
        address: "east/buckets/HARMONY".parse().unwrap(),
        label: "key-value bucket HARMONY".to_owned(),
        why: "stopped after waiting 3 s for the stream's leader and copies: it has no leader".to_owned(),
    };
    let not_begun = vec!["east/streams/S1".parse().unwrap()];
    let outcome = Outcome { left: vec![left], not_begun, interrupted: true, ..outcome() };
    insta::assert_snapshot!(after_failures(&outcome, &wide()) + &done(&outcome, &wide()));
}

#[test]
fn a_status_names_what_is_not_well_and_what_of_its_sort_still_is() {
    let standing = |address: &str, subject, state| Standing {
        address: address.parse().unwrap(),
        subject,
        label: "a thing".to_owned(),
        origin: origin("nats", 12),
        state,
        holds: None,
    };
    let thing = |address: &str, state| standing(address, Subject::Resource, state);
    let mut unwanted = thing("west/e", State::Unwanted);
    unwanted.holds = Some("3 messages".to_owned());
    let standings = [
        thing("east/a", State::AsItShould),
        standing("east/p", Subject::Proof, State::AsItShould),
        thing("west/a", State::Unreachable { why: "connection refused".to_owned() }),
        thing("west/b", State::UnknownUntil { until: vec!["west/a".parse().unwrap()] }),
        thing("west/c", State::Gone),
        thing("west/d", State::Differs { fields: vec!["/max_bytes".to_owned()], why: None }),
        unwanted,
        thing("west/f", State::NotMade),
        thing("west/g", State::AsItShould),
        standing("west/p", Subject::Proof, State::Unproved),
    ];
    insta::assert_snapshot!(status(&standings, &wide()));
    assert!(!is_well(&standings) && is_well(&standings[..2]));
    assert!(status(&standings[..2], &wide()).ends_with("All is well.\n"));
}

#[test]
fn a_place_that_does_not_answer_is_told_once_with_what_waits_for_it() {
    let why = "failed to look at cluster west: connection refused".to_owned();
    let unreachable = |address: &str| step(address, "thing", Change::Unreachable { why: why.clone() });
    let until = Change::UnknownUntil { until: vec!["west/gate".parse().unwrap()] };
    let silence = Silence {
        place: "west".parse().unwrap(),
        why: why.clone(),
        hint: Some("see that it runs".to_owned()),
        things: vec!["west/gate".parse().unwrap(), "west/road".parse().unwrap()],
    };
    let plan = Plan {
        steps: vec![unreachable("west/gate"), unreachable("west/road"), step("laptop/router", "router", until)],
        notes: vec![],
        silent: vec![silence],
        waiting: vec!["laptop/router".parse().unwrap()],
        ..every_sort()
    };
    let text = super::plan(&plan, &wide()) + "---\n" + &silences(&plan.silent, &plan.waiting, &wide());
    no_line_ends_with_a_space(&text);
    insta::assert_snapshot!(text, @r"
    west: 2 things are unknown until it answers: failed to look at cluster west: connection refused
    1 thing that needs something of it is left as it is until then:
      laptop/router

    Plan: 0 to create, 0 to update, 0 to replace, 0 to delete, 0 to prove, 0 unchanged, 1 known later, 2 unknown.
    ---
    error: west does not answer: failed to look at cluster west: connection refused
      2 things are unknown until it does, and left as they are
      hint: see that it runs
    1 thing elsewhere that needs something of it is left as it is
    ");
    insta::assert_snapshot!(drift(&[], &plan.silent, &wide()), @r"
    west: 2 things are unknown until it answers: failed to look at cluster west: connection refused

    No drift where things could be looked at.
    ");
    assert!(super::plan(&plan, &Layout { detail: Detail::Full, ..wide() }).contains("? west/gate"), "all of it, if asked");
    assert_eq!(Summary::of_plan(&plan).outcome, "failed");

    let standing = |address: &str| Standing {
        address: address.parse().unwrap(),
        subject: Subject::Resource,
        label: "a thing".to_owned(),
        origin: origin("nats", 12),
        state: State::Unreachable { why: why.clone() },
        holds: None,
    };
    insta::assert_snapshot!(status(&[standing("west/gate"), standing("west/road")], &wide()), @r"
    west: 0 of 2 things as they should be
      unreachable  all of it
                   failed to look at cluster west: connection refused

    Status: 2 unreachable.
    ");
}
