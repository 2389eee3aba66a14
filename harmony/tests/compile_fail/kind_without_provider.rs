//! A kind that the place has no provider for.

use harmony::resource::Resource;
use harmony::topology::{Hosts, Providers, Site, Topology};
use harmony_types::PlaceName;
use serde::{Deserialize, Serialize};

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

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Satellite {
    name: String,
}

impl Resource for Satellite {
    const KIND: &'static str = "satellite/v1";
    const NOUN: &'static str = "satellite";
    type Identity = String;
    type Access = ();
    type Outputs = ();

    fn identity(&self) -> String {
        self.name.clone()
    }
}

/// Launches things into orbit.
trait LaunchPad: Hosts<Satellite> {}

impl LaunchPad for Moon {}

fn main() {}
