//! How to reach a NATS system with a credential.

use serde::{Deserialize, Serialize};

use crate::value::Text;

/// Servers of a system, and a credential for them. The values may be known later; the secret ones are marked by their references.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NatsAccess {
    /// `tls://host:port` of servers, any of which will do; the first that answers is used. `#PLACE` behind it says that the host is one of
    /// that place, to which a way of the program may lead: others may know their own hosts by the same name.
    pub servers: Vec<Text>,
    /// The certificate authorities that the servers' certificates are checked against, PEM, one after another.
    pub trust: Text,
    /// Who connects, for people: `user agent of account HARMONY`.
    pub who: String,
    /// What it connects with.
    pub credential: Credential,
    /// The prefix of the inboxes on which it gets its replies, without the final dot: `_INBOX_agent`.
    pub inbox_prefix: String,
}

/// What a client proves who it is with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Credential {
    /// An NKey: the seed (`SU…`) signs the server's nonce and never leaves the client.
    Nkey {
        /// The seed.
        seed: Text,
    },
    /// A user name and a password.
    Password {
        /// The user's name.
        user: Text,
        /// The password, in clear; the server holds only its hash.
        password: Text,
    },
}
