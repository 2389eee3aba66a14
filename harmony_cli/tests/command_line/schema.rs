//! What is published of the command line: the schema of `--json`, and the page of all commands.

use std::path::Path;

#[test]
fn the_published_schema_is_that_of_the_types() {
    assert_published("events.schema.json", &harmony_cli::events_schema());
}

#[test]
fn the_page_of_commands_is_that_of_the_grammar() {
    let page = harmony_cli::commands_reference();
    for words in ["## `plan`", "### `secrets set`", "`--allow-loss <ADDRESS>...`", "- `130`: interrupted"] {
        assert!(page.contains(words), "nothing of {words} in {page}");
    }
    assert_published("commands.md", &page);
}

/// The page of `docs/reference` is as wanted; it is written if `HARMONY_WRITE_REFERENCE` is set.
fn assert_published(name: &str, wanted: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reference").join(name);
    if std::env::var_os("HARMONY_WRITE_REFERENCE").is_some() {
        std::fs::write(&path, wanted).unwrap();
    }
    let published = std::fs::read_to_string(&path).unwrap();
    assert!(published == wanted, "docs/reference is not as the code says: run this test with HARMONY_WRITE_REFERENCE=1");
}
