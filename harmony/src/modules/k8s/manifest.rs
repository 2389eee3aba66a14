//! An object as a program says it: typed, or as YAML, with values that may be known later.

use serde::Serialize;
use serde_json::{Map, Value as Json};

use super::identity::{ObjectIdentity, group_of};
use super::object::{K8sHoldingObject, K8sNamespace, K8sObject, K8sSecret};
use crate::value::Text;

/// The most documents in one text. A chart's are some dozens.
const MOST_DOCUMENTS: usize = 10_000;

/// An object with all that a program says of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    identity: ObjectIdentity,
    api_version: String,
    fields: Map<String, Json>,
}

/// What is wrong with a manifest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// It is not YAML.
    #[error("the text is not YAML: {words}")]
    Yaml {
        /// What the parser says, with line and column.
        words: String,
    },
    /// It cannot be written as JSON.
    #[error("{what} cannot be written as JSON: {words}")]
    Unserialisable {
        /// Its type.
        what: &'static str,
        /// What the serialiser says.
        words: String,
    },
    /// It is not an object of Kubernetes.
    #[error("{what} has no `{field}`")]
    Missing {
        /// Which one.
        what: String,
        /// What every object has.
        field: &'static str,
    },
    /// It asks for a name that somebody else would choose.
    #[error("{what} has `generateName`, so that every run would make another one")]
    Nameless {
        /// Which one.
        what: String,
    },
    /// A Secret's value stands in the program.
    #[error("{what} says the secret `{path}` in the open")]
    SecretInTheOpen {
        /// Which one.
        what: String,
        /// Which value.
        path: String,
    },
    /// Values are given, and it is not clear for which object.
    #[error("values are given for one object, and there are {count}")]
    NotOne {
        /// How many there are.
        count: usize,
    },
    /// There is nothing at a path where a value should go.
    #[error("{what} has no place for a value at `{path}`")]
    NoSuchPath {
        /// Which one.
        what: String,
        /// The path.
        path: String,
    },
}

impl ManifestError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Yaml { .. } | Self::Unserialisable { .. } => None,
            Self::Missing { .. } => Some("every object needs `apiVersion`, `kind` and `metadata.name`"),
            Self::Nameless { .. } => Some("give it a `name`"),
            Self::SecretInTheOpen { .. } => Some("leave it out, and give it with `.with_value(path, value)` from a secret"),
            Self::NotOne { .. } => Some("say the object that they are for in a Score of its own"),
            Self::NoSuchPath { .. } => Some("write an RFC 6901 pointer to a field of an object that is there: `/data/password`"),
        }
    }
}

impl Manifest {
    /// A typed object, or any value that is written as one.
    ///
    /// # Errors
    /// [`ManifestError`] if it is none.
    pub fn of<T: Serialize>(object: &T) -> Result<Self, ManifestError> {
        let what = std::any::type_name::<T>();
        let json =
            serde_json::to_value(object).map_err(|error| ManifestError::Unserialisable { what, words: error.to_string() })?;
        Self::from_json(json, what)
    }

    /// All objects of a YAML text: its documents, and the elements of those that are a `List`. Empty documents count for nothing.
    ///
    /// # Errors
    /// [`ManifestError`] if one of them is none.
    pub fn all_in_yaml(text: &str) -> Result<Vec<Self>, ManifestError> {
        let options = serde_saphyr::options! {
            // As Kubernetes reads them.
            legacy_octal_numbers: true,
            budget: serde_saphyr::budget! { max_documents: MOST_DOCUMENTS },
        };
        let documents: Vec<Json> = serde_saphyr::from_multiple_with_options(text, options)
            .map_err(|error| ManifestError::Yaml { words: error.to_string() })?;
        let documents = documents.into_iter().filter(|document| !document.is_null()).enumerate();
        documents
            .map(|(number, json)| Self::all_in(json, &format!("document {}", number + 1)))
            .collect::<Result<Vec<_>, _>>()
            .map(|all| all.concat())
    }

    fn all_in(mut json: Json, what: &str) -> Result<Vec<Self>, ManifestError> {
        let is_list = json.get("kind").and_then(Json::as_str).is_some_and(|kind| kind.ends_with("List"));
        match json.get_mut("items").filter(|_| is_list).map(Json::take) {
            Some(Json::Array(items)) => {
                let items = items.into_iter().enumerate();
                items.map(|(number, item)| Self::from_json(item, &format!("element {} of {what}", number + 1))).collect()
            }
            _ => Self::from_json(json, what).map(|one| vec![one]),
        }
    }

    fn from_json(json: Json, what: &str) -> Result<Self, ManifestError> {
        let Json::Object(mut fields) = json else { return Err(missing(what, "kind")) };
        let mut taken = |field: &'static str| match fields.remove(field) {
            Some(Json::String(text)) if !text.is_empty() => Ok(text),
            _ => Err(missing(what, field)),
        };
        let (api_version, kind) = (taken("apiVersion")?, taken("kind")?);
        let what = format!("{what} (kind {kind})");
        fields.remove("status");
        let mut metadata = match fields.remove("metadata") {
            Some(Json::Object(metadata)) => metadata,
            _ => return Err(missing(&what, "metadata.name")),
        };
        let mut text = |field: &str| metadata.remove(field).and_then(|json| json.as_str().map(str::to_owned));
        let (name, namespace) = (text("name").filter(|name| !name.is_empty()), text("namespace"));
        let Some(name) = name else {
            let nameless = metadata.contains_key("generateName");
            return Err(if nameless { ManifestError::Nameless { what } } else { missing(&what, "metadata.name") });
        };
        // What the API says of an object that it has, as in one that was exported.
        for said_by_the_api in ["uid", "resourceVersion", "generation", "creationTimestamp", "managedFields", "selfLink"] {
            metadata.remove(said_by_the_api);
        }
        if !metadata.is_empty() {
            fields.insert("metadata".to_owned(), Json::Object(metadata));
        }
        let fields =
            fields.into_iter().map(|(key, json)| (key, without_null(json))).filter(|(_, json)| !json.is_null()).collect();
        let identity = ObjectIdentity { group: group_of(&api_version).to_owned(), kind, namespace, name };
        Ok(Self { identity, api_version, fields })
    }

    /// The same in `namespace` if it says none and its kind is in one, as every kind is that is neither built in and known to be
    /// cluster-wide nor defined so by one of `definitions`.
    #[must_use]
    pub fn in_namespace(mut self, namespace: &str, definitions: &[Self]) -> Self {
        if !is_cluster_wide(&self.identity)
            && !definitions.iter().any(|definition| definition.defines_cluster_wide(&self.identity))
        {
            self.identity.namespace.get_or_insert_with(|| namespace.to_owned());
        }
        self
    }

    fn defines_cluster_wide(&self, object: &ObjectIdentity) -> bool {
        let said = |pointer: &str| self.fields.get("spec").and_then(|spec| spec.pointer(pointer)).and_then(Json::as_str);
        said("/group") == Some(&object.group) && said("/names/kind") == Some(&object.kind) && said("/scope") == Some("Cluster")
    }

    /// The same with a value at `path`, an RFC 6901 pointer whose last segment is a field of an object; objects on the way are made.
    ///
    /// # Errors
    /// [`ManifestError::NoSuchPath`] if something else than an object is on the way.
    pub fn with_value(mut self, path: &str, value: &Text) -> Result<Self, ManifestError> {
        let what = self.identity.to_string();
        let failed = || ManifestError::NoSuchPath { what: what.clone(), path: path.to_owned() };
        let json = serde_json::to_value(value).map_err(|_| failed())?;
        let segments: Vec<String> = path.strip_prefix('/').ok_or_else(failed)?.split('/').map(unescaped).collect();
        put(&mut self.fields, &segments, json).ok_or_else(failed)?;
        Ok(self)
    }

    /// Whether it defines a kind of objects.
    pub(super) fn is_definition(&self) -> bool {
        (self.identity.group.as_str(), self.identity.kind.as_str()) == ("apiextensions.k8s.io", "CustomResourceDefinition")
    }

    /// What the program calls it, below its place: `messaging/statefulset.apps/nats`.
    pub(super) fn address(&self) -> String {
        let ObjectIdentity { group, kind, namespace, name } = &self.identity;
        let above = namespace.iter().map(|namespace| format!("{namespace}/")).collect::<String>();
        let group = if group.is_empty() { String::new() } else { format!(".{group}") };
        format!("{above}{}{group}/{name}", kind.to_lowercase())
    }

    /// What the world calls it.
    #[must_use]
    pub fn identity(&self) -> &ObjectIdentity {
        &self.identity
    }

    /// Which value of a Secret stands in the open.
    pub(super) fn open_secret(&self) -> Option<ManifestError> {
        if !self.is_secret() {
            return None;
        }
        let said = ["data", "stringData"].into_iter().find_map(|part| {
            let values = self.fields.get(part)?.as_object()?;
            values.iter().find(|(_, value)| value.is_string()).map(|(key, _)| format!("/{part}/{key}"))
        })?;
        Some(ManifestError::SecretInTheOpen { what: self.identity.to_string(), path: said })
    }

    fn is_secret(&self) -> bool {
        self.identity.group.is_empty() && self.identity.kind == "Secret"
    }

    /// The resource that it becomes.
    pub(super) fn into_resource(self) -> AnyObject {
        let Self { identity, api_version, fields } = self;
        match (identity.group.as_str(), identity.kind.as_str()) {
            ("", "Secret") => AnyObject::Secret(K8sSecret::new(identity, api_version).with_fields(with_bytes(fields))),
            ("", "Namespace") => AnyObject::Namespace(K8sNamespace::new(identity, api_version).with_fields(fields)),
            ("", "PersistentVolumeClaim" | "PersistentVolume") | ("apiextensions.k8s.io", "CustomResourceDefinition") => {
                AnyObject::Holding(K8sHoldingObject::new(identity, api_version).with_fields(fields))
            }
            _ => AnyObject::Ordinary(K8sObject::new(identity, api_version).with_fields(fields)),
        }
    }
}

/// The kinds of Kubernetes itself that are in no namespace (`kubectl api-resources --namespaced=false` of 1.34).
const CLUSTER_WIDE: [(&str, &[&str]); 13] = [
    ("", &["ComponentStatus", "Namespace", "Node", "PersistentVolume"]),
    (
        "admissionregistration.k8s.io",
        &[
            "MutatingAdmissionPolicy",
            "MutatingAdmissionPolicyBinding",
            "MutatingWebhookConfiguration",
            "ValidatingAdmissionPolicy",
            "ValidatingAdmissionPolicyBinding",
            "ValidatingWebhookConfiguration",
        ],
    ),
    ("apiextensions.k8s.io", &["CustomResourceDefinition"]),
    ("apiregistration.k8s.io", &["APIService"]),
    ("certificates.k8s.io", &["CertificateSigningRequest", "ClusterTrustBundle"]),
    ("flowcontrol.apiserver.k8s.io", &["FlowSchema", "PriorityLevelConfiguration"]),
    ("internal.apiserver.k8s.io", &["StorageVersion"]),
    ("networking.k8s.io", &["IngressClass", "IPAddress", "ServiceCIDR"]),
    ("node.k8s.io", &["RuntimeClass"]),
    ("rbac.authorization.k8s.io", &["ClusterRole", "ClusterRoleBinding"]),
    ("resource.k8s.io", &["DeviceClass", "ResourceSlice"]),
    ("scheduling.k8s.io", &["PriorityClass"]),
    ("storage.k8s.io", &["CSIDriver", "CSINode", "StorageClass", "VolumeAttachment", "VolumeAttributesClass"]),
];

fn is_cluster_wide(object: &ObjectIdentity) -> bool {
    CLUSTER_WIDE.iter().any(|(group, kinds)| *group == object.group && kinds.contains(&object.kind.as_str()))
}

/// An object of any sort.
pub(super) enum AnyObject {
    Ordinary(K8sObject),
    Secret(K8sSecret),
    Holding(K8sHoldingObject),
    Namespace(K8sNamespace),
}

fn missing(what: &str, field: &'static str) -> ManifestError {
    ManifestError::Missing { what: what.to_owned(), field }
}

/// `json` without fields that are null: to say nothing and to say nothing of it are one.
fn without_null(json: Json) -> Json {
    match json {
        Json::Object(map) => Json::Object(
            map.into_iter().filter(|(_, value)| !value.is_null()).map(|(key, value)| (key, without_null(value))).collect(),
        ),
        Json::Array(items) => Json::Array(items.into_iter().map(without_null).collect()),
        other => other,
    }
}

/// A Secret's texts as the bytes that the API keeps: `stringData` is only ever written.
fn with_bytes(mut fields: Map<String, Json>) -> Map<String, Json> {
    let Some(Json::Object(texts)) = fields.remove("stringData") else { return fields };
    let data = fields.entry("data").or_insert_with(|| Json::Object(Map::new()));
    if let Json::Object(data) = data {
        for (key, text) in texts {
            let bytes = serde_json::from_value::<Text>(text).ok().and_then(|text| serde_json::to_value(text.base64()).ok());
            data.extend(bytes.map(|bytes| (key, bytes)));
        }
    }
    fields
}

fn unescaped(segment: &str) -> String {
    segment.replace("~1", "/").replace("~0", "~")
}

fn put(object: &mut Map<String, Json>, path: &[String], json: Json) -> Option<()> {
    match path {
        [] => None,
        [last] => {
            object.insert(last.clone(), json);
            Some(())
        }
        [first, rest @ ..] => match object.entry(first.clone()).or_insert_with(|| Json::Object(Map::new())) {
            Json::Object(inner) => put(inner, rest, json),
            Json::Array(items) => {
                let (index, rest) = rest.split_first()?;
                put(items.get_mut(index.parse::<usize>().ok()?)?.as_object_mut()?, rest, json)
            }
            _ => None,
        },
    }
}
