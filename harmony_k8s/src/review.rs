//! Access reviews: whether we may do what is about to be done (`SelfSubjectAccessReview` of `authorization.k8s.io/v1`).

use std::collections::BTreeMap;

use futures::StreamExt;
use harmony::modules::k8s::identity::ObjectIdentity;
use harmony::provider::Write;
use harmony::run::Run;
use serde_json::{Value as Json, json};

use crate::api::{Api, ApiError, Send};
use crate::discovery::Discovery;

const REVIEWS: &str = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
/// So many objects are named; behind them is only said how many there are.
const MOST_NAMED: usize = 5;
const AT_ONCE: usize = 8;

/// What is asked about: one verb on one kind in one namespace.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Right {
    namespace: Option<String>,
    group: String,
    resource: String,
    verb: &'static str,
}

/// The rights that are missing for these writes, each as `create configmaps in shop (web)`; those for all objects of a kind are asked for
/// first, and for each object by itself only where that is refused.
///
/// # Errors
/// [`ApiError`] if the API does not say.
pub(crate) async fn missing_rights(
    run: &Run,
    api: &Api,
    discovery: &Discovery,
    intended: impl Iterator<Item = (&ObjectIdentity, Write)>,
) -> Result<Vec<String>, ApiError> {
    let mut asked: BTreeMap<Right, Vec<String>> = BTreeMap::new();
    for (object, write) in intended {
        // What its definition is still to come for cannot be asked about.
        let Some(served) = discovery.find(run, api, object).await? else { continue };
        for verb in verbs(object, write) {
            let right = Right::new(object.namespace.clone(), &object.group, served.resource(), verb);
            asked.entry(right).or_default().push(object.name.clone());
        }
    }
    lacking(run, api, asked).await
}

/// Which of these rights are missing on which of the objects of these names.
///
/// # Errors
/// [`ApiError`] if the API does not say.
pub(crate) async fn lacking(run: &Run, api: &Api, asked: BTreeMap<Right, Vec<String>>) -> Result<Vec<String>, ApiError> {
    let asking = asked.into_iter().map(|(right, names)| async move { right.lacking(run, api, &names).await });
    let lacking: Vec<_> = futures::stream::iter(asking).buffered(AT_ONCE).collect().await;
    lacking.into_iter().filter_map(Result::transpose).collect()
}

/// What the API asks for to let us do it. A Namespace goes only with the last program that uses it; leaving it is a patch.
fn verbs(object: &ObjectIdentity, write: Write) -> &'static [&'static str] {
    match write {
        Write::Make => &["create", "patch"],
        Write::Change => &["patch"],
        Write::Replace => &["create", "delete", "patch"],
        Write::TakeAway if *object == ObjectIdentity::of_namespace(&object.name) => &["patch"],
        Write::TakeAway => &["delete"],
    }
}

impl Right {
    /// The right to do `verb` to objects of a kind in a namespace.
    pub(crate) fn new(namespace: Option<String>, group: &str, resource: &str, verb: &'static str) -> Self {
        Self { namespace, group: group.to_owned(), resource: resource.to_owned(), verb }
    }

    async fn lacking(&self, run: &Run, api: &Api, names: &[String]) -> Result<Option<String>, ApiError> {
        if self.is_given(run, api, None).await? {
            return Ok(None);
        }
        let mut lacking = Vec::new();
        for name in names {
            if !self.is_given(run, api, Some(name)).await? {
                lacking.push(name.clone());
            }
        }
        Ok(if lacking.is_empty() { None } else { Some(self.says(&lacking)) })
    }

    async fn is_given(&self, run: &Run, api: &Api, name: Option<&str>) -> Result<bool, ApiError> {
        let attributes = json!({
            "namespace": self.namespace, "verb": self.verb, "group": self.group, "resource": self.resource, "name": name,
        });
        let review = json!({
            "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": { "resourceAttributes": attributes },
        });
        let answer = api.send(run, REVIEWS, Send::Ask(&review)).await?;
        Ok(answer.pointer("/status/allowed").and_then(Json::as_bool).unwrap_or_default())
    }

    fn says(&self, names: &[String]) -> String {
        let group = if self.group.is_empty() { String::new() } else { format!(".{}", self.group) };
        let place = self.namespace.iter().map(|namespace| format!(" in {namespace}")).collect::<String>();
        let named = names.iter().take(MOST_NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
        let more = names.len().saturating_sub(MOST_NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        format!("{} {}{group}{place} ({named}{more})", self.verb, self.resource)
    }
}

/// Whether a refusal says that we may not write, and not that what is written is not let through.
pub(crate) fn is_lack_of_right(error: &ApiError) -> bool {
    error.refusal().is_some_and(|refusal| {
        refusal.code == 403
            && ["cannot patch resource", "cannot create resource"].iter().any(|words| refusal.message.contains(words))
    })
}
