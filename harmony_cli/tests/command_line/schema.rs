//! The published schema of `--json`.

use std::path::Path;

#[test]
fn the_published_schema_is_that_of_the_types() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reference/events.schema.json");
    let wanted = harmony_cli::events_schema();
    if std::env::var_os("HARMONY_WRITE_REFERENCE").is_some() {
        std::fs::write(&path, &wanted).unwrap();
    }
    let published = std::fs::read_to_string(&path).unwrap();
    assert!(published == wanted, "docs/reference is not as the code says: run this test with HARMONY_WRITE_REFERENCE=1");
}
