//! A Ledger that comes from elsewhere, or is used by two.

use std::fs;

use harmony::engine::home::Elsewhere;
use harmony::engine::maestro::EngineError;
use harmony::{Inventory, Maestro};
use harmony_test::FakeSite;
use serde_json::Value as Json;

use crate::programs::things;

/// A site that has made `a`, with a field of its Ledger's home as another one would have written it.
async fn written_elsewhere(field: &str, value: &str) -> FakeSite {
    let site = FakeSite::new();
    site.apply(&things(&["a"])).await.unwrap();
    let mut ledger: Json = serde_json::from_str(&site.state_file("ledger.json")).unwrap();
    ledger["home"][field] = value.into();
    fs::write(site.site.state.join("ledger.json"), ledger.to_string()).unwrap();
    site
}

const OTHER_MACHINE: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// What each command that reads the Ledger ends with.
async fn refusals(site: &FakeSite, maestro: &Maestro) -> Vec<Option<EngineError>> {
    let (inventory, scores) = (Inventory::empty(), things(&["a", "b"]));
    vec![
        maestro.plan(&inventory, &site.place, &scores).await.err(),
        maestro.prepare(&inventory, &site.place, &scores).await.err(),
        maestro.prepare_without_prune(&inventory, &site.place, &scores).await.err(),
        maestro.prepare_destroy(&site.place).await.err(),
        maestro.verify(&inventory, &site.place, &scores).await.err(),
        maestro.status(&inventory, &site.place, &scores).await.err(),
    ]
}

#[tokio::test]
async fn every_command_refuses_what_was_written_on_another_machine_or_by_another_checkout() {
    let elsewhere = [("machine", OTHER_MACHINE, Elsewhere::Machine), ("checkout", "/users/other/site", Elsewhere::Checkout)];
    for (field, value, expected) in elsewhere {
        // A container may have no number of its own; that two numbers differ is tested where homes are compared.
        if expected == Elsewhere::Machine && !std::path::Path::new("/etc/machine-id").exists() {
            continue;
        }
        let site = written_elsewhere(field, value).await;
        let (writes, files) = (site.world.writes(), site.files());
        for (number, error) in refusals(&site, &site.maestro()).await.into_iter().enumerate() {
            let Some(EngineError::Elsewhere { how, .. }) = error else { panic!("{field}, command {number}: {error:?}") };
            assert_eq!(how, expected);
        }
        assert_eq!((site.world.writes(), site.files()), (writes, files));
    }
}

/// Where the Ledger of a site of its own says that this very program was built.
async fn checkout_of_this_program() -> String {
    let site = FakeSite::new();
    site.apply(&things(&["a"])).await.unwrap();
    let ledger: Json = serde_json::from_str(&site.state_file("ledger.json")).unwrap();
    ledger["home"]["checkout"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn both_sides_are_named() {
    let site = written_elsewhere("checkout", "/users/other/site").await;
    let error = site.apply(&things(&["a"])).await.unwrap_err();
    let Json::Object(home) = serde_json::from_str::<Json>(&site.state_file("ledger.json")).unwrap()["home"].take() else {
        panic!("no home")
    };
    let state = site.site.state.display();
    let host = home["host"].as_str().unwrap();
    let here = checkout_of_this_program().await;
    assert_eq!(
        error.to_string(),
        format!(
            "the Ledger belongs to another checkout: it is at home in `{state}` on {host}, program of `/users/other/site`; \
             this is `{state}` on {host}, program of `{here}`"
        )
    );
    insta::assert_snapshot!(error.hint().unwrap(), @"if it was moved here on purpose, and nobody uses it there any more, say so once with `--moved`; else give each checkout a state directory of its own with `HARMONY_STATE_DIR`");
}

#[tokio::test]
async fn a_copied_state_directory_is_refused_and_the_original_is_not() {
    let site = FakeSite::new();
    site.apply(&things(&["a"])).await.unwrap();
    let copy = site.copied();
    let error = copy.apply(&things(&["a", "b"])).await.unwrap_err();
    assert!(matches!(error, EngineError::Elsewhere { how: Elsewhere::Directory, .. }), "{error:?}");
    for side in [&site, &copy] {
        assert!(error.to_string().contains(side.site.state.to_str().unwrap()), "{error}");
    }
    assert_eq!(site.apply(&things(&["a", "b"])).await.unwrap().counts.create, 1);
}

#[tokio::test]
async fn a_directory_that_is_reached_by_another_path_is_the_same() {
    let site = FakeSite::new();
    site.apply(&things(&["a"])).await.unwrap();
    let mut site = site;
    let link = site.directory().join("link");
    std::os::unix::fs::symlink(&site.site.state, &link).unwrap();
    site.site.state = link;
    assert_eq!(site.apply(&things(&["a"])).await.unwrap().writes, 0);
}

#[tokio::test]
async fn a_site_that_was_moved_on_purpose_goes_on_where_it_is_and_nowhere_else() {
    let site = FakeSite::new();
    site.apply(&things(&["a"])).await.unwrap();
    let moved = site.copied();
    // Nothing changes in the world, and yet the new home is written down.
    let outcome = moved.apply_with(&moved.maestro().accepting_move(), &things(&["a"])).await.unwrap();
    assert_eq!(outcome.writes, 0);
    let files = moved.files();
    assert_eq!(moved.apply(&things(&["a"])).await.unwrap().writes, 0);
    assert_eq!(moved.files(), files, "once is enough");
    let back = moved.copied();
    assert!(back.apply(&things(&["a"])).await.is_err());
}

#[tokio::test]
async fn a_plan_of_a_moved_site_writes_nothing() {
    let site = written_elsewhere("checkout", "/users/other/site").await;
    let files = site.files();
    site.maestro().accepting_move().plan(&Inventory::empty(), &site.place, &things(&["a"])).await.unwrap();
    assert_eq!(site.files(), files);
    assert!(site.plan(&things(&["a"])).await.is_err());
}

#[tokio::test]
async fn a_place_that_is_reached_from_anywhere_does_not_ask_where_it_is() {
    let mut site = written_elsewhere("machine", OTHER_MACHINE).await;
    site.place = site.place.reached_from_anywhere();
    assert_eq!(site.apply(&things(&["a"])).await.unwrap().writes, 0);
    let mut copy = site.copied();
    copy.place = copy.place.reached_from_anywhere();
    assert_eq!(copy.apply(&things(&["a"])).await.unwrap().writes, 0);
}
