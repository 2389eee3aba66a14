//! What an account holds as a whole, so that it is not taken away with what others have put into it.

use std::fmt;

use harmony_types::{AccountName, SystemName};
use serde::{Deserialize, Serialize};

use super::limits::Nothing;
use crate::modules::nats::access::NatsAccess;
use crate::resource::{Loss, Resource};

/// The contents of an account: it holds every stream in it that Harmony has not made. The account itself is a part of the servers'
/// configuration; this stands for what would go with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountContents {
    /// Which account.
    #[serde(flatten)]
    pub identity: AccountIdentity,
}

/// What the world calls an account.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AccountIdentity {
    /// The system it is in.
    pub system: SystemName,
    /// Its name.
    pub account: AccountName,
}

impl fmt::Display for AccountIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}", self.account, self.system)
    }
}

impl Resource for AccountContents {
    const KIND: &'static str = "nats-account-contents/v1";
    const NOUN: &'static str = "contents of account";
    const LOSS: Loss = Loss::Data;
    const ADOPTS: bool = true;
    type Identity = AccountIdentity;
    type Access = NatsAccess;
    type Outputs = Nothing;

    fn identity(&self) -> AccountIdentity {
        self.identity.clone()
    }
}
