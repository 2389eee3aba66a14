//! The JSON Schema of the lines of `--json`.

use harmony::engine::events::Event;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Value as Json, json};

use super::line::{EVENTS, Line};

/// The JSON Schema that every line of `--json` conforms to, as JSON text; published as `docs/reference/events.schema.json`.
#[must_use]
pub fn events_schema() -> String {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let mut events = variants::<Event>(&mut generator);
    events.extend(variants::<Line>(&mut generator));
    events.iter_mut().for_each(say_version);
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A line of --json",
        "description": format!(
            "Version {EVENTS} of the events of a Harmony site program: one object for each line, the last one being the summary. \
             Fields and events may be added within one version."
        ),
        "oneOf": events,
        "$defs": generator.take_definitions(true),
    });
    // A value made here has text keys, so this cannot fail.
    serde_json::to_string_pretty(&schema).map(|text| text + "\n").unwrap_or_default()
}

/// The schema of each event of an enum.
fn variants<T: JsonSchema>(generator: &mut SchemaGenerator) -> Vec<Json> {
    let schema = T::json_schema(generator).to_value();
    schema.get("oneOf").and_then(Json::as_array).cloned().unwrap_or_default()
}

fn say_version(event: &mut Json) {
    event["properties"]["version"] = json!({ "const": EVENTS });
    if let Some(required) = event["required"].as_array_mut() {
        required.push(json!("version"));
    }
}
