//! What is written down, when, and how it is read back.

use std::fs;

use harmony::engine::ledger::Ledger;
use harmony_io::Io;
use harmony_test::{Call, Failing, FakeAccess, FakePort, FakeProof, FakeRoom, FakeSecret, FakeSite, FakeThing};

use crate::programs::{chain, program, things};

#[tokio::test]
async fn an_entry_is_on_disk_before_the_first_write_of_anything() {
    let site = FakeSite::new();
    let path = site.site.state.join("ledger.json");
    let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let watched = seen.clone();
    site.world.watch(move |happened| {
        let text = fs::read_to_string(&path).unwrap_or_default();
        let names_all = ["a", "b", "c"].iter().all(|name| text.contains(&format!("fake/{name}")));
        watched.lock().unwrap().push((happened.identity.clone(), names_all));
    });
    site.apply(&chain("x")).await.unwrap();
    let expected = ["a", "b", "c"].map(|name| (name.to_owned(), true));
    assert_eq!(*seen.lock().unwrap(), expected);
}

#[tokio::test]
async fn a_journal_tells_what_the_file_does_not() {
    let site = FakeSite::new();
    site.apply(&things(&["a"])).await.unwrap();
    let ledger = site.state_file("ledger.json");
    fs::write(site.site.state.join("ledger.json"), ledger.replace("\"made\": true", "\"made\": false")).unwrap();
    assert!(!site.entries()[0].made);
    let key = serde_json::to_string(&site.entries()[0].key).unwrap();
    let line = format!("{{\"made\":{{\"key\":{key},\"kept\":null,\"held\":\"apples\"}}}}\n");
    fs::write(site.site.state.join("ledger.journal"), line).unwrap();
    assert_eq!((site.entries()[0].made, site.entries()[0].held.as_deref()), (true, Some("apples")));
    fs::write(site.site.state.join("ledger.journal"), format!("{{\"gone\":{{\"key\":{key}}}}}\n")).unwrap();
    assert!(site.entries().is_empty());
}

#[tokio::test]
async fn a_torn_last_line_is_passed_over_and_does_not_spoil_the_next() {
    let site = FakeSite::new();
    site.apply(&things(&["a"])).await.unwrap();
    fs::write(site.site.state.join("ledger.journal"), "{\"made\":{\"key\":{\"pla").unwrap();
    assert_eq!(site.entries().len(), 1);
    // The next run is killed before it closes the Ledger: its lines must be readable.
    let journal = site.site.state.join("ledger.journal");
    let kept = std::sync::Arc::new(std::sync::Mutex::new(String::new()));
    let copied = kept.clone();
    site.world.watch(move |happened| {
        if happened.identity == "c" {
            *copied.lock().unwrap() = fs::read_to_string(&journal).unwrap_or_default();
        }
    });
    site.apply(&chain("x")).await.unwrap();
    fs::write(site.site.state.join("ledger.journal"), kept.lock().unwrap().as_str()).unwrap();
    assert_eq!(kept.lock().unwrap().lines().count(), 2, "a and b: {}", kept.lock().unwrap());
    assert_eq!(site.entries().len(), 3);
}

#[tokio::test]
async fn lines_of_a_killed_run_do_not_outlive_the_next_save() {
    let site = FakeSite::new();
    site.apply(&things(&["a", "b"])).await.unwrap();
    let b = site.entries().into_iter().find(|entry| entry.label == "b").unwrap();
    site.world.remove("fake-thing/v1", "b");
    // A run that took `b` away was killed before it closed the Ledger; the next one makes it again and is killed too.
    let gone = format!("{{\"gone\":{{\"key\":{}}}}}\n", serde_json::to_string(&b.key).unwrap());
    fs::write(site.site.state.join("ledger.journal"), gone).unwrap();
    let state = site.site.state.clone();
    let found = std::sync::Arc::new(std::sync::Mutex::new(0));
    let counted = found.clone();
    site.world.watch(move |_| *counted.lock().unwrap() = Ledger::load(&Io::real(), &state).unwrap().entries().count());
    site.apply(&things(&["a", "b"])).await.unwrap();
    assert_eq!(*found.lock().unwrap(), 2, "the entry of `b` would be lost if this run were killed");
}

#[tokio::test]
async fn what_a_newer_program_wrote_is_refused_and_what_is_damaged_is_named() {
    let site = FakeSite::new();
    site.apply(&things(&["a"])).await.unwrap();
    let path = site.site.state.join("ledger.json");
    let text = site.state_file("ledger.json");
    fs::write(&path, text.replace("\"format\": 2", "\"format\": 99")).unwrap();
    let error = site.apply(&things(&["a"])).await.unwrap_err();
    assert_eq!(error.to_string(), format!("the Ledger `{}` has format 99, this program reads up to 2", path.display()));
    assert!(error.hint().unwrap().contains("newer version"));
    fs::write(&path, &text[..text.len() / 2]).unwrap();
    let error = site.apply(&things(&["a"])).await.unwrap_err();
    assert_eq!(error.to_string(), format!("the Ledger `{}` is damaged in its JSON", path.display()));
    fs::write(&path, &text).unwrap();
    fs::write(site.site.state.join("ledger.journal"), "nonsense\n").unwrap();
    let error = site.apply(&things(&["a"])).await.unwrap_err();
    assert!(error.to_string().ends_with("ledger.journal` is damaged in line 1"), "{error}");
}

#[tokio::test]
async fn fields_that_an_older_program_did_not_write_are_filled_in() {
    let site = FakeSite::new();
    site.apply(&things(&["a"])).await.unwrap();
    let mut ledger: serde_json::Value = serde_json::from_str(&site.state_file("ledger.json")).unwrap();
    let entry = ledger["entries"][0].as_object_mut().unwrap();
    ["made", "after", "sensitive", "kept", "held"].iter().for_each(|field| drop(entry.remove(*field)));
    ledger.as_object_mut().unwrap().remove("proofs");
    fs::write(site.site.state.join("ledger.json"), ledger.to_string()).unwrap();
    assert_eq!(site.apply(&things(&["a"])).await.unwrap().writes, 0);
    assert!(site.entries()[0].made);
}

/// A program whose Ledger has an entry of every shape; `never` is refused once.
async fn site_of_every_shape() -> FakeSite {
    let site = FakeSite::new();
    site.world.fail(Call::Apply, "never", Failing::Refused, 2);
    site.apply(&every_shape()).await.unwrap();
    site.world.edit("fake-room/v1", "house.attic", |stored| stored.holds = Some("12 apples".to_owned()));
    site.apply(&every_shape()).await.unwrap();
    site
}

fn every_shape() -> harmony::Scores<harmony_test::FakePlace> {
    program(|place, stage| {
        let key = stage.add(place, "key", &FakeSecret::new("key"))?;
        let house = stage.add(place, "house", &FakeThing::new("house").with_text(key.get(&FakeSecret::VALUE)))?;
        let proof = stage.prove(place, "proof", &[house.address().clone()], &FakeProof::new("p"))?;
        stage.after(&[proof], |stage| stage.add(place, "port", &FakePort { name: "port".to_owned() }))?;
        let access = FakeAccess::new(&house, &key);
        stage.add_through(place, &access, "attic", &FakeRoom::new("house", "attic"))?;
        stage.add(place, "never", &FakeThing::new("never")).map(|_| ())
    })
}

#[tokio::test]
async fn the_file_has_this_form() {
    let site = site_of_every_shape().await;
    let mut ledger: serde_json::Value = serde_json::from_str(&site.state_file("ledger.json")).unwrap();
    for entry in ledger["entries"].as_array_mut().unwrap() {
        entry["origin"]["line"] = 1.into();
    }
    // These differ with each run, machine and checkout.
    assert_eq!(ledger["identity"].as_str().map(str::len), Some(32), "{ledger}");
    let home = ledger["home"].as_object_mut().unwrap();
    assert_eq!(home["directory"], site.site.state.to_str().unwrap());
    assert!(env!("CARGO_MANIFEST_DIR").starts_with(home["checkout"].as_str().unwrap()), "{home:?}");
    for field in ["machine", "host", "directory", "checkout"] {
        home.insert(field.to_owned(), format!("the {field}").into());
    }
    ledger["identity"] = "the identity".into();
    insta::assert_snapshot!("ledger", serde_json::to_string_pretty(&ledger).unwrap());
}

#[tokio::test]
async fn what_format_1_says_is_read_as_it_is_and_written_as_this_format() {
    let site = site_of_every_shape().await;
    let golden = include_str!("ledger-format-1.json");
    fs::write(site.site.state.join("ledger.json"), golden).unwrap();
    let before = site.entries();
    assert_eq!(site.plan(&every_shape()).await.unwrap().counts().create, 1, "only what was never made");
    site.apply(&every_shape()).await.unwrap();
    assert_eq!(site.world.take_log().last().unwrap(), "create never");
    let after: serde_json::Value = serde_json::from_str(&site.state_file("ledger.json")).unwrap();
    assert_eq!((&after["format"], after["entries"].as_array().unwrap().len()), (&2.into(), before.len()));
    assert!(after["identity"].is_string() && after["home"].is_object(), "{after}");
    assert_eq!(site.apply(&every_shape()).await.unwrap().writes, 0);
    assert!(site.destroy_losing(&["fake/attic"]).await.unwrap().failures.is_empty());
    assert!(site.world.identities().is_empty());
}

#[tokio::test]
async fn the_number_of_the_ledger_grows_with_every_run_that_changes_something() {
    let site = FakeSite::new();
    let serial = || Ledger::load(&Io::real(), &site.site.state).unwrap().serial();
    site.apply(&things(&["a"])).await.unwrap();
    let first = serial();
    site.apply(&things(&["a"])).await.unwrap();
    assert_eq!(serial(), first);
    site.apply(&things(&["a", "b"])).await.unwrap();
    assert!(serial() > first);
}
