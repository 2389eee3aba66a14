//! That what `--json` writes conforms to the schema that is published.

use std::sync::LazyLock;

use jsonschema::Validator;
use serde_json::{Value as Json, json};

/// The published schema. In it fields may be added without a new version; here an event with a field that is not published fails, so that
/// whoever adds one publishes it.
static PUBLISHED: LazyLock<Validator> = LazyLock::new(|| {
    let mut schema: Json = serde_json::from_str(include_str!("../../docs/reference/events.schema.json")).expect("a JSON file");
    let events = schema["oneOf"].as_array_mut().expect("a list of events");
    events.iter_mut().for_each(|event| event["unevaluatedProperties"] = json!(false));
    jsonschema::validator_for(&schema).expect("a JSON Schema")
});

/// Fails unless `output` is what `--json` promises: lines of events as published, the last of which, and no other, is the summary.
///
/// # Panics
/// If a line does not conform; it is in the message, with where it does not.
pub fn assert_events_conform(output: &str) {
    let events: Vec<Json> = output.lines().map(event).collect();
    let summaries = events.iter().filter(|event| event["event"] == "summary").count();
    let ends_with_it = events.last().is_some_and(|last| last["event"] == "summary");
    assert!(ends_with_it && summaries == 1, "the last line, and no other, has to be the summary:\n{output}");
}

fn event(line: &str) -> Json {
    let event: Json = serde_json::from_str(line).unwrap_or_else(|error| panic!("a line of --json is not JSON: {error}\n{line}"));
    if PUBLISHED.is_valid(&event) {
        return event;
    }
    let why = closest(&event);
    panic!(
        "a line of --json is not as published in docs/reference/events.schema.json: {why}\n{line}\n\
         A new event or field belongs into `harmony_cli/src/report/lines.rs` (or the engine's event), from which the schema is written."
    )
}

/// What is wrong with it, measured by the schema of its own name.
fn closest(event: &Json) -> String {
    let mut schema: Json = serde_json::from_str(include_str!("../../docs/reference/events.schema.json")).expect("a JSON file");
    let own = |one: &&Json| one["properties"]["event"]["const"] == event["event"];
    let Some(mut own) = schema["oneOf"].as_array().and_then(|events| events.iter().find(own)).cloned() else {
        return format!("no event is called {}", event["event"]);
    };
    own["$defs"] = schema["$defs"].take();
    own["unevaluatedProperties"] = json!(false);
    let own = jsonschema::validator_for(&own).expect("a JSON Schema");
    own.iter_errors(event).map(|error| error.to_string()).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUMMARY: &str = r#"{"event":"summary","version":1,"outcome":"converged","create":0,"update":0,"replace":0,"delete":0,"unchanged":0,"writes":0,"proofs":0,"seconds":0.1}"#;

    fn conforms(output: &str) -> bool {
        std::panic::catch_unwind(|| assert_events_conform(output)).is_ok()
    }

    #[test]
    fn a_line_that_is_not_as_published_is_found() {
        assert!(conforms(SUMMARY));
        assert!(conforms(&format!("{{\"event\":\"remark\",\"version\":1,\"says\":\"a\"}}\n{SUMMARY}")));
        for wrong in [
            r#"{"event":"remark","version":1}"#,
            r#"{"event":"remark","version":2,"says":"a"}"#,
            r#"{"event":"remark","version":1,"says":"a","more":1}"#,
            r#"{"event":"unheard_of","version":1}"#,
            r#"{"event":"summary","version":1,"outcome":"fine"}"#,
            "not JSON",
            SUMMARY,
        ] {
            assert!(!conforms(&format!("{wrong}\n{SUMMARY}")), "{wrong}");
        }
        assert!(!conforms(r#"{"event":"remark","version":1,"says":"a"}"#), "no summary");
        assert!(!conforms(""), "nothing");
    }
}
