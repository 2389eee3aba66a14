//! A place that keeps secrets nowhere, for what needs them.

use harmony::capability::KeepsSecrets;
use harmony::topology::{Providers, Site, Topology};
use harmony_types::PlaceName;

struct Moon;

impl Topology for Moon {
    fn name(&self) -> &PlaceName {
        unreachable!()
    }

    fn site(&self) -> &Site {
        unreachable!()
    }

    fn register(&self, _: &mut Providers) {}
}

fn arrange(_: &impl KeepsSecrets) {}

fn main() {
    arrange(&Moon);
}
