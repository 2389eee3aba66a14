//! Which kinds the API serves, and where.

use std::collections::HashMap;
use std::sync::Arc;

use harmony::modules::k8s::identity::ObjectIdentity;
use harmony::run::Run;
use serde::Deserialize;
use tokio::sync::RwLock;

use crate::api::{Api, ApiError, Send};

/// Aggregated discovery: all groups in one answer (Kubernetes 1.27 and later).
const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList";

/// A kind that the API serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Served {
    /// The versions, the preferred one first, each with the name in paths: `("v1", "statefulsets")`.
    versions: Vec<(String, String)>,
    pub(crate) is_namespaced: bool,
}

impl Served {
    /// The path of all objects of the kind: of one namespace, or of a kind without.
    pub(crate) fn path_of_all(&self, group: &str, namespace: Option<&str>, version: Option<&str>) -> String {
        let preferred = self.versions.first();
        let (version, plural) = self
            .versions
            .iter()
            .find(|(known, _)| Some(known.as_str()) == version)
            .or(preferred)
            .map_or(("", ""), |(version, plural)| (version, plural));
        let root = if group.is_empty() { "/api".to_owned() } else { format!("/apis/{group}") };
        match namespace.filter(|_| self.is_namespaced) {
            Some(namespace) => format!("{root}/{version}/namespaces/{namespace}/{plural}"),
            None => format!("{root}/{version}/{plural}"),
        }
    }

    /// The path of one object, in the preferred version or in this one.
    pub(crate) fn path(&self, object: &ObjectIdentity, version: Option<&str>) -> String {
        format!("{}/{}", self.path_of_all(&object.group, object.namespace.as_deref(), version), object.name)
    }

    /// The name in paths, and of rights.
    pub(crate) fn resource(&self) -> &str {
        self.versions.first().map_or("", |(_, plural)| plural)
    }

    pub(crate) fn has_version(&self, version: &str) -> bool {
        self.versions.iter().any(|(known, _)| known == version)
    }
}

type Kinds = HashMap<(String, String), Served>;

/// What the API serves, asked for once, and again when that has changed.
#[derive(Default)]
pub(crate) struct Discovery {
    known: RwLock<Option<Arc<Kinds>>>,
}

impl Discovery {
    /// The kind of an object; `None` if the API does not serve it.
    ///
    /// # Errors
    /// [`ApiError`] if the API does not say.
    pub(crate) async fn find(&self, run: &Run, api: &Api, object: &ObjectIdentity) -> Result<Option<Served>, ApiError> {
        let kinds = self.kinds(run, api).await?;
        Ok(kinds.get(&(object.group.clone(), object.kind.clone())).cloned())
    }

    /// The same, asking again if it is not known.
    ///
    /// # Errors
    /// As [`Discovery::find`].
    pub(crate) async fn find_again(&self, run: &Run, api: &Api, object: &ObjectIdentity) -> Result<Option<Served>, ApiError> {
        match self.find(run, api, object).await? {
            None => {
                self.forget().await;
                self.find(run, api, object).await
            }
            found => Ok(found),
        }
    }

    /// Whether the API serves anything of a group.
    ///
    /// # Errors
    /// As [`Discovery::find`].
    pub(crate) async fn serves_group(&self, run: &Run, api: &Api, group: &str) -> Result<bool, ApiError> {
        Ok(self.kinds(run, api).await?.keys().any(|(served, _)| served == group))
    }

    /// What is known counts no more: a definition of a kind has come or gone.
    pub(crate) async fn forget(&self) {
        *self.known.write().await = None;
    }

    async fn kinds(&self, run: &Run, api: &Api) -> Result<Arc<Kinds>, ApiError> {
        if let Some(kinds) = self.known.read().await.as_ref() {
            return Ok(Arc::clone(kinds));
        }
        let mut known = self.known.write().await;
        if let Some(kinds) = known.as_ref() {
            return Ok(Arc::clone(kinds));
        }
        let mut kinds = Kinds::new();
        for path in ["/api", "/apis"] {
            let bytes = api.send_accepting(run, path, Send::Get, AGGREGATED).await?;
            let groups: Groups = serde_json::from_slice(&bytes).map_err(|error| ApiError::Unreadable {
                words: format!("aggregated discovery needs Kubernetes 1.27 or later: {error}"),
            })?;
            groups.items.into_iter().for_each(|group| group.add_to(&mut kinds));
        }
        Ok(Arc::clone(known.insert(Arc::new(kinds))))
    }
}

#[derive(Deserialize)]
struct Groups {
    items: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    #[serde(default)]
    metadata: Named,
    #[serde(default)]
    versions: Vec<Version>,
}

#[derive(Default, Deserialize)]
struct Named {
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
struct Version {
    version: String,
    #[serde(default)]
    resources: Vec<Resource>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Resource {
    resource: String,
    #[serde(default)]
    response_kind: Option<Kind>,
    scope: String,
    #[serde(default)]
    verbs: Vec<String>,
}

#[derive(Deserialize)]
struct Kind {
    kind: String,
}

impl Group {
    fn add_to(self, kinds: &mut Kinds) {
        for Version { version, resources } in self.versions {
            for Resource { resource, response_kind, scope, verbs } in resources {
                // What can only be created, such as a review, is no object.
                let Some(Kind { kind }) = response_kind.filter(|_| verbs.iter().any(|verb| verb == "list")) else { continue };
                let served = kinds
                    .entry((self.metadata.name.clone(), kind))
                    .or_insert_with(|| Served { versions: Vec::new(), is_namespaced: scope == "Namespaced" });
                served.versions.push((version.clone(), resource));
            }
        }
    }
}
