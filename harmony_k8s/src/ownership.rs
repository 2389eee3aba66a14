//! Who manages which fields of an object, and what that means for a wish.

use harmony::modules::k8s::object::Claim;
use serde::Deserialize;
use serde_json::Value as Json;

use crate::api::Refusal;
use crate::fields::Fields;

/// The managers of an object's fields.
#[derive(Debug, Default)]
pub(crate) struct Ownership {
    /// What we apply.
    pub(crate) ours: Fields,
    /// In which version of the API we last applied; `None` if we never have.
    pub(crate) our_version: Option<String>,
    /// What anybody manages.
    pub(crate) all: Fields,
    entries: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    #[serde(default)]
    manager: String,
    #[serde(default)]
    operation: String,
    #[serde(default)]
    api_version: String,
    #[serde(default)]
    subresource: String,
    #[serde(default, rename = "fieldsV1")]
    fields: Json,
}

impl Ownership {
    /// Reads them from `metadata.managedFields` of an object.
    pub(crate) fn of(object: &Json, us: &str) -> Self {
        let mut managers = Self::default();
        let entries = object.pointer("/metadata/managedFields").and_then(Json::as_array);
        for entry in entries.into_iter().flatten().filter_map(|entry| Entry::deserialize(entry).ok()) {
            let fields = Fields::read(&entry.fields);
            managers.all.add(&fields);
            if entry.manager == us && entry.operation == "Apply" && entry.subresource.is_empty() {
                managers.our_version = Some(entry.api_version.clone());
                managers.ours = fields;
            }
            managers.entries.push(entry);
        }
        managers
    }

    /// Other programs of this sort that apply something of it: managers whose name begins with `prefix`.
    pub(crate) fn others(&self, prefix: &str, us: &str) -> Vec<&str> {
        let names = self.entries.iter().filter(|entry| entry.operation == "Apply").map(|entry| entry.manager.as_str());
        names.filter(|name| name.starts_with(prefix) && *name != us).collect()
    }

    /// Whether a field that `manager` holds was changed by hand: once, with a tool, and not by something that goes on applying it.
    fn is_by_hand(&self, manager: &str, subresource: Option<&str>) -> bool {
        let holds = |entry: &&Entry| entry.manager == manager && subresource.is_none_or(|name| entry.subresource == name);
        let mut entries = self.entries.iter().filter(holds).peekable();
        entries.peek().is_some()
            && entries.all(|entry| {
                entry.operation == "Update" && (entry.subresource.is_empty() || entry.manager.starts_with("kubectl"))
            })
    }

    /// What the API's refusal to apply over others says, by path: who holds the field, and whether it is taken back.
    pub(crate) fn claims(&self, refusal: &Refusal) -> Vec<(String, Claim)> {
        let conflicts = refusal.causes.iter().filter(|cause| cause.reason == "FieldManagerConflict");
        conflicts
            .map(|cause| {
                let mut quoted = cause.message.split('"').skip(1).step_by(2);
                let manager = quoted.next().unwrap_or("somebody").to_owned();
                let subresource = if cause.message.contains("with subresource") { quoted.next() } else { None };
                let claim =
                    if self.is_by_hand(&manager, subresource) { Claim::TakenBackFrom(manager) } else { Claim::HeldBy(manager) };
                (cause.field.trim_start_matches('.').to_owned(), claim)
            })
            .collect()
    }
}
