//! Looks at, previews, applies and deletes objects.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use futures::StreamExt;
use harmony::modules::k8s::identity::ObjectIdentity;
use harmony::modules::k8s::object::{Claim, Object, ObjectOutputs, Sort};
use harmony::provider::{Failure, Intended, Known, Live, Observation, Provider, ProviderError};
use harmony::run::{Looked, Run};
use harmony::value;
use serde_json::{Map, Value as Json, json};

use crate::api::{Api, ApiError, Send};
use crate::claims::{SIZE, refused_size};
use crate::compare::{is_as_wished, merged, shown};
use crate::connection::Connection;
use crate::fields::Fields;
use crate::ownership::Ownership;
use crate::ready::{Readiness, readiness};
use crate::review::{is_lack_of_right, missing_rights};
use crate::topology::FIELD_MANAGERS;
use crate::wait::{wait_until_ready, wait_until_served};

/// So many requests are in flight at once, as many as a run has steps.
const AT_ONCE: usize = 16;

/// Objects of one cluster.
pub(crate) struct Objects {
    pub(crate) connection: Connection,
    /// What was seen whole when it was looked at, until it is compared with a wish.
    seen: Mutex<HashMap<ObjectIdentity, Json>>,
    /// Namespaces that are still to come: nothing can be asked about what will be in them.
    coming: Mutex<HashSet<String>>,
}

impl Objects {
    pub(crate) fn new(connection: Connection) -> Self {
        Self { connection, seen: Mutex::default(), coming: Mutex::default() }
    }

    /// Looks at objects: those of one kind and namespace in one list.
    async fn look(&self, run: &Run, wanted: &[ObjectIdentity]) -> Result<Vec<Option<Json>>, ProviderError> {
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

    fn remember(&self, identity: &ObjectIdentity, object: Json) {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).insert(identity.clone(), object);
    }

    /// Whether the namespace that an object is in is still to come. The API answers late where a namespace is missing, and the same for each object.
    fn is_to_come(&self, identity: &ObjectIdentity) -> bool {
        let coming = self.coming.lock().unwrap_or_else(PoisonError::into_inner);
        identity.namespace.as_ref().is_some_and(|namespace| coming.contains(namespace))
    }

    /// Notes whether a namespace is still to come.
    fn note_namespace(&self, name: &str, is_to_come: bool) {
        let mut coming = self.coming.lock().unwrap_or_else(PoisonError::into_inner);
        if is_to_come {
            coming.insert(name.to_owned());
        } else {
            coming.remove(name);
        }
    }

    /// What was seen, if it is what `outputs` are of.
    fn recall(&self, identity: &ObjectIdentity, outputs: &ObjectOutputs) -> Option<Json> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner).remove(identity)?;
        (seen.pointer("/metadata/resourceVersion") == outputs.get(VERSION)).then_some(seen)
    }

    /// The path of an object in this version of its kind.
    async fn path(&self, run: &Run, api: &Api, identity: &ObjectIdentity, version: &str) -> Result<Option<String>, ApiError> {
        let served = self.connection.discovery.find_again(run, api, identity).await?;
        let served = served.filter(|served| served.has_version(version));
        Ok(served.map(|served| served.path(identity, Some(version))))
    }

    async fn preview_known<S: Sort>(
        &self,
        run: &Run,
        desired: &Object<S>,
        live: Option<&Live<Object<S>>>,
    ) -> Result<Object<S>, ProviderError> {
        let api = self.connection.api(run).await?;
        let what = || format!("{} cannot be as it should be in {}", desired.identity, api.cluster());
        let before = match live {
            Some(live) => match self.recall(&desired.identity, &live.outputs) {
                Some(object) => Some(object),
                None => self.look(run, std::slice::from_ref(&desired.identity)).await?.pop().flatten(),
            },
            None => None,
        };
        learn(api, desired);
        let managers = before.as_ref().map(|before| Ownership::of(before, &api.manager));
        let desired = &signed(desired, before.as_ref(), &api.manager);
        if let (Some(before), Some(managers), Some(live)) = (&before, &managers, live) {
            let same_version = managers.our_version.as_deref() == Some(&desired.api_version)
                && before["apiVersion"] == desired.api_version.as_str();
            // One of which nothing is said is as it should be when it is there.
            if desired.fields.is_empty()
                || same_version && is_as_wished(&with_open_values(&desired.fields), before, &managers.ours)
            {
                return Ok(live.state.clone().with_readiness(None));
            }
        }
        let version = version_of(&desired.api_version);
        let Some(path) = self.path(run, api, &desired.identity, version).await.map_err(|error| error.failed(what()))? else {
            // Its kind is still to be defined.
            return Ok(desired.clone());
        };
        let object = manifest(desired);
        let mut holders = BTreeMap::new();
        let mut answer = api.send(run, &path, Send::Apply { object: &object, force: false, dry_run: true }).await;
        if let (Err(ApiError::Refused(refusal)), Some(managers)) = (&answer, &managers)
            && refusal.code == 409
        {
            holders.extend(managers.claims(refusal));
            answer = api.send(run, &path, Send::Apply { object: &object, force: true, dry_run: true }).await;
        }
        match (answer, live) {
            // A plan says what it wishes; what the API adds to it is the API's.
            (Ok(_), None) => Ok(desired.clone()),
            (Ok(after), Some(live)) => Ok(compared(desired, live, managers.as_ref(), &after, &api.manager, holders)),
            (Err(error), None) if error.is_absent() => {
                desired.identity.namespace.iter().for_each(|namespace| self.note_namespace(namespace, true));
                Ok(desired.clone())
            }
            (Err(error), Some(live)) if let Some(why) = refused(desired, before.as_ref(), &error) => {
                let wish = with_open_values(&desired.fields);
                let fields = merged(&live.state.fields, &wish, managers.as_ref().map(|managers| &managers.all));
                Ok(desired.clone().with_fields(fields).with_holders(BTreeMap::from([why])))
            }
            // Who may only look is shown what would become of it; the rights are asked for before anything is written.
            (Err(error), None) if is_lack_of_right(&error) => Ok(desired.clone()),
            (Err(error), Some(live)) if is_lack_of_right(&error) => {
                Ok(compared_unasked(&with_open_values(&desired.fields), live, managers.as_ref().map(|managers| &managers.all)))
            }
            (Err(error), _) => Err(error.failed(what())),
        }
    }

    async fn apply_now<S: Sort>(
        &self,
        run: &Run,
        desired: &Object<S>,
        live: Option<&Live<Object<S>>>,
    ) -> Result<ObjectOutputs, ProviderError> {
        let api = self.connection.api(run).await?;
        let identity = &desired.identity;
        learn(api, desired);
        let what = || format!("failed to apply {identity} in {}", api.cluster());
        if live.is_some_and(|live| live.state.is_leaving()) {
            self.wait_until_gone(run, api, identity).await?;
        }
        let path = wait_until_served(run, api, &self.connection.discovery, identity, &desired.api_version).await?;
        let before = match live {
            Some(_) if S::ADOPTS => self.look(run, std::slice::from_ref(identity)).await?.pop().flatten(),
            _ => None,
        };
        let object = manifest(&signed(desired, before.as_ref(), &api.manager));
        let mut answer = api.send(run, &path, Send::Apply { object: &object, force: false, dry_run: false }).await;
        if let Err(ApiError::Refused(refusal)) = &answer
            && refusal.code == 409
        {
            let before = self.look(run, std::slice::from_ref(identity)).await?.pop().flatten().unwrap_or_default();
            let claims = Ownership::of(&before, &api.manager).claims(refusal);
            // Only what was changed by hand is taken back, and the plan has said from whom.
            if !claims.is_empty() && claims.iter().all(|(_, claim)| matches!(claim, Claim::TakenBackFrom(_))) {
                answer = api.send(run, &path, Send::Apply { object: &object, force: true, dry_run: false }).await;
            }
        }
        let applied = answer.map_err(|error| error.failed(what()))?;
        self.applied(run, api, &path, applied, identity).await
    }

    /// Makes it where it is not: an object that is there has another version than the one that is named.
    async fn make_now<S: Sort>(&self, run: &Run, desired: &Object<S>) -> Result<Option<ObjectOutputs>, ProviderError> {
        // What several programs use is signed after a look at who does.
        if S::ADOPTS {
            return Ok(None);
        }
        let api = self.connection.api(run).await?;
        let identity = &desired.identity;
        learn(api, desired);
        let path = wait_until_served(run, api, &self.connection.discovery, identity, &desired.api_version).await?;
        let mut object = manifest(desired);
        object["metadata"]["resourceVersion"] = json!(OF_NONE);
        match api.send(run, &path, Send::Apply { object: &object, force: false, dry_run: false }).await {
            Ok(applied) => self.applied(run, api, &path, applied, identity).await.map(Some),
            Err(ApiError::Refused(refusal)) if refusal.code == 409 => Ok(None),
            Err(error) => Err(error.failed(format!("failed to apply {identity} in {}", api.cluster()))),
        }
    }

    /// Waits until what was applied is ready, and returns what it offers.
    async fn applied(
        &self,
        run: &Run,
        api: &Api,
        path: &str,
        applied: Json,
        identity: &ObjectIdentity,
    ) -> Result<ObjectOutputs, ProviderError> {
        let is_definition = identity.kind == "CustomResourceDefinition";
        if is_definition {
            self.connection.discovery.forget().await;
        }
        let ready = wait_until_ready(run, api, path, applied, identity).await?;
        if is_definition {
            self.connection.discovery.forget().await;
        }
        if identity.kind == "Namespace" {
            self.note_namespace(&identity.name, false);
        }
        Ok(outputs(&ready))
    }

    async fn delete_now(&self, run: &Run, identity: &ObjectIdentity) -> Result<(), ProviderError> {
        let api = self.connection.api(run).await?;
        let Some(object) = self.look(run, std::slice::from_ref(identity)).await?.pop().flatten() else { return Ok(()) };
        let failed = |error: ApiError| error.failed(format!("failed to delete {identity} in {}", api.cluster()));
        let Some(served) = self.connection.discovery.find(run, api, identity).await.map_err(failed)? else { return Ok(()) };
        let path = served.path(identity, None);
        if identity.kind == "Namespace" && is_others_too(&object, &Ownership::of(&object, &api.manager), &api.manager) {
            let nothing =
                json!({ "apiVersion": object["apiVersion"], "kind": "Namespace", "metadata": { "name": identity.name } });
            return api
                .send(run, &path, Send::Apply { object: &nothing, force: false, dry_run: false })
                .await
                .map(|_| ())
                .map_err(failed);
        }
        if object.pointer("/metadata/deletionTimestamp").is_none() {
            // What was made anew under its name meanwhile is not what was seen.
            let options =
                json!({ "preconditions": { "uid": object.pointer("/metadata/uid") }, "propagationPolicy": "Foreground" });
            match api.send(run, &path, Send::Delete(&options)).await {
                Err(error) if error.is_absent() => return Ok(()),
                answer => answer.map_err(failed)?,
            };
        }
        self.wait_until_gone(run, api, identity).await?;
        if identity.kind == "CustomResourceDefinition" {
            self.connection.discovery.forget().await;
        }
        Ok(())
    }

    async fn wait_until_gone(&self, run: &Run, api: &Api, identity: &ObjectIdentity) -> Result<(), ProviderError> {
        run.wait_for(&format!("{identity} to be gone"), || async {
            let Some(object) = self.look(run, std::slice::from_ref(identity)).await?.pop().flatten() else {
                return Ok(Looked::Found(()));
            };
            if object.pointer("/metadata/deletionTimestamp").is_none() {
                let what = format!("failed to delete {identity} in {}", api.cluster());
                return Err(ProviderError::Conflict(Failure::new(what, "somebody has made it anew")));
            }
            let finalizers = object.pointer("/metadata/finalizers").and_then(Json::as_array);
            let names: Vec<&str> = finalizers.into_iter().flatten().filter_map(Json::as_str).collect();
            let why = if names.is_empty() {
                "it is being deleted".to_owned()
            } else {
                format!("its finalizers are still there: {}", names.join(", "))
            };
            Ok(Looked::NotYet(why))
        })
        .await
    }
}

/// A Namespace that is wished, with what tells who uses it, and who has made it. Without it, one of which nothing else is said would not
/// be ours in any field.
fn signed<S: Sort>(desired: &Object<S>, before: Option<&Json>, us: &str) -> Object<S> {
    if !S::ADOPTS {
        return desired.clone();
    }
    let is_ours = before.is_none_or(|before| is_made_by(before, us));
    let mut fields = desired.fields.clone();
    let metadata = fields.entry("metadata").or_insert_with(|| Json::Object(Map::new()));
    metadata["annotations"][signature(us)] = json!(if is_ours { MADE } else { USED });
    desired.clone().with_fields(fields)
}

/// The annotation by which a program signs: what of its name may be in one, at most 63 characters.
fn signature(us: &str) -> String {
    let allowed = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    let name: String = us.chars().map(allowed).take(63).collect();
    format!("harmony/{}", name.trim_matches('-'))
}

const MADE: &str = "made";
const USED: &str = "used";

fn is_made_by(object: &Json, us: &str) -> bool {
    object.pointer("/metadata/annotations").is_some_and(|annotations| annotations[signature(us)] == MADE)
}

/// Whether a Namespace stays when we leave: another program uses it, or somebody else has made it.
fn is_others_too(object: &Json, managers: &Ownership, us: &str) -> bool {
    !is_made_by(object, us) || !managers.others(FIELD_MANAGERS, us).is_empty()
}

fn learn<S: Sort>(api: &Api, desired: &Object<S>) {
    api.learn_secrets(&Json::Object(desired.fields.clone()), is_secret(&desired.identity));
}

fn is_secret(identity: &ObjectIdentity) -> bool {
    identity.group.is_empty() && identity.kind == "Secret"
}

/// The output that tells one state of an object from the next.
const VERSION: &str = "resource-version";
/// A version that no object has: they are numbers of changes of a store, whose first one is empty.
const OF_NONE: &str = "1";

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

fn version_of(api_version: &str) -> &str {
    api_version.rsplit_once('/').map_or(api_version, |(_, version)| version)
}

/// What the API says of a change that it never makes, and of which field.
fn refused<S: Sort>(desired: &Object<S>, before: Option<&Json>, error: &ApiError) -> Option<(String, Claim)> {
    let wish = with_open_values(&desired.fields);
    if let Some(words) = before.and_then(|before| refused_size(&desired.identity, &wish, before, error)) {
        return Some((SIZE.to_owned(), Claim::Impossible(words)));
    }
    let refusal = error.refusal().filter(|refusal| refusal.code == 422 && is_fixed(&refusal.message))?;
    Some((String::new(), Claim::Fixed(refusal.message.clone())))
}

/// Whether the API says that what differs cannot be changed in place.
fn is_fixed(message: &str) -> bool {
    message.contains("field is immutable")
        || message.contains("spec is immutable after creation")
        || message.contains("updates to statefulset spec for fields other than")
        || message.contains("may not change once set")
}

fn outputs(object: &Json) -> ObjectOutputs {
    let mut outputs = ObjectOutputs::new();
    let mut put = |name: String, value: Option<&Json>| {
        outputs.extend(value.map(|value| (name, value.clone())));
    };
    put("uid".to_owned(), object.pointer("/metadata/uid"));
    put(VERSION.to_owned(), object.pointer("/metadata/resourceVersion"));
    if object["kind"] == "Service" {
        for port in object.pointer("/spec/ports").and_then(Json::as_array).into_iter().flatten() {
            let name = port["name"].as_str().map_or_else(|| port["port"].to_string(), str::to_owned);
            put(format!("node-port/{name}"), port.get("nodePort"));
        }
        let ingress = object.pointer("/status/loadBalancer/ingress/0");
        put("load-balancer".to_owned(), ingress.and_then(|ingress| ingress.get("hostname").or_else(|| ingress.get("ip"))));
    }
    outputs
}

fn live<S: Sort>(identity: &ObjectIdentity, object: &Json, managers: &Ownership, us: &str) -> Live<Object<S>> {
    let mut fields = shown(object, &managers.all);
    if let Some(leaving) = object.pointer("/metadata/deletionTimestamp") {
        let metadata = fields.entry("metadata").or_insert_with(|| Json::Object(Map::new()));
        metadata["deletionTimestamp"] = leaving.clone();
    }
    let reason = match readiness(object) {
        Readiness::Ready => None,
        Readiness::NotYet(reason) | Readiness::Failed(reason) => Some(reason),
    };
    let version = object["apiVersion"].as_str().unwrap_or_default();
    let state = Object::new(identity.clone(), version).with_fields(fields).with_readiness(reason);
    let stays = is_others_too(object, managers, us);
    Live { state, outputs: outputs(object), holds: holds(object, stays) }
}

/// What would be lost with an object.
fn holds(object: &Json, stays: bool) -> Option<String> {
    match object["kind"].as_str()? {
        "Namespace" if stays => None,
        "Namespace" => Some("everything in it".to_owned()),
        "CustomResourceDefinition" => Some("every object of its kind".to_owned()),
        "PersistentVolumeClaim" | "PersistentVolume" => {
            let size = object.pointer("/status/capacity/storage").or_else(|| object.pointer("/spec/capacity/storage"));
            Some(size.and_then(Json::as_str).map_or_else(|| "its volume".to_owned(), |size| format!("its volume of {size}")))
        }
        _ => None,
    }
}

/// What the dry-run `after` says against what is there.
fn compared<S: Sort>(
    desired: &Object<S>,
    live: &Live<Object<S>>,
    before: Option<&Ownership>,
    after: &Json,
    us: &str,
    mut holders: BTreeMap<String, Claim>,
) -> Object<S> {
    let now = Ownership::of(after, us);
    let nothing = Ownership::default();
    let before = before.unwrap_or(&nothing);
    let mut all: Fields = before.all.clone();
    all.add(&now.all);
    let fields = shown(after, &all);
    if before.our_version.is_none() {
        holders.insert("*".to_owned(), Claim::Taken);
    } else {
        let is_as_it_was = |path: &str| fields_at(&fields, path) == fields_at(&live.state.fields, path);
        let taken = before.ours.lacks(&now.ours).into_iter().map(|path| (path, Claim::Taken));
        let given_up = now.ours.lacks(&before.ours).into_iter().map(|path| (path, Claim::GivenUp));
        let silent = taken.chain(given_up).filter(|(path, _)| is_as_it_was(path));
        holders.extend(silent.map(|(path, claim)| (path.trim_start_matches('/').replace('/', "."), claim)));
    }
    let version = after["apiVersion"].as_str().unwrap_or(&desired.api_version);
    let version = if live.state.api_version == desired.api_version { version } else { &live.state.api_version };
    Object::new(desired.identity.clone(), version).with_fields(fields).with_holders(holders)
}

/// What is there with the wish written over it: where the API cannot be asked.
fn compared_unasked<S: Sort>(wish: &Map<String, Json>, live: &Live<Object<S>>, managed: Option<&Fields>) -> Object<S> {
    let fields = merged(&live.state.fields, wish, managed);
    live.state.clone().with_readiness(None).with_fields(fields)
}

fn fields_at<'a>(fields: &'a Map<String, Json>, path: &str) -> Option<&'a Json> {
    let (first, rest) = path.strip_prefix('/')?.split_once('/').unwrap_or((path.strip_prefix('/')?, ""));
    let first = fields.get(&first.replace("~1", "/").replace("~0", "~"))?;
    if rest.is_empty() { Some(first) } else { first.pointer(&format!("/{rest}")) }
}

/// The object as it is sent.
fn manifest<S: Sort>(desired: &Object<S>) -> Json {
    let mut object = with_open_values(&desired.fields);
    let metadata = object.entry("metadata").or_insert_with(|| Json::Object(Map::new()));
    metadata["name"] = json!(desired.identity.name);
    if let Some(namespace) = &desired.identity.namespace {
        metadata["namespace"] = json!(namespace);
    }
    object.insert("apiVersion".to_owned(), json!(desired.api_version));
    object.insert("kind".to_owned(), json!(desired.identity.kind));
    Json::Object(object)
}

/// The fields with secrets as what they are.
fn with_open_values(fields: &Map<String, Json>) -> Map<String, Json> {
    fields.iter().map(|(name, json)| (name.clone(), value::plain(json))).collect()
}

#[async_trait]
impl<S: Sort> Provider<Object<S>> for Objects {
    async fn observe(
        &self,
        run: &Run,
        (): &(),
        wanted: &[Known<Object<S>>],
    ) -> Result<Vec<Observation<Object<S>>>, ProviderError> {
        let identities: Vec<ObjectIdentity> = wanted.iter().map(|known| known.identity.clone()).collect();
        let found = self.look(run, &identities).await?;
        let api = self.connection.api(run).await?;
        let observed = identities.iter().zip(found).map(|(identity, object)| {
            if *identity == ObjectIdentity::of_namespace(&identity.name) {
                self.note_namespace(&identity.name, object.is_none());
            }
            let Some(object) = object else { return Observation::Absent };
            api.learn_secrets(&object, is_secret(identity));
            let mut seen = live(identity, &object, &Ownership::of(&object, &api.manager), &api.manager);
            seen.state.readiness = seen.state.readiness.map(|reason| api.redacted(reason));
            self.remember(identity, object);
            identity.namespace.iter().for_each(|namespace| self.note_namespace(namespace, false));
            Observation::There(Box::new(seen))
        });
        Ok(observed.collect())
    }

    async fn preview(
        &self,
        run: &Run,
        (): &(),
        desired: &Object<S>,
        live: Option<&Live<Object<S>>>,
    ) -> Result<Object<S>, ProviderError> {
        let unknown = desired.fields.values().any(|json| !value::references(json).is_empty());
        match live {
            // The API cannot be asked about what is not known; what is known of it is compared with what is there.
            Some(live) if unknown => {
                let managers = self.recall(&desired.identity, &live.outputs).map(|object| Ownership::of(&object, ""));
                Ok(compared_unasked(&desired.fields, live, managers.as_ref().map(|managers| &managers.all)))
            }
            None if unknown || self.is_to_come(&desired.identity) => Ok(desired.clone()),
            _ => self.preview_known(run, desired, live).await,
        }
    }

    async fn missing_rights(&self, run: &Run, (): &(), intended: &[Intended<Object<S>>]) -> Result<Vec<String>, ProviderError> {
        let api = self.connection.api(run).await?;
        let intended = intended.iter().map(|one| (&one.identity, one.write));
        let missing = missing_rights(run, api, &self.connection.discovery, intended).await;
        let missing = missing.map_err(|error| error.failed(format!("failed to ask for rights in {}", api.cluster())))?;
        Ok(missing.into_iter().map(|right| format!("{right} of {}", api.cluster())).collect())
    }

    async fn apply(
        &self,
        run: &Run,
        (): &(),
        desired: &Object<S>,
        live: Option<&Live<Object<S>>>,
    ) -> Result<ObjectOutputs, ProviderError> {
        self.apply_now(run, desired, live).await
    }

    async fn make_if_absent(&self, run: &Run, (): &(), desired: &Object<S>) -> Result<Option<ObjectOutputs>, ProviderError> {
        self.make_now(run, desired).await
    }

    async fn delete(&self, run: &Run, (): &(), identity: &ObjectIdentity) -> Result<(), ProviderError> {
        self.delete_now(run, identity).await
    }
}
