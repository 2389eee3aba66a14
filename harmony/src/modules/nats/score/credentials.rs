//! Accounts and users, the same on every site.

use harmony_types::ByteSize;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::grant::Grant;

/// Accounts and their users, identical on every server of every site, so that a client may fail over to any of them.
///
/// An account is the boundary between those who do not trust each other: nothing passes from one to another. What a user may do is said
/// by grants; the permissions on subjects are derived from them.
///
/// ```
/// use harmony::modules::nats::score::{AccountWish, CredentialsScore, Grant, UserWish};
///
/// let score = CredentialsScore::on("nats").with_account(
///     AccountWish::new("HARMONY").with_user(UserWish::new("agent").with_grant(Grant::kv("HARMONY").read_write())),
/// );
/// assert_eq!(serde_json::to_value(&score).unwrap()["accounts"][0]["users"][0]["name"], "agent");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[must_use]
pub struct CredentialsScore {
    pub(crate) system: String,
    pub(crate) accounts: Vec<AccountWish>,
}

/// An account: its limits and its users. Several Scores may speak of one account; what they say is put together.
///
/// ```
/// use harmony::modules::nats::score::AccountWish;
/// use harmony_types::ByteSize;
///
/// let account = AccountWish::new("HARMONY").with_max_file(ByteSize::gib(1)).with_max_streams(20);
/// assert_eq!(serde_json::to_value(&account).unwrap()["max_file"], "1GiB");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[must_use]
pub struct AccountWish {
    pub(crate) name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) max_memory: Option<ByteSize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) max_file: Option<ByteSize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) max_streams: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) max_consumers: Option<u64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) users: Vec<UserWish>,
}

/// A user of an account: how it proves who it is, and what it may do. Without grants it may only connect and ask who it is.
///
/// ```
/// use harmony::modules::nats::score::{Authentication, Grant, UserWish};
///
/// let user = UserWish::new("billing")
///     .with_authentication(Authentication::Password)
///     .with_grant(Grant::kv("HARMONY").below("billing").read_write())
///     .with_grant(Grant::publish("billing.>"));
/// assert_eq!(serde_json::to_value(&user).unwrap()["authentication"], "password");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[must_use]
pub struct UserWish {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) authentication: Authentication,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) grants: Vec<Grant>,
}

/// How a user proves who it is. Default: by an NKey.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Authentication {
    /// By an ed25519 key: the servers hold only its public half, and the seed never leaves the client.
    #[default]
    Nkey,
    /// By a generated password: the servers hold its bcrypt hash.
    Password,
}

impl CredentialsScore {
    /// Credentials of the system `system`, without accounts yet.
    pub fn on(system: &str) -> Self {
        Self { system: system.to_owned(), accounts: Vec::new() }
    }

    /// The same with an account.
    pub fn with_account(mut self, account: AccountWish) -> Self {
        self.accounts.push(account);
        self
    }

    /// What to tell it apart by in plans and errors.
    #[must_use]
    pub fn label(&self) -> String {
        format!("on {}", self.system)
    }
}

impl AccountWish {
    /// The account `name` (1 to 64 of `A-Z`, `a-z`, `0-9`, `_`, `-`), without limits and users. `SYS` is the system's own.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            max_memory: None,
            max_file: None,
            max_streams: None,
            max_consumers: None,
            users: Vec::new(),
        }
    }

    /// The same with so much memory for its streams, all replicas together.
    pub fn with_max_memory(mut self, size: ByteSize) -> Self {
        self.max_memory = Some(size);
        self
    }

    /// The same with so much disk for its streams, all replicas together.
    pub fn with_max_file(mut self, size: ByteSize) -> Self {
        self.max_file = Some(size);
        self
    }

    /// The same with so many streams (a bucket is one).
    pub fn with_max_streams(mut self, count: u64) -> Self {
        self.max_streams = Some(count);
        self
    }

    /// The same with so many consumers of each stream (a watch of a bucket is one).
    pub fn with_max_consumers(mut self, count: u64) -> Self {
        self.max_consumers = Some(count);
        self
    }

    /// The same with a user.
    pub fn with_user(mut self, user: UserWish) -> Self {
        self.users.push(user);
        self
    }
}

impl UserWish {
    /// The user `name` (1 to 64 of `A-Z`, `a-z`, `0-9`, `_`, `-`), who proves who it is by an NKey and has no grants.
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), authentication: Authentication::Nkey, grants: Vec::new() }
    }

    /// The same with another way to prove who it is.
    pub fn with_authentication(mut self, authentication: Authentication) -> Self {
        self.authentication = authentication;
        self
    }

    /// The same with one more grant.
    pub fn with_grant(mut self, grant: Grant) -> Self {
        self.grants.push(grant);
        self
    }
}
