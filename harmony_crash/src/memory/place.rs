//! This machine, with everything that it would hold in memory.

use std::sync::Arc;

use harmony::modules::secret::{GeneratedSecret, PasswordHash};
use harmony::modules::tls::{Authority, Certificate};
use harmony::provider::Provider;
use harmony::topology::{Hosts, Providers, Site, Survey, Topology};
use harmony_local::kind::{LocalDirectory, LocalFile, LocalPort};
use harmony_local::nats::{NatsServerBinary, NatsServerDirectory, NatsServerProcess, NatsStore};
use harmony_local::{LocalFacts, LocalPlace, LocalTopology, Program, WithNats};
use harmony_types::PlaceName;

use super::client::MemoryClient;
use super::kinds::MemoryKind;
use super::provider::MemoryProvider;
use super::things::Things;

/// Arranges as the machine does. Of two providers for one kind and place the first one counts, and those in memory come first.
pub(super) struct MemoryPlace {
    pub(super) machine: LocalPlace<WithNats>,
    things: Things,
}

impl MemoryPlace {
    pub(super) fn new(site: &Site, things: &Things) -> Self {
        let version = "2.15.1".parse().expect("a version");
        let facts = LocalFacts { nats_server: Some(Program::Pinned { version }) };
        let machine = LocalTopology::new("laptop").with_nats(MemoryClient(things.clone()));
        Self { machine: machine.with_facts(site, facts).expect("a place"), things: things.clone() }
    }
}

impl Topology for MemoryPlace {
    fn name(&self) -> &PlaceName {
        self.machine.name()
    }

    fn site(&self) -> &Site {
        self.machine.site()
    }

    fn register(&self, providers: &mut Providers) {
        providers.host::<LocalFile>(self);
        providers.host::<LocalDirectory>(self);
        providers.host::<LocalPort>(self);
        providers.host::<GeneratedSecret>(self);
        providers.host::<PasswordHash>(self);
        providers.host::<Authority>(self);
        providers.host::<Certificate>(self);
        providers.host::<NatsServerBinary>(self);
        providers.host::<NatsServerDirectory>(self);
        providers.host::<NatsStore>(self);
        providers.host::<NatsServerProcess>(self);
        self.machine.register(providers);
    }
}

impl<R: MemoryKind> Hosts<R> for MemoryPlace {
    fn provider(&self) -> Arc<dyn Provider<R>> {
        Arc::new(MemoryProvider::<R>::new(&self.things))
    }
}
