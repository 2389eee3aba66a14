//! Where state is kept: in which namespace, and under which name.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use harmony::provider::{Failure, ProviderError};
use harmony::run::Run;
use harmony_io::Io;
use harmony_types::{Digest, Namespace};
use serde_json::Value as Json;

use crate::api::{Api, ApiError, Send};
use crate::connection::Connection;
use crate::review::{Right, lacking};

/// What an answer is asked for as where only the metadata of an object matter.
const METADATA: &str = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
/// So many characters of a program's name are in the name of its objects: a label takes 63.
const LONGEST: usize = 40;
/// How much of a digest tells one program from another.
const DIGITS: usize = 8;

/// Where the state of a site program is kept.
#[derive(Clone)]
pub(crate) struct Keeping {
    connection: Connection,
    pub(super) io: Io,
    pub(super) namespace: Namespace,
    pub(super) name: String,
}

/// A kind of object in which state is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Lease,
    ConfigMap,
}

impl Kind {
    fn group(self) -> &'static str {
        match self {
            Self::Lease => "coordination.k8s.io",
            Self::ConfigMap => "",
        }
    }

    fn resource(self) -> &'static str {
        match self {
            Self::Lease => "leases",
            Self::ConfigMap => "configmaps",
        }
    }

    fn root(self) -> &'static str {
        match self {
            Self::Lease => "/apis/coordination.k8s.io/v1",
            Self::ConfigMap => "/api/v1",
        }
    }
}

impl fmt::Debug for Keeping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keeping").field("name", &self.name).field("place", &self.place()).finish_non_exhaustive()
    }
}

impl Keeping {
    /// For the site program called `program`.
    pub(crate) fn new(connection: Connection, io: Io, namespace: Namespace, program: &str) -> Self {
        Self { connection, io, namespace, name: object_name(program) }
    }

    /// Where that is, for people: `namespace ci of cluster east`.
    pub(crate) fn place(&self) -> String {
        format!("namespace {} of {}", self.namespace, self.connection.cluster())
    }

    /// The way to the API, for so long.
    pub(super) fn run(&self, io: &Io, patience: Duration) -> Run {
        Run::alone(io.clone(), patience)
    }

    pub(super) async fn api(&self, run: &Run) -> Result<&Api, ProviderError> {
        self.connection.api(run).await
    }

    /// The path of all objects of a kind.
    pub(super) fn path_of_all(&self, kind: Kind) -> String {
        format!("{}/namespaces/{}/{}", kind.root(), self.namespace, kind.resource())
    }

    pub(super) fn path(&self, kind: Kind, name: &str) -> String {
        format!("{}/{name}", self.path_of_all(kind))
    }

    /// The object at `path`, or only its metadata; `None` if it is not there.
    pub(super) async fn find(&self, run: &Run, path: &str, how_much: HowMuch) -> Result<Option<Json>, ProviderError> {
        let accept = match how_much {
            HowMuch::Whole => "application/json",
            HowMuch::Metadata => METADATA,
        };
        let api = self.api(run).await?;
        let failed = |error: ApiError| self.failed("failed to look at the state", error);
        let bytes = match api.send_accepting(run, path, Send::Get, accept).await {
            Ok(bytes) => bytes,
            Err(error) if error.is_absent() => return Ok(None),
            Err(error) => return Err(self.explained(run, failed(error)).await),
        };
        let words = |error: serde_json::Error| failed(ApiError::Unreadable { words: error.to_string() });
        serde_json::from_slice(&bytes).map(Some).map_err(words)
    }

    /// The same error, with what to do where the namespace is not there.
    pub(super) fn failed(&self, what: &str, error: ApiError) -> ProviderError {
        let is_homeless = error.is_absent() && error.to_string().contains("namespaces \"");
        match error.failed(format!("{what} in {}", self.place())) {
            ProviderError::Refused(failure) if is_homeless => {
                let hint =
                    format!("make it with `kubectl create namespace {}`, or keep the state in another one", self.namespace);
                ProviderError::Refused(failure.with_hint(hint))
            }
            error => error,
        }
    }

    /// The rights to keep state here that are missing, each as `update leases.coordination.k8s.io in ci (harmony-shop) of cluster east`.
    pub(crate) async fn missing_rights(&self, run: &Run) -> Result<Vec<String>, ProviderError> {
        let api = self.api(run).await?;
        let missing = lacking(run, api, self.rights()).await;
        let missing = missing.map_err(|error| self.failed("failed to ask for rights", error))?;
        Ok(missing.into_iter().map(|right| format!("{right} of {}", api.cluster())).collect())
    }

    fn rights(&self) -> BTreeMap<Right, Vec<String>> {
        const NEEDS: [(Kind, &[&str]); 2] = [
            (Kind::Lease, &["get", "create", "update"]),
            (Kind::ConfigMap, &["get", "list", "create", "update", "patch", "delete"]),
        ];
        let right = |kind: Kind, verb| Right::new(Some(self.namespace.to_string()), kind.group(), kind.resource(), verb);
        let of_kind = |(kind, verbs): (Kind, &'static [&'static str])| {
            verbs.iter().map(move |verb| (right(kind, verb), vec![self.name.clone()]))
        };
        NEEDS.into_iter().flat_map(of_kind).collect()
    }

    /// The same error, with all rights that are missing where one is.
    pub(super) async fn explained(&self, run: &Run, error: ProviderError) -> ProviderError {
        let ProviderError::NotPermitted(failure) = &error else { return error };
        match self.missing_rights(run).await {
            Ok(missing) if !missing.is_empty() => {
                ProviderError::NotPermitted(Failure::new(&failure.what, format!("the run may not {}", missing.join("; "))))
            }
            _ => error,
        }
    }
}

/// How much of an object is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HowMuch {
    Whole,
    Metadata,
}

/// The text at `path` of an object; empty if there is none.
pub(super) fn text<'a>(object: &'a Json, path: &str) -> &'a str {
    object.pointer(path).and_then(Json::as_str).unwrap_or_default()
}

/// The name of the objects of a program: `harmony-` and its own, as far as an object's name takes it. What is lost by that a digest makes up for.
fn object_name(program: &str) -> String {
    let taken = |c: char| if c.is_ascii_lowercase() || c.is_ascii_digit() { c } else { '-' };
    let plain: String = program.chars().take(LONGEST).map(taken).collect();
    let plain = plain.trim_matches('-');
    if plain == program {
        return format!("harmony-{plain}");
    }
    let digest: String = Digest::of(program.as_bytes()).hex().chars().take(DIGITS).collect();
    format!("harmony-{plain}-{digest}").replace("--", "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_has_objects_of_its_own_whatever_its_name_is() {
        assert_eq!(object_name("shop"), "harmony-shop");
        let names =
            ["nats_k8s", "nats-k8s", "NATS-k8s", "-nats-k8s", "ツ", &"long".repeat(40), &"long".repeat(41)].map(object_name);
        for name in &names {
            let label =
                name.len() <= 63 && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
            assert!(label && !name.ends_with('-'), "{name}");
        }
        let different: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!(different.len(), names.len(), "{names:?}");
    }
}
