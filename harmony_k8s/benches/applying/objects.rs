//! What is applied: ConfigMaps, and of some other kinds as many as a program of users has, in a namespace of their own.

use serde_json::{Value as Json, json};

/// The namespace and so many objects in it.
pub(crate) fn objects(namespace: &str, count: usize) -> Vec<Json> {
    let whole = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": namespace } });
    [whole].into_iter().chain((0..count).map(|number| object(namespace, number))).collect()
}

fn object(namespace: &str, number: usize) -> Json {
    let metadata = json!({ "name": format!("o-{number}"), "namespace": namespace, "labels": { "app": "shop" } });
    match number % 10 {
        7 => json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata }),
        8 => {
            let rules = json!([{ "apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "list"] }]);
            json!({ "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": metadata, "rules": rules })
        }
        9 => {
            let spec = json!({ "podSelector": { "matchLabels": { "app": format!("a-{number}") } }, "policyTypes": ["Ingress"] });
            json!({ "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": spec })
        }
        _ => {
            let data =
                json!({ "mode": "quiet", "settings.yaml": format!("number: {number}\nlevel: info\nlimits: {{ most: 10 }}\n") });
            json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data })
        }
    }
}

/// The path of an object.
pub(crate) fn path(object: &Json) -> String {
    let text = |pointer: &str| object.pointer(pointer).and_then(Json::as_str).unwrap();
    let root = match text("/apiVersion") {
        "v1" => "/api/v1".to_owned(),
        version => format!("/apis/{version}"),
    };
    let (plural, name) = (text("/kind").to_lowercase(), text("/metadata/name"));
    let plural = if plural.ends_with('y') { format!("{}ies", &plural[..plural.len() - 1]) } else { format!("{plural}s") };
    match object.pointer("/metadata/namespace").and_then(Json::as_str) {
        Some(namespace) => format!("{root}/namespaces/{namespace}/{plural}/{name}"),
        None => format!("{root}/{plural}/{name}"),
    }
}
