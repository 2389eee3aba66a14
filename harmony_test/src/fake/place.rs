//! The place whose things exist only in memory.

use std::sync::Arc;

use harmony::proof::Prover;
use harmony::provider::Provider;
use harmony::topology::{Hosts, Proves, Providers, Site, Topology};
use harmony_types::PlaceName;

use super::kinds::{FakeGarden, FakeKind, FakeNamespace, FakePort, FakeRoom, FakeSecret, FakeStore, FakeThing};
use super::proof::{FakeProof, FakeProver};
use super::provider::FakeProvider;
use super::world::World;
use crate::file::{FileOnDisk, FilesOnDisk};

/// Hosts every fake kind, and real files.
pub struct FakePlace {
    name: PlaceName,
    site: Site,
    world: World,
    is_of_this_machine: bool,
}

impl FakePlace {
    /// A place over `world`.
    #[must_use]
    pub fn new(name: PlaceName, site: &Site, world: &World) -> Self {
        Self { name, site: site.clone(), world: world.clone(), is_of_this_machine: true }
    }

    /// The same, not bound to the machine on which the program runs.
    #[must_use]
    pub fn reached_from_anywhere(self) -> Self {
        Self { is_of_this_machine: false, ..self }
    }
}

impl Topology for FakePlace {
    fn name(&self) -> &PlaceName {
        &self.name
    }

    fn site(&self) -> &Site {
        &self.site
    }

    fn register(&self, providers: &mut Providers) {
        providers.host::<FakeThing>(self);
        providers.host::<FakeStore>(self);
        providers.host::<FakeSecret>(self);
        providers.host::<FakeRoom>(self);
        providers.host::<FakeGarden>(self);
        providers.host::<FakePort>(self);
        providers.host::<FakeNamespace>(self);
        providers.host::<FileOnDisk>(self);
    }

    fn is_of_this_machine(&self) -> bool {
        self.is_of_this_machine
    }
}

impl<R: FakeKind> Hosts<R> for FakePlace {
    fn provider(&self) -> Arc<dyn Provider<R>> {
        Arc::new(FakeProvider::new(&self.world))
    }
}

impl Hosts<FileOnDisk> for FakePlace {
    fn provider(&self) -> Arc<dyn Provider<FileOnDisk>> {
        Arc::new(FilesOnDisk)
    }
}

impl Proves<FakeProof> for FakePlace {
    fn prover(&self) -> Arc<dyn Prover<FakeProof>> {
        Arc::new(FakeProver(self.world.clone()))
    }
}
