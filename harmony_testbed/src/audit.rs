//! What an API server was asked, as it says itself: <https://kubernetes.io/docs/tasks/debug/debug-cluster/audit/>.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::error::TestbedError;

/// How much is written of each request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AuditLevel {
    /// Who asked for what, and how it was answered.
    #[default]
    Metadata,
    /// Also the objects that were sent and answered.
    RequestResponse,
}

/// The audit log of one API server. It goes on when the server is killed and started again.
#[derive(Debug, Clone)]
pub struct AuditLog {
    path: PathBuf,
}

/// So much of a log is read at a time when its end is sought: some dozens of lines.
const CHUNK: u64 = 64 << 10;

/// A place in an audit log, behind everything that was answered before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark(u64);

/// One request, written when it was answered; a watch, when it ended.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditEvent {
    /// What the server calls the request; it is in the answer's header `Audit-Id`.
    #[serde(rename = "auditID")]
    pub id: String,
    /// `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`; for what is no resource the HTTP method.
    pub verb: String,
    /// Path and query.
    #[serde(rename = "requestURI")]
    pub uri: String,
    /// Who asked.
    pub user: AuditUser,
    /// What the client says it is; empty if it says nothing.
    #[serde(default)]
    pub user_agent: String,
    /// The resource that was asked for; none for paths such as `/version`.
    #[serde(rename = "objectRef")]
    pub object: Option<ObjectReference>,
    /// How it was answered.
    #[serde(rename = "responseStatus")]
    status: Option<AuditStatus>,
    /// What was sent, at [`AuditLevel::RequestResponse`].
    pub request_object: Option<serde_json::Value>,
    /// What was answered, at [`AuditLevel::RequestResponse`].
    pub response_object: Option<serde_json::Value>,
    /// When it came, RFC 3339 with microseconds.
    pub request_received_timestamp: String,
    /// When it was answered, likewise.
    pub stage_timestamp: String,
}

/// Who asked.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct AuditUser {
    /// The user's name, as the certificate or token says.
    #[serde(default)]
    pub username: String,
    /// The groups.
    #[serde(default)]
    pub groups: Vec<String>,
}

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ObjectReference {
    /// The API group; empty for the core.
    pub api_group: String,
    /// The version of the group.
    pub api_version: String,
    /// The plural, such as `configmaps`.
    pub resource: String,
    /// Such as `status`; empty if none.
    pub subresource: String,
    /// Empty for what has none.
    pub namespace: String,
    /// Empty for collections.
    pub name: String,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
struct AuditStatus {
    #[serde(default)]
    code: u16,
}

/// Requests in the order in which they were answered.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AuditTrail(pub Vec<AuditEvent>);

impl AuditLevel {
    /// The policy that writes each request once.
    pub(crate) fn render_policy(self) -> String {
        let policy = serde_json::json!({
            "apiVersion": "audit.k8s.io/v1",
            "kind": "Policy",
            "omitStages": ["RequestReceived", "ResponseStarted"],
            "rules": [{"level": format!("{self:?}")}],
        });
        format!("{policy:#}\n")
    }
}

impl AuditLog {
    pub(crate) fn new(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// The file, one event a line.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The place behind everything that has been answered until now. A watch that is still open is written when it ends.
    ///
    /// # Errors
    /// [`TestbedError::File`] if the log cannot be read.
    pub fn mark(&self) -> Result<Mark, TestbedError> {
        self.find_end().map(Mark).map_err(TestbedError::file("read", &self.path))
    }

    /// Where the last whole line ends. A long log is read from its end.
    fn find_end(&self) -> std::io::Result<u64> {
        let mut file = File::open(&self.path)?;
        let mut end = file.metadata()?.len();
        while end > 0 {
            let start = end.saturating_sub(CHUNK);
            let mut bytes = Vec::new();
            file.seek(SeekFrom::Start(start))?;
            (&file).take(end - start).read_to_end(&mut bytes)?;
            if let Some(last) = bytes.iter().rposition(|byte| *byte == b'\n') {
                return Ok(start + last as u64 + 1);
            }
            end = start;
        }
        Ok(0)
    }

    /// What was answered since `mark`. An answer is written before its last byte is sent, so whoever has an answer finds it here.
    ///
    /// # Errors
    /// [`TestbedError::File`] if the log cannot be read; [`TestbedError::Audit`] if it holds something else.
    pub fn since(&self, mark: Mark) -> Result<AuditTrail, TestbedError> {
        let (text, _) = self.read(mark)?;
        let events = text
            .lines()
            .enumerate()
            .map(|(index, line)| serde_json::from_str(line).map_err(|source| TestbedError::Audit { line: index + 1, source }));
        Ok(AuditTrail(events.collect::<Result<_, _>>()?))
    }

    /// The whole lines behind `mark`, and where they end. A line that was being written when the server was killed is not whole.
    fn read(&self, mark: Mark) -> Result<(String, u64), TestbedError> {
        let mut bytes = Vec::new();
        let mut read = || -> std::io::Result<()> {
            let mut file = File::open(&self.path)?;
            file.seek(SeekFrom::Start(mark.0))?;
            file.read_to_end(&mut bytes)?;
            Ok(())
        };
        read().map_err(TestbedError::file("read", &self.path))?;
        bytes.truncate(bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1));
        let end = mark.0 + bytes.len() as u64;
        Ok((String::from_utf8_lossy(&bytes).into_owned(), end))
    }
}

impl AuditEvent {
    /// The status code of the answer; 0 if there was none.
    #[must_use]
    pub fn code(&self) -> u16 {
        self.status.as_ref().map_or(0, |status| status.code)
    }

    /// Whether the server was only asked what would happen.
    #[must_use]
    pub fn is_dry_run(&self) -> bool {
        self.parameter("dryRun").is_some_and(|value| value == "All")
    }

    /// Whether it asks for a change of something that is kept, and means it. Reviews of access and of tokens are created, but not kept.
    #[must_use]
    pub fn is_mutating(&self) -> bool {
        let kept = self.object.as_ref().is_some_and(|object| !object.is_review());
        let changes = ["create", "update", "patch", "delete", "deletecollection"].contains(&self.verb.as_str());
        kept && changes && !self.is_dry_run()
    }

    /// The value of a parameter of the query, as it was sent.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let (_, query) = self.uri.split_once('?')?;
        query.split('&').filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name).map(|(_, value)| value)
    }
}

impl ObjectReference {
    fn is_review(&self) -> bool {
        ["authorization.k8s.io", "authentication.k8s.io"].contains(&self.api_group.as_str())
            || (self.resource == "serviceaccounts" && self.subresource == "token")
    }

    /// `resource.group`, `resource` in the core; with `/subresource` if there is one.
    #[must_use]
    pub fn kind(&self) -> String {
        let group = if self.api_group.is_empty() { String::new() } else { format!(".{}", self.api_group) };
        let below = if self.subresource.is_empty() { String::new() } else { format!("/{}", self.subresource) };
        format!("{}{group}{below}", self.resource)
    }
}

impl AuditTrail {
    /// Those of one user.
    #[must_use]
    pub fn of_user(&self, name: &str) -> Self {
        self.filtered(|event| event.user.username == name)
    }

    /// Those that change something that is kept ([`AuditEvent::is_mutating`]).
    #[must_use]
    pub fn mutating(&self) -> Self {
        self.filtered(AuditEvent::is_mutating)
    }

    /// Those that only ask what would happen.
    #[must_use]
    pub fn dry_runs(&self) -> Self {
        self.filtered(AuditEvent::is_dry_run)
    }

    /// Those with this verb for resources of this kind (`configmaps`, `deployments.apps`, `pods/status`).
    #[must_use]
    pub fn of(&self, verb: &str, kind: &str) -> Self {
        self.filtered(|event| event.verb == verb && event.object.as_ref().is_some_and(|object| object.kind() == kind))
    }

    /// How many there are of each sort: `VERB KIND` behind which `in NAMESPACE` and `(dry run)` stand where they apply; for what is no
    /// resource `VERB PATH`.
    #[must_use]
    pub fn tally(&self) -> BTreeMap<String, usize> {
        let mut tally = BTreeMap::new();
        for event in &self.0 {
            let what = event.object.as_ref().map_or_else(|| event.uri.clone(), ObjectReference::kind);
            let place = match &event.object {
                Some(object) if !object.namespace.is_empty() => format!(" in {}", object.namespace),
                _ => String::new(),
            };
            let dry = if event.is_dry_run() { " (dry run)" } else { "" };
            *tally.entry(format!("{} {what}{place}{dry}", event.verb)).or_default() += 1;
        }
        tally
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn filtered(&self, wanted: impl Fn(&AuditEvent) -> bool) -> Self {
        Self(self.0.iter().filter(|event| wanted(event)).cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(verb: &str, uri: &str, object: &str) -> AuditEvent {
        let line = format!(
            r#"{{"kind":"Event","auditID":"1","verb":"{verb}","requestURI":"{uri}","user":{{"username":"a"}},"objectRef":{object},
            "responseStatus":{{"metadata":{{}},"code":200}},"requestReceivedTimestamp":"","stageTimestamp":""}}"#
        );
        serde_json::from_str(&line).unwrap()
    }

    const MAPS: &str = r#"{"resource":"configmaps","namespace":"n","name":"c","apiVersion":"v1"}"#;

    #[test]
    fn a_dry_run_is_told_from_a_write() {
        let dry = event("patch", "/api/v1/namespaces/n/configmaps/c?dryRun=All&fieldManager=h", MAPS);
        let write = event("patch", "/api/v1/namespaces/n/configmaps/c?fieldManager=h", MAPS);
        assert!(dry.is_dry_run() && !dry.is_mutating());
        assert!(!write.is_dry_run() && write.is_mutating());
        assert_eq!(write.parameter("fieldManager"), Some("h"));
    }

    #[test]
    fn reviews_and_reads_change_nothing() {
        let review = r#"{"resource":"selfsubjectaccessreviews","apiGroup":"authorization.k8s.io"}"#;
        assert!(!event("create", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review).is_mutating());
        assert!(!event("list", "/api/v1/configmaps", MAPS).is_mutating());
    }

    #[test]
    fn the_tally_counts_by_verb_kind_place_and_dry_run() {
        let status = r#"{"resource":"deployments","subresource":"status","apiGroup":"apps","namespace":"n"}"#;
        let trail = AuditTrail(vec![
            event("patch", "/x?dryRun=All", MAPS),
            event("list", "/x", MAPS),
            event("list", "/x", MAPS),
            event("update", "/x", status),
            event("get", "/version", "null"),
        ]);
        let lines: Vec<_> = trail.tally().into_iter().map(|(what, count)| format!("{count} {what}")).collect();
        assert_eq!(
            lines,
            [
                "1 get /version",
                "2 list configmaps in n",
                "1 patch configmaps in n (dry run)",
                "1 update deployments.apps/status in n"
            ]
        );
        assert_eq!(trail.of("list", "configmaps").len(), 2);
    }
}
