//! No secret is ever shown or written down.

use std::fmt::Write;

use harmony::resource::Shown;
use harmony_test::{FakeAccess, FakeRoom, FakeSecret, FakeSite, FakeThing};

use crate::programs::{program, step};

fn secretive(shows_secret: bool) -> harmony::Scores<harmony_test::FakePlace> {
    program(move |place, stage| {
        let key = stage.add(place, "key", &FakeSecret::new("key"))?;
        let value = key.get(&FakeSecret::VALUE);
        let text = if shows_secret {
            harmony::text!["password = ", value.clone().quoted(harmony::value::Syntax::NatsConf)]
        } else {
            "open".into()
        };
        let house = stage.add(place, "house", &FakeThing::new("house").with_text(text))?;
        let access = FakeAccess::new(&house, &key);
        let note = if shows_secret { value.base64() } else { "open".into() };
        stage.add_through(place, &access, "attic", &FakeRoom { note, ..FakeRoom::new("house", "attic") }).map(|_| ())
    })
}

/// Everything that a run shows or writes down.
async fn everything_shown(site: &FakeSite, shows_secret: bool) -> String {
    let mut shown = String::new();
    let plan = site.plan(&secretive(shows_secret)).await.unwrap();
    write!(shown, "{plan:?}{}", serde_json::to_string(&plan).unwrap()).unwrap();
    let outcome = site.apply(&secretive(shows_secret)).await.unwrap();
    assert!(outcome.failures.is_empty(), "{:?}", outcome.failures);
    write!(shown, "{outcome:?}{}", serde_json::to_string(&outcome).unwrap()).unwrap();
    let arranged = harmony::Maestro::arrange(&harmony::Inventory::empty(), &site.place, &secretive(shows_secret)).unwrap();
    write!(shown, "{arranged:?}{}", serde_json::to_string(&arranged).unwrap()).unwrap();
    for (path, (contents, _)) in site.files() {
        write!(shown, "{}{}", path.display(), String::from_utf8_lossy(&contents)).unwrap();
    }
    shown + &site.events.take().concat()
}

#[tokio::test]
async fn a_secret_is_in_no_plan_outcome_ledger_or_event() {
    let site = FakeSite::new();
    let mut shown = String::new();
    for shows_secret in [true, true, false, false, true] {
        shown += &everything_shown(&site, shows_secret).await;
    }
    let stored = site.world.find("fake-thing/v1", "house").unwrap().state["text"].to_string();
    assert!(stored.contains("hush-"), "the secret did not reach the world: {stored}");
    assert!(!shown.contains("hush-"), "{shown}");
    assert!(!shown.contains(&data_encoding::BASE64.encode(b"hush-0001")));
}

#[tokio::test]
async fn a_field_is_hidden_on_both_sides_also_after_its_secret_has_gone() {
    let site = FakeSite::new();
    site.apply(&secretive(true)).await.unwrap();
    let plan = site.plan(&secretive(false)).await.unwrap();
    let field = step(&plan, "fake/house").fields.iter().find(|field| field.path == "/text").unwrap();
    assert_eq!((&field.live, &field.desired), (&Shown::Sensitive, &Shown::Sensitive));
}

#[tokio::test]
async fn a_field_stays_hidden_after_runs_in_which_it_held_no_secret() {
    let site = FakeSite::new();
    site.apply(&secretive(true)).await.unwrap();
    site.apply(&secretive(false)).await.unwrap();
    site.world.edit("fake-thing/v1", "house", |stored| stored.state["text"] = "hush-0001 put back by hand".into());
    let plan = site.plan(&secretive(false)).await.unwrap();
    assert!(!format!("{plan:?}").contains("hush-0001"));
}

#[test]
fn a_secret_in_the_open_is_refused() {
    let site = FakeSite::new();
    let scores = program(|place, stage| {
        let text = harmony::value::Value::Secret("hush".to_owned());
        stage.add(place, "a", &FakeThing::new("a").with_text(text)).map(|_| ())
    });
    let error = harmony::Maestro::arrange(&harmony::Inventory::empty(), &site.place, &scores).unwrap_err();
    insta::assert_snapshot!(std::error::Error::source(&error).unwrap(), @"the spec of `fake/a` holds a secret in the open");
    assert!(!format!("{error:?}").contains("hush"));
}
