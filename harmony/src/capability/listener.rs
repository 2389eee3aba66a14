//! Where a server listens, and how it is dialled.

use std::net::IpAddr;

use harmony_types::{HostName, Port};

use crate::text;
use crate::value::{Text, Value};

/// Which listeners a server needs, and from where each of them is dialled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListenersWanted {
    /// For clients.
    pub client: Reach,
    /// For the other servers of its cluster, if there are any.
    pub cluster: Option<Reach>,
    /// For other clusters, if there are any.
    pub gateway: Option<Reach>,
}

/// From where something is dialled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// From its own place.
    Within,
    /// From other places too.
    Beyond,
}

/// Where something listens, and how it is dialled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// The address it listens on.
    pub host: HostName,
    /// Its port there.
    pub port: Value<Port>,
    /// How it is dialled on its own place.
    pub near: Endpoint,
    /// How it is dialled from everywhere else; `None` if nobody does.
    pub far: Option<Endpoint>,
}

impl Listener {
    /// What it says of itself to those who look for it.
    #[must_use]
    pub fn advertised(&self) -> &Endpoint {
        self.far.as_ref().unwrap_or(&self.near)
    }
}

/// What is dialled. Both may be known only later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// The host.
    pub host: Value<HostName>,
    /// The port.
    pub port: Value<Port>,
}

impl Endpoint {
    /// `host:port`. An IPv6 address that is known only later is not put into brackets: whoever has one gives it a name.
    #[must_use]
    pub fn text(&self) -> Text {
        match self.host.get().ok().and_then(HostName::address) {
            Some(IpAddr::V6(address)) => text![format!("[{address}]:"), &self.port],
            _ => text![&self.host, ":", &self.port],
        }
    }
}
