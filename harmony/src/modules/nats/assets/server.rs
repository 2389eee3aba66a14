//! A server's part in what all servers of a system hold together.

use std::fmt;

use harmony_types::{ServerName, SystemName};
use serde::{Deserialize, Serialize};

use super::limits::Nothing;
use crate::modules::nats::access::NatsAccess;
use crate::resource::Resource;

/// A server's membership in the JetStream of its system: it votes in the meta group, and may be given copies of streams. Taking it away hands
/// every copy over to another server first, and then strikes the server off the meta group, which would count it as lost otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerMembership {
    /// Which server.
    #[serde(flatten)]
    pub identity: MembershipIdentity,
}

/// What the world calls a membership.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct MembershipIdentity {
    /// The system.
    pub system: SystemName,
    /// The server.
    pub server: ServerName,
}

impl fmt::Display for MembershipIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}", self.server, self.system)
    }
}

impl Resource for ServerMembership {
    const KIND: &'static str = "nats-server-membership/v1";
    const NOUN: &'static str = "JetStream member";
    const ADOPTS: bool = true;
    const HANDS_OVER: bool = true;
    type Identity = MembershipIdentity;
    type Access = NatsAccess;
    type Outputs = Nothing;

    fn identity(&self) -> MembershipIdentity {
        self.identity.clone()
    }
}
