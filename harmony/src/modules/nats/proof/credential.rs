//! What is proven of a credential.

use harmony_types::{AccountName, SiteName, UserName};
use serde::{Deserialize, Serialize};

use crate::modules::nats::access::NatsAccess;
use crate::proof::Proof;
use crate::value::Text;

/// A credential on one site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteAccess {
    /// The site.
    pub site: SiteName,
    /// The credential, with the servers of that site that it is tried on: each of them.
    pub access: NatsAccess,
}

/// A credential connects to every server of every site, and lands in its own account and no other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialWorks {
    /// The user.
    pub user: UserName,
    /// The account it belongs to.
    pub account: AccountName,
    /// Where it is tried.
    pub sites: Vec<SiteAccess>,
}

impl Proof for CredentialWorks {
    const KIND: &'static str = "nats-credential-works/v1";

    fn claim(&self) -> String {
        format!("user {} connects on every server, into account {} and no other", self.user, self.account)
    }
}

/// A credential that worked once is refused by every server of every site, and nobody is connected with it any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialRefused {
    /// The user whose credential it was.
    pub user: UserName,
    /// The account of that user.
    pub account: AccountName,
    /// Where it is tried.
    pub sites: Vec<SiteAccess>,
    /// What the servers call those who are connected with it: a public key, or a name. Not given where others are called so too, so
    /// that nobody can tell who is connected with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_as: Option<Text>,
    /// How many servers have to say that nobody is.
    pub servers: usize,
    /// A user of the system account, who asks them.
    pub operator: NatsAccess,
}

impl Proof for CredentialRefused {
    const KIND: &'static str = "nats-credential-refused/v1";

    fn claim(&self) -> String {
        let connected = if self.known_as.is_some() { ", and nobody is connected with it" } else { "" };
        format!("the former credential of user {} of account {} is refused on every server{connected}", self.user, self.account)
    }
}

/// What a user may do works, and what it may not is refused, shown by requests that change nothing even where they are allowed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PermissionsHold {
    /// The user.
    pub user: UserName,
    /// The account it belongs to.
    pub account: AccountName,
    /// The probes.
    pub probes: Vec<Probe>,
    /// Where they are sent, on every site.
    pub sites: Vec<SiteAccess>,
}

/// One request that changes nothing, and whether the server should let it through.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    /// What it would do, for people: `delete bucket HARMONY`.
    pub what: String,
    /// The subject it is published to.
    pub subject: String,
    /// The body: one that the server refuses once the permission has been checked, or an empty one for a request that only reads.
    pub body: String,
    /// The sequence that the subject's last message would have to have, for probes that write: one that none can have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_last_sequence: Option<u64>,
    /// Whether it should be let through.
    pub expect: Expectation,
}

impl Probe {
    /// Whether somebody answers a request on its subject: flow control and acknowledgements are only listened to.
    #[must_use]
    pub fn is_answered(&self) -> bool {
        !["$JS.FC.", "$JS.ACK."].iter().any(|prefix| self.subject.starts_with(prefix))
    }
}

/// Whether the server should let a probe through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Expectation {
    /// It answers, be it with an error about the body.
    Allowed,
    /// It reports a permissions violation.
    Refused,
}

impl Proof for PermissionsHold {
    const KIND: &'static str = "nats-permissions-hold/v1";

    fn claim(&self) -> String {
        let allowed = self.probes.iter().filter(|probe| probe.expect == Expectation::Allowed).count();
        let refused = self.probes.len() - allowed;
        format!("user {} of account {} may do its {allowed} things and none of {refused} others", self.user, self.account)
    }
}
