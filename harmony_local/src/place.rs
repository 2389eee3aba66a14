//! This machine, looked at: what it hosts.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use harmony::modules::nats::client::{MayHaveNats, NatsClient, WithNats, WithoutNats};
use harmony::modules::nats::hosting::{HasNatsClient, register_nats};
use harmony::modules::nats::spec::LogLevel;
use harmony::modules::secret::hosting::{UsesSecretStore, register_secrets};
use harmony::provider::Provider;
use harmony::topology::{Hosts, Providers, Site, Topology};
use harmony_types::{HostName, PlaceName};
use semver::Version;
use serde::{Deserialize, Serialize};

use crate::kind::{Directories, Files, LocalDirectory, LocalFile, LocalPort, Ports};
use crate::nats::{Binaries, NatsServerBinary, NatsServerDirectory, NatsServerProcess, NatsStore, Supervisor};
use crate::nats_server::Search;
use crate::topology::Monitoring;

/// This machine, with its capabilities.
pub struct LocalPlace<N: MayHaveNats = WithoutNats> {
    pub(crate) name: PlaceName,
    pub(crate) site: Site,
    pub(crate) listen: HostName,
    pub(crate) advertise: Option<HostName>,
    pub(crate) monitoring: Monitoring,
    pub(crate) log: LogLevel,
    pub(crate) program: Option<Program>,
    pub(crate) ready_within: Duration,
    pub(crate) nats: N,
    pub(crate) search: Search,
    pub(crate) ports: Arc<Ports>,
}

/// Which nats-server program a machine has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Program {
    /// One that was installed by others.
    Here {
        /// Where.
        path: PathBuf,
        /// Its version.
        version: Version,
    },
    /// The pinned one, in the user's cache, or to be put there.
    Pinned {
        /// Its version.
        version: Version,
    },
}

impl<N: MayHaveNats> LocalPlace<N> {
    /// What the machine hosts with or without NATS.
    fn register_own(&self, providers: &mut Providers)
    where
        Self: Topology,
    {
        providers.host::<LocalFile>(self);
        providers.host::<LocalDirectory>(self);
        providers.host::<LocalPort>(self);
        register_secrets(self, providers);
    }
}

impl Topology for LocalPlace<WithoutNats> {
    fn name(&self) -> &PlaceName {
        &self.name
    }

    fn site(&self) -> &Site {
        &self.site
    }

    fn register(&self, providers: &mut Providers) {
        self.register_own(providers);
    }
}

impl Topology for LocalPlace<WithNats> {
    fn name(&self) -> &PlaceName {
        &self.name
    }

    fn site(&self) -> &Site {
        &self.site
    }

    fn register(&self, providers: &mut Providers) {
        self.register_own(providers);
        providers.host::<NatsServerBinary>(self);
        providers.host::<NatsServerDirectory>(self);
        providers.host::<NatsStore>(self);
        providers.host::<NatsServerProcess>(self);
        register_nats(self, providers);
    }
}

/// What any machine hosts.
macro_rules! hosts {
    ($($kind:ty => |$place:ident| $provider:expr;)*) => {
        $(impl<N: MayHaveNats> Hosts<$kind> for LocalPlace<N>
        where
            Self: Topology,
        {
            fn provider(&self) -> Arc<dyn Provider<$kind>> {
                let $place = self;
                $provider
            }
        })*
    };
}

hosts! {
    LocalFile => |_place| Arc::new(Files);
    LocalDirectory => |_place| Arc::new(Directories);
    LocalPort => |place| place.ports.clone();
}

impl<N: MayHaveNats> UsesSecretStore for LocalPlace<N> where Self: Topology {}

/// What a machine with a client of NATS hosts besides.
macro_rules! hosts_with_nats {
    ($($kind:ty => |$place:ident| $provider:expr;)*) => {
        $(impl Hosts<$kind> for LocalPlace<WithNats> {
            fn provider(&self) -> Arc<dyn Provider<$kind>> {
                let $place = self;
                $provider
            }
        })*
    };
}

hosts_with_nats! {
    NatsServerBinary => |place| Arc::new(Binaries { search: place.search.clone() });
    NatsServerDirectory => |_place| Arc::new(Directories);
    NatsStore => |_place| Arc::new(Directories);
    NatsServerProcess => |place| Arc::new(Supervisor::new(place.nats_client(), place.ready_within));
}

impl HasNatsClient for LocalPlace<WithNats> {
    fn nats_client(&self) -> Arc<dyn NatsClient> {
        self.nats.0.clone()
    }
}
