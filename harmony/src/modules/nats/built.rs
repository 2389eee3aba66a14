//! What a NATS system has become, for those that stand on it.

use std::collections::BTreeMap;

use harmony_types::{AccountName, PlaceName, SiteName, UserName};

use super::access::{Credential, NatsAccess};
use super::permission::Right;
use super::proof::{Member, SiteAccess};
use super::score::KvAccess;
use super::spec::{SystemSpec, UserProof, UserRole, UserSpec};
use crate::address::Address;
use crate::capability::{CredentialFile, Listener};
use crate::text;
use crate::value::Text;

/// A NATS system, assembled from what all Scores say of it, and arranged on its places.
#[derive(Debug, Clone)]
pub struct BuiltSystem {
    pub(super) spec: SystemSpec,
    /// Whom clients trust.
    pub(super) trust: Text,
    pub(super) users: BTreeMap<UserKey, UserSecret>,
    pub(super) servers: Vec<BuiltServer>,
    /// What has passed when the system can be used.
    pub(super) ready: Vec<Address>,
}

pub(super) type UserKey = (AccountName, UserName);

/// What a user proves who it is with: its own half, and that of the servers.
#[derive(Debug, Clone)]
pub(super) struct UserSecret {
    /// What its clients are given.
    pub(super) credential: Credential,
    /// Each of them is taken by the servers.
    pub(super) proofs: Vec<UserProof>,
    /// What else works, and is to be proven to.
    pub(super) works: Option<Credential>,
    /// What does not work any more, and is to be proven not to.
    pub(super) refused: Option<FormerCredential>,
}

/// A credential that the servers took once.
#[derive(Debug, Clone)]
pub(super) struct FormerCredential {
    pub(super) credential: Credential,
    /// What servers call those who are connected with it, if they are called so alone.
    pub(super) known_as: Option<Text>,
}

/// A server of the system.
#[derive(Debug, Clone)]
pub(super) struct BuiltServer {
    pub(super) member: Member,
    /// The place that it stands on.
    pub(super) place: PlaceName,
    /// Where clients connect.
    pub(super) client: Listener,
    /// Where the program itself does.
    pub(super) reached: Text,
    /// What is ready when the server runs.
    pub(super) process: Address,
}

impl BuiltSystem {
    /// The validated model.
    #[must_use]
    pub fn spec(&self) -> &SystemSpec {
        &self.spec
    }

    /// How a user reaches those servers that `choose` chooses.
    pub(super) fn access(&self, user: &UserSpec, choose: impl Fn(&Member) -> bool) -> NatsAccess {
        let secret = self.secret(user);
        // Every user of the spec has one; a server refuses an empty one.
        let credential = secret.map_or_else(|| Credential::Nkey { seed: Text::from("") }, |secret| secret.credential.clone());
        self.access_with(user, credential, choose)
    }

    /// The same with another credential.
    fn access_with(&self, user: &UserSpec, credential: Credential, choose: impl Fn(&Member) -> bool) -> NatsAccess {
        NatsAccess {
            servers: self.servers.iter().filter(|server| choose(&server.member)).map(|server| server.reached.clone()).collect(),
            trust: self.trust.clone(),
            who: who(user),
            credential,
            inbox_prefix: user.inbox_prefix.clone(),
        }
    }

    /// How a user reaches each site.
    pub(super) fn site_accesses(&self, user: &UserSpec) -> Vec<SiteAccess> {
        let access = |site: &SiteName| self.access(user, |member| member.site == *site);
        self.spec.sites().iter().map(|site| SiteAccess { site: site.clone(), access: access(site) }).collect()
    }

    /// How a user reaches each site with another credential.
    pub(super) fn site_accesses_with(&self, user: &UserSpec, credential: &Credential) -> Vec<SiteAccess> {
        let access = |site: &SiteName| self.access_with(user, credential.clone(), |member| member.site == *site);
        self.spec.sites().iter().map(|site| SiteAccess { site: site.clone(), access: access(site) }).collect()
    }

    pub(super) fn secret(&self, user: &UserSpec) -> Option<&UserSecret> {
        self.users.get(&(user.account.clone(), user.name.clone()))
    }

    /// The users that Scores declare.
    pub(super) fn declared_users(&self) -> impl Iterator<Item = &UserSpec> {
        self.spec.users().filter(|user| user.role == UserRole::Declared)
    }

    /// The credential of a user for clients on `place`: they are told the servers there first.
    pub(super) fn credential(&self, user: &UserSpec, place: &PlaceName) -> CredentialFile {
        // Clients know the sites' own servers; those of the hub only hold what is copied.
        let hub = self.spec.hub().map(|hub| &hub.name);
        let known = self.servers.iter().filter(|server| Some(&server.member.cluster) != hub);
        let (here, elsewhere): (Vec<_>, Vec<_>) = known.partition(|server| server.place == *place);
        let near = here.into_iter().map(|server| &server.client.near);
        let endpoints = near.chain(elsewhere.into_iter().filter_map(|server| server.client.far.as_ref()));
        let servers = endpoints.map(|endpoint| text!["tls://", endpoint.text()]).collect();
        CredentialFile {
            system: self.spec.name().clone(),
            account: user.account.clone(),
            user: user.name.clone(),
            access: NatsAccess { servers, ..self.access(user, |_| false) },
            example: user.rights.iter().find_map(example).unwrap_or_else(|| "rtt".to_owned()),
        }
    }
}

/// A command of the `nats` program that this right allows.
fn example(right: &Right) -> Option<String> {
    match right {
        Right::Kv { bucket, access, .. } if *access != KvAccess::WriteOnly => Some(format!("kv ls {bucket}")),
        _ => None,
    }
}

pub(super) fn who(user: &UserSpec) -> String {
    format!("user {} of account {}", user.name, user.account)
}
