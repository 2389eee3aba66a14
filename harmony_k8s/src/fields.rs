//! Which fields of an object somebody manages, as the API says it (`managedFields`, format `FieldsV1` of
//! `k8s.io/structured-merge-diff`).

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

/// Fields, as a tree. One without steps is a whole: a scalar, an atomic list or object, or one that is empty.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Fields {
    /// Fields of an object, by name.
    pub(crate) fields: BTreeMap<String, Fields>,
    /// Elements of a list, by the values of their keys.
    pub(crate) elements: Vec<(Map<String, Json>, Fields)>,
    /// Elements of a list that is a set.
    pub(crate) values: Vec<Json>,
}

impl Fields {
    /// Reads `FieldsV1`. What it does not know is passed over.
    pub(crate) fn read(json: &Json) -> Self {
        let mut read = Self::default();
        for (step, below) in json.as_object().into_iter().flatten() {
            match step.split_once(':') {
                Some(("f", name)) => {
                    read.fields.insert(name.to_owned(), Self::read(below));
                }
                Some(("k", keys)) => {
                    if let Ok(Json::Object(keys)) = serde_json::from_str(keys) {
                        read.elements.push((keys, Self::read(below)));
                    }
                }
                Some(("v", value)) => read.values.extend(serde_json::from_str::<Json>(value)),
                _ => {}
            }
        }
        read
    }

    /// Whether it is a whole: compared as one.
    pub(crate) fn is_whole(&self) -> bool {
        self.fields.is_empty() && self.elements.is_empty() && self.values.is_empty()
    }

    /// Adds those of `other`.
    pub(crate) fn add(&mut self, other: &Self) {
        for (name, below) in &other.fields {
            self.fields.entry(name.clone()).or_default().add(below);
        }
        for (keys, below) in &other.elements {
            match self.elements.iter_mut().find(|(known, _)| known == keys) {
                Some((_, known)) => known.add(below),
                None => self.elements.push((keys.clone(), below.clone())),
            }
        }
        for value in &other.values {
            if !self.values.contains(value) {
                self.values.push(value.clone());
            }
        }
    }

    /// The paths of all wholes in it, each as an RFC 6901 pointer in which an element of a list is called by its keys.
    pub(crate) fn paths(&self) -> Vec<String> {
        let mut paths = Vec::new();
        self.walk(&mut String::new(), &mut paths);
        paths
    }

    fn walk(&self, path: &mut String, paths: &mut Vec<String>) {
        if self.fields.is_empty() && self.elements.is_empty() {
            if !path.is_empty() {
                paths.push(path.clone());
            }
            return;
        }
        let length = path.len();
        let elements = self.elements.iter().map(|(keys, below)| (label(keys), below));
        for (name, below) in self.fields.iter().map(|(name, below)| (name.clone(), below)).chain(elements) {
            path.push('/');
            path.push_str(&name.replace('~', "~0").replace('/', "~1"));
            below.walk(path, paths);
            path.truncate(length);
        }
    }

    /// What of `other` is not in it, by path.
    pub(crate) fn lacks(&self, other: &Self) -> Vec<String> {
        let own: std::collections::BTreeSet<String> = self.paths().into_iter().collect();
        other.paths().into_iter().filter(|path| !own.contains(path)).collect()
    }
}

/// What an element of a list is called by its keys: `name=nats`, `port=4222,protocol=TCP`.
pub(crate) fn label(keys: &Map<String, Json>) -> String {
    let one = |(key, value): (&String, &Json)| match value {
        Json::String(text) => format!("{key}={text}"),
        other => format!("{key}={other}"),
    };
    keys.iter().map(one).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn containers() -> Fields {
        Fields::read(&json!({
            "f:spec": {
                "f:replicas": {},
                "f:containers": { "k:{\"name\":\"nats\"}": { ".": {}, "f:name": {}, "f:image": {} } },
            },
            "f:metadata": { "f:finalizers": { ".": {}, "v:\"a/b\"": {} } },
        }))
    }

    #[test]
    fn every_step_of_the_format_is_read() {
        let read = containers();
        assert_eq!(read.fields["metadata"].fields["finalizers"].values, [json!("a/b")]);
        assert_eq!(
            read.paths(),
            ["/metadata/finalizers", "/spec/containers/name=nats/image", "/spec/containers/name=nats/name", "/spec/replicas"]
        );
    }

    #[test]
    fn a_step_of_another_format_is_passed_over() {
        assert_eq!(Fields::read(&json!({ "i:0": {}, "x": {}, "k:no json": {} })), Fields::default());
    }

    #[test]
    fn what_one_lacks_of_the_other_is_named() {
        let mut less = containers();
        less.fields.get_mut("spec").unwrap().fields.remove("replicas");
        assert_eq!(less.lacks(&containers()), ["/spec/replicas"]);
        assert!(containers().lacks(&less).is_empty());
        less.add(&containers());
        assert_eq!(less, containers());
    }
}
