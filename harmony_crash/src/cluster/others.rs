//! What others have on the same API server: nothing of it may be touched.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use harmony_testbed::ControlPlane;
use serde_json::Value as Json;

/// What the namespace of others is called; site programs put things into it too.
pub(super) const THEIRS: &str = "theirs";

const OBJECTS: &str = r#"
{ apiVersion: v1, kind: Namespace, metadata: { name: theirs, labels: { owner: others } } }
---
{ apiVersion: v1, kind: ConfigMap, metadata: { name: notes, namespace: theirs }, data: { note: mine } }
---
{ apiVersion: v1, kind: Secret, metadata: { name: password, namespace: theirs }, stringData: { password: theirs } }
---
{ apiVersion: v1, kind: PersistentVolumeClaim, metadata: { name: data, namespace: theirs }, spec: { accessModes: [ReadWriteOnce], resources: { requests: { storage: 1Gi } } } }
---
{ apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: { name: theirs }, rules: [] }
"#;

/// An API server with things of others on it.
pub struct Others {
    plane: ControlPlane,
    before: BTreeMap<String, Json>,
    /// The last look at everything, and when it began.
    looked: Mutex<Option<(Instant, Arc<Vec<Json>>)>>,
}

impl Others {
    /// Puts them there.
    ///
    /// # Panics
    /// If that fails.
    #[must_use]
    pub fn on(plane: ControlPlane) -> Arc<Self> {
        let kubectl = plane.kubectl();
        kubectl.run_with_input(&["apply", "-f", "-"], OBJECTS).expect("things of others");
        let bound = ["-n", THEIRS, "wait", "pvc/data", "--for=jsonpath={.status.phase}=Bound", "--timeout=60s"];
        kubectl.run(&bound).expect("a volume");
        let before = theirs(&plane.objects().expect("the API server answers"));
        assert!(before.len() >= 6, "{:?}", before.keys());
        Arc::new(Self { plane, before, looked: Mutex::default() })
    }

    /// The API server.
    #[must_use]
    pub fn plane(&self) -> &ControlPlane {
        &self.plane
    }

    /// Fails unless all of it is as it was, to the last byte. Their Namespace is signed by those who use it: of that counts only what they have written.
    ///
    /// # Panics
    /// That is how it fails.
    pub fn expect_untouched(&self) {
        self.expect_untouched_among(&self.objects());
    }

    /// Everything that the API server holds, as it is or was since this was called: those who ask at the same time are told the same.
    pub(super) fn objects(&self) -> Arc<Vec<Json>> {
        let asked = Instant::now();
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        match &*looked {
            Some((begun, objects)) if *begun >= asked => Arc::clone(objects),
            _ => {
                let begun = Instant::now();
                let objects = Arc::new(self.plane.objects().expect("the API server answers"));
                *looked = Some((begun, Arc::clone(&objects)));
                objects
            }
        }
    }

    /// Fails unless all of theirs is as it was, where everything that the API server holds is known.
    pub(super) fn expect_untouched_among(&self, objects: &[Json]) {
        let now = theirs(objects);
        for (name, before) in &self.before {
            assert_eq!(now.get(name), Some(before), "{name}, which is others', was touched");
        }
    }
}

/// Those of `objects` that are theirs, by kind and name.
fn theirs(objects: &[Json]) -> BTreeMap<String, Json> {
    let own = objects.iter().filter(|object| is_theirs(object)).cloned();
    own.map(|object| (format!("{} {}", object["kind"], object["metadata"]["name"]), without_signatures(object))).collect()
}

/// What lives in their namespace and does not bear the name of a part, their namespace, and what lives outside of it: a volume, a role.
fn is_theirs(object: &Json) -> bool {
    let says = |pointer: &str| object.pointer(pointer).and_then(Json::as_str).unwrap_or_default();
    let has_no_events = !["Event", "Lease"].contains(&says("/kind"));
    let name = says("/metadata/name");
    let is_of_no_part = !name.starts_with(super::part::PARTS);
    let lives_there = says("/metadata/namespace") == THEIRS || says("/spec/claimRef/namespace") == THEIRS;
    has_no_events && (name == THEIRS || (lives_there && is_of_no_part))
}

fn without_signatures(mut object: Json) -> Json {
    if object["kind"] != "Namespace" {
        return object;
    }
    if let Some(annotations) = object.pointer_mut("/metadata/annotations").and_then(Json::as_object_mut) {
        annotations.retain(|name, _| !name.starts_with("harmony/"));
    }
    if let Some(metadata) = object["metadata"].as_object_mut() {
        metadata.remove("resourceVersion");
        if let Some(Json::Array(managers)) = metadata.get_mut("managedFields") {
            managers.retain(|manager| !manager["manager"].as_str().is_some_and(|name| name.starts_with(super::part::PARTS)));
        }
    }
    object
}
