//! Looking at objects, those of one kind and namespace at once.

use std::collections::{BTreeMap, HashMap};

use futures::StreamExt;
use harmony::modules::k8s::identity::ObjectIdentity;
use harmony::provider::ProviderError;
use harmony::run::Run;
use serde_json::Value as Json;

use super::Objects;
use crate::api::{Api, ApiError, Send};

/// So many requests are in flight at once, as many as a run has steps.
const AT_ONCE: usize = 16;

impl Objects {
    /// Looks at objects: those of one kind and namespace in one list.
    pub(super) async fn look(&self, run: &Run, wanted: &[ObjectIdentity]) -> Result<Vec<Option<Json>>, ProviderError> {
        let api = self.connection.api(run).await?;
        let mut alike: BTreeMap<(&str, &str, Option<&str>), Vec<usize>> = BTreeMap::new();
        for (index, ObjectIdentity { group, kind, namespace, .. }) in wanted.iter().enumerate() {
            alike.entry((group, kind, namespace.as_deref())).or_default().push(index);
        }
        let looks = alike.into_values().map(|indices| self.look_at_alike(run, api, wanted, indices));
        let mut found: Vec<Option<Json>> = wanted.iter().map(|_| None).collect();
        let mut looked = futures::stream::iter(looks).buffer_unordered(AT_ONCE);
        while let Some(some) = looked.next().await {
            for (index, object) in some? {
                found[index] = object;
            }
        }
        Ok(found)
    }

    async fn look_at_alike(
        &self,
        run: &Run,
        api: &Api,
        wanted: &[ObjectIdentity],
        indices: Vec<usize>,
    ) -> Result<Vec<(usize, Option<Json>)>, ProviderError> {
        let Some(first) = indices.first().map(|index| &wanted[*index]) else { return Ok(Vec::new()) };
        let failed = |error: ApiError| error.failed(format!("failed to look at {first} in {}", api.cluster()));
        let Some(served) = self.connection.discovery.find(run, api, first).await.map_err(failed)? else {
            return Ok(indices.into_iter().map(|index| (index, None)).collect());
        };
        if indices.len() > 1 {
            let path = served.path_of_all(&first.group, first.namespace.as_deref(), None);
            match api.send(run, &path, Send::Get).await {
                Ok(mut list) => return Ok(pick(&mut list, wanted, indices)),
                // Who may get each may not be permitted to list all.
                Err(error) if error.refusal().is_some_and(|refusal| refusal.code == 403) => {}
                Err(error) => return Err(failed(error)),
            }
        }
        let gets = indices.into_iter().map(|index| {
            let path = served.path(&wanted[index], None);
            async move { (index, api.send(run, &path, Send::Get).await) }
        });
        let got: Vec<_> = futures::stream::iter(gets).buffered(AT_ONCE).collect().await;
        let one = |(index, answer)| match answer {
            Ok(object) => Ok((index, Some(object))),
            Err(error) if ApiError::is_absent(&error) => Ok((index, None)),
            Err(error) => Err(failed(error)),
        };
        got.into_iter().map(one).collect()
    }
}

/// The wanted ones of a list, each with its kind, which the elements of a list do not say.
fn pick(list: &mut Json, wanted: &[ObjectIdentity], indices: Vec<usize>) -> Vec<(usize, Option<Json>)> {
    let version = list["apiVersion"].take();
    let mut by_name: HashMap<&str, usize> = indices.iter().map(|index| (wanted[*index].name.as_str(), *index)).collect();
    let mut picked = Vec::with_capacity(indices.len());
    if let Some(Json::Array(items)) = list.get_mut("items").map(Json::take) {
        for mut item in items {
            let Some(index) = item.pointer("/metadata/name").and_then(Json::as_str).and_then(|name| by_name.remove(name)) else {
                continue;
            };
            if let Json::Object(item) = &mut item {
                item.insert("apiVersion".to_owned(), version.clone());
                item.insert("kind".to_owned(), Json::String(wanted[index].kind.clone()));
            }
            picked.push((index, Some(item)));
        }
    }
    picked.extend(by_name.into_values().map(|index| (index, None)));
    picked
}
