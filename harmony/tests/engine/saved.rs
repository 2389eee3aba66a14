//! A plan that is saved is carried out exactly as it is, or not at all.

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use harmony::engine::maestro::EngineError;
use harmony::engine::plan::{Allowances, Change, Plan};
use harmony::engine::saved::{PlanRefusal, SavedPlan, SavedPlanError};
use harmony::{Inventory, Maestro, Outcome, Scores};
use harmony_io::Io;
use harmony_test::{
    FakeAccess, FakeNamespace, FakePlace, FakePort, FakeProof, FakeRoom, FakeSecret, FakeSite, FakeStore, FakeThing, Stored,
};
use harmony_types::Digest;
use serde_json::json;

use crate::programs::{program, things};

/// Things of every kind. After it is played in version 1, version 2 makes, changes, replaces and takes away one of each, and leaves the rest.
fn version(number: u64) -> Scores<FakePlace> {
    program(move |place, stage| {
        let key = stage.add(place, "key", &FakeSecret::new("key"))?;
        let house = stage.add(place, "house", &FakeThing::new("house"))?;
        stage.add(place, "vault", &FakeThing::new("vault").with_text(key.get(&FakeSecret::VALUE)))?;
        stage.add(place, "sealed", &FakeThing::new("sealed").with_size(number).with_text(key.get(&FakeSecret::VALUE)))?;
        stage.add_through(place, &FakeAccess::new(&house, &key), "attic", &FakeRoom::new("house", "attic"))?;
        stage.add(place, "port", &FakePort { name: "port".to_owned() })?;
        stage.add(place, "namespace", &FakeNamespace { name: "namespace".to_owned() })?;
        stage.add(place, "plain", &FakeThing::new("plain"))?;
        let store = FakeStore::new("store");
        let store = stage.add(place, "store", &FakeStore { engine: format!("engine {number}").as_str().into(), ..store })?;
        stage.prove(place, "proof", &[store.address().clone()], &FakeProof::new("p"))?;
        stage.add(place, "changed", &FakeThing::new("changed").with_size(number))?;
        stage.add(place, "painted", &FakeThing::new("painted").with_colour(&format!("colour {number}")))?;
        if number == 1 {
            stage.add(place, "old", &FakeThing::new("old")).map(|_| ())
        } else {
            stage.add(place, "new", &FakeThing::new("new").with_text(house.get(&FakeThing::URL))).map(|_| ())
        }
    })
}

/// A site that stands in version 1, its store and its attic holding something.
async fn version_1() -> FakeSite {
    let site = FakeSite::new();
    site.apply(&version(1)).await.unwrap();
    site.world.edit("fake-store/v1", "store", |stored| stored.holds = Some("7 apples".to_owned()));
    site.world.edit("fake-room/v1", "house.attic", |stored| stored.holds = Some("2 bats".to_owned()));
    site.apply(&version(1)).await.unwrap();
    site.world.take_log();
    site
}

fn losing_apples(site: &FakeSite) -> Maestro {
    site.maestro().with_allowances(Allowances { losses: ["fake/store".to_owned()].into(), ..Allowances::default() })
}

async fn save(site: &FakeSite, scores: &Scores<FakePlace>) -> PathBuf {
    let path = site.directory().join("plan");
    let saved = losing_apples(site).plan_to_save(&Inventory::empty(), &site.place, scores).await.unwrap();
    saved.save(&Io::real(), &path).unwrap();
    path
}

/// What `apply FILE` does.
async fn apply(site: &FakeSite, path: &Path, scores: &Scores<FakePlace>) -> Result<Outcome, EngineError> {
    let saved = SavedPlan::load(&Io::real(), path)?;
    site.maestro().prepare_saved(&saved, &Inventory::empty(), &site.place, scores).await?.apply().await
}

/// The writes that a plan means, sorted.
fn planned_writes(plan: &Plan) -> Vec<String> {
    let mut writes = Vec::new();
    for step in plan.steps.iter().filter(|step| step.subject == harmony::engine::plan::Subject::Resource) {
        let name = step.label.split_once(' ').unwrap().1;
        let words: &[&str] = match step.change {
            Change::Create => &["create"],
            Change::Update => &["update"],
            Change::Replace { .. } => &["delete", "create"],
            Change::Delete { .. } => &["delete"],
            Change::None => &[],
            ref other => panic!("{other:?} of {name}"),
        };
        writes.extend(words.iter().map(|word| format!("{word} {name}")));
    }
    writes.sort();
    writes
}

fn refusal(outcome: Result<Outcome, EngineError>) -> PlanRefusal {
    match outcome {
        Err(EngineError::SavedPlan(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

/// What moved, as lines.
fn moved(outcome: Result<Outcome, EngineError>) -> String {
    let refusal = refusal(outcome);
    let line = |moved: &harmony::engine::saved::Moved| format!("{} ({}): {}", moved.address, moved.label, moved.what.join("; "));
    refusal.moved().iter().map(line).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn unchanged_it_does_exactly_what_it_says() {
    let site = version_1().await;
    let path = save(&site, &version(2)).await;
    let plan = SavedPlan::load(&Io::real(), &path).unwrap().plan;
    assert_eq!(plan, losing_apples(&site).plan(&Inventory::empty(), &site.place, &version(2)).await.unwrap());
    let expected = planned_writes(&plan);
    let all = [
        "create new",
        "create painted",
        "create store",
        "delete old",
        "delete painted",
        "delete store",
        "update changed",
        "update sealed",
    ];
    assert_eq!(expected, all);
    let outcome = apply(&site, &path, &version(2)).await.unwrap();
    assert!(outcome.failures.is_empty() && outcome.not_begun.is_empty(), "{outcome:?}");
    let mut done = site.world.take_log();
    done.sort();
    assert_eq!(done, expected);
    assert_eq!(site.apply(&version(2)).await.unwrap().writes, 0);
}

#[tokio::test]
async fn it_is_carried_out_once() {
    let site = version_1().await;
    let path = save(&site, &version(2)).await;
    apply(&site, &path, &version(2)).await.unwrap();
    site.world.take_log();
    let again = refusal(apply(&site, &path, &version(2)).await);
    assert!(matches!(again, PlanRefusal::Ledger { .. }), "{again:?}");
    assert_eq!(site.world.writes(), 0);
}

#[tokio::test]
async fn a_first_plan_is_bound_to_a_site_in_which_nothing_was_made() {
    let (site, other) = (FakeSite::new(), FakeSite::new());
    let path = save(&site, &things(&["a"])).await;
    assert!(matches!(refusal(apply(&other, &path, &things(&["a"])).await), PlanRefusal::Site { .. }));
    assert_eq!(apply(&site, &path, &things(&["a"])).await.unwrap().writes, 1);
    site.destroy().await.unwrap();
    assert!(!site.site.state.exists(), "the key goes with the rest");
    let after = refusal(apply(&site, &path, &things(&["a"])).await);
    assert!(matches!(after, PlanRefusal::Key { .. }), "{after:?}");
    assert_eq!(site.world.take_log(), ["create a", "delete a"]);
}

/// What somebody does by hand, and what must be said of it.
type ByHand = (&'static str, fn(&FakeSite), &'static str);

fn edit(site: &FakeSite, name: &str, field: &str, value: serde_json::Value) {
    for kind in ["fake-thing/v1", "fake-store/v1", "fake-room/v1", "fake-secret/v1", "fake-port/v1"] {
        site.world.edit(kind, name, |stored| stored.state[field] = value.clone());
    }
}

fn remove(site: &FakeSite, kind: &str, name: &str) {
    assert!(site.world.remove(kind, name));
}

fn put_foreign(site: &FakeSite, name: &str) {
    let state = json!({"name": name, "text": "", "size": 1, "colour": "red", "nature": "plain"});
    let outputs = json!({"url": format!("fake://{name}")});
    site.world.put("fake-thing/v1", name, Stored { state, outputs, holds: None });
}

const BY_HAND: [ByHand; 24] = [
    ("a field of what stays", |s| edit(s, "plain", "size", json!(9)), "`/size` was as it should be, 1, and is 9 now"),
    (
        "what stays is removed",
        |s| remove(s, "fake-thing/v1", "plain"),
        "fake/plain (thing plain): it was planned that it would be left as it is; now it would be made",
    ),
    (
        "what is to be made is there",
        |s| put_foreign(s, "new"),
        "fake/new (thing new): it was planned that it would be made; now it would be forbidden: thing new is there already",
    ),
    (
        "what is to be changed is removed",
        |s| remove(s, "fake-thing/v1", "changed"),
        "fake/changed (thing changed): it was planned that it would be changed; now it would be made",
    ),
    (
        "a field to be changed is changed",
        |s| edit(s, "changed", "size", json!(9)),
        "fake/changed (thing changed): `/size` was 1 and is 9 now",
    ),
    (
        "a field to be changed is as it should be",
        |s| edit(s, "changed", "size", json!(2)),
        "`/size` was 1 and should be 2; it is so now",
    ),
    (
        "another field of what is to be changed",
        |s| edit(s, "changed", "text", json!("x")),
        "`/text` was as it should be, \"\", and is \"x\" now",
    ),
    (
        "what is to be changed must be replaced",
        |s| edit(s, "changed", "colour", json!("blue")),
        "now it would be replaced: paint does not stick to paint",
    ),
    (
        "what is to be changed cannot be",
        |s| edit(s, "changed", "nature", json!("odd")),
        "now it would be forbidden: nobody changes its nature",
    ),
    (
        "what is to be replaced is as it should be",
        |s| edit(s, "painted", "colour", json!("colour 2")),
        "fake/painted (thing painted): it was planned that it would be replaced",
    ),
    (
        "what is to be taken away is gone",
        |s| remove(s, "fake-thing/v1", "old"),
        "fake/old (thing old): it was planned that it would be taken away: no Score wants it any more; now it would be struck",
    ),
    (
        "what is to be taken away is changed",
        |s| edit(s, "old", "size", json!(9)),
        "fake/old (thing old): `/size` is another value now",
    ),
    (
        "a hidden field of what stays",
        |s| edit(s, "vault", "text", json!("1234")),
        "`/text` was as it should be, (sensitive), and is (sensitive) now",
    ),
    (
        "a hidden field of what is to be changed",
        |s| edit(s, "sealed", "text", json!("1234")),
        "`/text` was as it should be, (sensitive), and is (sensitive) now",
    ),
    (
        "a secret",
        |s| s.world.edit("fake-secret/v1", "key", |stored| stored.outputs["value"] = json!("hush-1234")),
        "fake/key (secret key): what it offers to others is another value now",
    ),
    (
        "a secret is removed",
        |s| remove(s, "fake-secret/v1", "key"),
        "fake/key (secret key): it was planned that it would be left as it is; now it would be made",
    ),
    ("a secret field that is declared", |s| edit(s, "key", "length", json!(9)), "fake/key (secret key): "),
    (
        "something inside something",
        |s| edit(s, "house.attic", "note", json!("x")),
        "fake/attic (room house.attic): it was planned that it would be left as it is; now it would be changed",
    ),
    ("something inside something is removed", |s| remove(s, "fake-room/v1", "house.attic"), "fake/attic (room house.attic)"),
    ("what something lives in is removed", |s| remove(s, "fake-thing/v1", "house"), "fake/house (thing house)"),
    ("what is shared is removed", |s| remove(s, "fake-namespace/v1", "namespace"), "fake/namespace (namespace namespace)"),
    ("what is kept in the Ledger is removed", |s| remove(s, "fake-port/v1", "port"), "fake/port (port port)"),
    (
        "what is to be lost is more",
        |s| s.world.edit("fake-store/v1", "store", |stored| stored.holds = Some("8 apples".to_owned())),
        "fake/store (store store): what would be lost: as planned, 7 apples; now, 8 apples",
    ),
    (
        "what is to be lost is gone",
        |s| s.world.edit("fake-store/v1", "store", |stored| stored.holds = None),
        "what would be lost: as planned, 7 apples; now, nothing",
    ),
];

#[tokio::test]
async fn after_any_change_by_hand_it_is_refused_and_names_what_moved() {
    for (what, by_hand, said) in BY_HAND {
        let site = version_1().await;
        let path = save(&site, &version(2)).await;
        by_hand(&site);
        let files = site.files();
        let moved = moved(apply(&site, &path, &version(2)).await);
        assert!(moved.contains(said), "{what}: {moved}");
        assert_eq!((site.world.writes(), site.files()), (0, files), "{what}");
    }
}

#[tokio::test]
async fn a_change_of_a_hidden_field_from_one_wrong_value_to_another_is_noticed() {
    let site = version_1().await;
    edit(&site, "vault", "text", json!("1234"));
    let path = save(&site, &version(2)).await;
    edit(&site, "vault", "text", json!("4321"));
    assert_eq!(moved(apply(&site, &path, &version(2)).await), "fake/vault (thing vault): `/text` is another value now");
    edit(&site, "vault", "text", json!("1234"));
    assert!(apply(&site, &path, &version(2)).await.unwrap().failures.is_empty());
}

#[tokio::test]
async fn what_lives_on_does_not_stand_in_its_way() {
    let site = version_1().await;
    let path = save(&site, &version(2)).await;
    // Others put something into what stays, and make something that no Score speaks of.
    site.world.edit("fake-room/v1", "house.attic", |stored| stored.holds = Some("3 bats".to_owned()));
    put_foreign(&site, "theirs");
    assert!(apply(&site, &path, &version(2)).await.unwrap().failures.is_empty());
}

#[tokio::test]
async fn another_wish_is_refused_and_another_line_is_not() {
    let site = version_1().await;
    let path = save(&site, &version(2)).await;
    let moved = moved(apply(&site, &path, &version(3)).await);
    assert!(moved.contains("fake/changed (thing changed): `/size` should have been 2 and should be 3 now"), "{moved}");
    assert!(moved.contains("the program says something else of it than when it was planned"), "{moved}");
    // `version` is said at one line of one file for all; the plan is the same from another one.
    let text = fs::read_to_string(&path).unwrap();
    let (_, body) = text.split_once('\n').unwrap();
    let body = body.trim_end().replace("programs.rs", "moved.rs");
    fs::write(&path, format!("{{\"saved_plan\":1,\"digest\":\"{}\"}}\n{body}\n", Digest::of(body.as_bytes()))).unwrap();
    assert!(apply(&site, &path, &version(2)).await.unwrap().failures.is_empty());
}

#[tokio::test]
async fn a_plan_of_another_program_site_ledger_or_key_is_refused_with_both_sides_named() {
    let site = version_1().await;
    let path = save(&site, &version(2)).await;
    let mut other = site.copied();
    let error = refusal(apply(&other, &path, &version(2)).await);
    assert!(matches!(error, PlanRefusal::Site { .. }), "{error:?}");
    for side in [&site, &other] {
        assert!(error.to_string().contains(side.site.state.to_str().unwrap()), "{error}");
    }
    other.site.state.set_file_name("another");
    let error = refusal(apply(&other, &path, &version(2)).await);
    assert_eq!(error.to_string(), "the plan is one of the program `state`, and this is `another`");

    let key = site.site.state.join("plan-key");
    let kept = fs::read(&key).unwrap();
    for other in [None, Some("0123")] {
        other.map_or_else(|| fs::remove_file(&key), |text| fs::write(&key, text)).unwrap();
        let error = refusal(apply(&site, &path, &version(2)).await);
        assert!(matches!(&error, PlanRefusal::Key { here } if *here == site.site.state), "{error:?}");
    }
    fs::write(&key, kept).unwrap();

    site.apply(&things(&["plain"])).await.unwrap_err();
    site.apply_losing(&version(3), &["fake/store"]).await.unwrap();
    site.world.take_log();
    let error = refusal(apply(&site, &path, &version(2)).await).to_string();
    assert!(
        error.starts_with("the plan stands on run 2 of the Ledger ") && error.contains("and this is run 3 of the Ledger "),
        "{error}"
    );
    assert_eq!(site.world.writes(), 0);
}

#[tokio::test]
async fn what_a_plan_was_allowed_counts_and_nothing_else() {
    let site = version_1().await;
    let path = site.directory().join("plan");
    let saved = site.maestro().plan_to_save(&Inventory::empty(), &site.place, &version(2)).await.unwrap();
    saved.save(&Io::real(), &path).unwrap();
    let saved = SavedPlan::load(&Io::real(), &path).unwrap();
    let prepared = losing_apples(&site).prepare_saved(&saved, &Inventory::empty(), &site.place, &version(2)).await.unwrap();
    assert!(matches!(prepared.apply().await, Err(EngineError::Refused { .. })));
    assert_eq!(site.world.writes(), 0);
}

#[tokio::test]
async fn a_newer_format_a_damaged_file_and_something_else_are_told_apart() {
    let site = version_1().await;
    let path = save(&site, &version(2)).await;
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let whole = fs::read(&path).unwrap();
    let load = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        SavedPlan::load(&Io::real(), &path)
    };
    let text = String::from_utf8(whole.clone()).unwrap();
    let newer = load(text.replacen("\"saved_plan\":1", "\"saved_plan\":2", 1).as_bytes()).unwrap_err();
    assert_eq!(newer.to_string(), format!("the saved plan `{}` has format 2, this program reads up to 1", path.display()));
    assert!(newer.hint().unwrap().contains("newer site program"));
    for foreign in ["", "{}", "hello", "{\"event\":\"summary\"}\n"] {
        assert!(matches!(load(foreign.as_bytes()), Err(SavedPlanError::Foreign { .. })), "{foreign}");
    }
    for at in (0..whole.len()).step_by(97) {
        assert!(load(&whole[..at]).is_err(), "cut at {at}");
        let mut flipped = whole.clone();
        flipped[at] ^= 1;
        assert!(load(&flipped).is_err(), "flipped at {at}");
    }
    fs::remove_file(&path).unwrap();
    assert!(matches!(SavedPlan::load(&Io::real(), &path), Err(SavedPlanError::Absent { .. })));
}

#[tokio::test]
async fn no_secret_is_in_the_file_and_none_can_be_guessed_from_it() {
    use data_encoding::{BASE32, BASE64, BASE64URL_NOPAD, HEXLOWER};
    let site = version_1().await;
    edit(&site, "vault", "text", json!("hush-9876"));
    let path = save(&site, &version(2)).await;
    let text = fs::read_to_string(&path).unwrap();
    assert!(!text.contains("hush-"), "a secret in the open");
    let key = site.world.find("fake-secret/v1", "key").unwrap().outputs["value"].as_str().unwrap().to_owned();
    assert!(key.starts_with("hush-") && key.len() == 9);
    for secret in [key.as_str(), "hush-9876"] {
        let bytes = secret.as_bytes();
        for encoded in [BASE64.encode(bytes), BASE64URL_NOPAD.encode(bytes), HEXLOWER.encode(bytes), BASE32.encode(bytes)] {
            assert!(!text.contains(encoded.trim_end_matches('=')), "{secret} as {encoded}");
        }
    }
    // Each of these secrets is one of ten thousand: whoever has only the file tries them all.
    let words: HashSet<&str> = text.split('"').collect();
    for number in 0..10_000 {
        let guess = format!("hush-{number:04}");
        for form in [guess.clone(), format!("\"{guess}\""), json!({ "value": guess }).to_string()] {
            let digest = Digest::of(form.as_bytes());
            assert!(!words.contains(&digest.hex()[..24]) && !words.contains(digest.to_string().as_str()), "{form}");
        }
    }
}

#[tokio::test]
async fn a_plan_that_is_not_saved_makes_no_key() {
    let site = FakeSite::new();
    site.plan(&things(&["a"])).await.unwrap();
    assert!(!site.site.state.exists());
    save(&site, &things(&["a"])).await;
    let names: Vec<_> = fs::read_dir(&site.site.state).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 2, "the key and the lock under which it was made: {names:?}");
    assert_eq!(fs::metadata(site.site.state.join("plan-key")).unwrap().permissions().mode() & 0o777, 0o600);
}
