//! A proof that the place has nobody for.

use harmony::proof::Proof;
use harmony::topology::{Providers, Proves, Site, Topology};
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
struct OrbitIsStable;

impl Proof for OrbitIsStable {
    const KIND: &'static str = "orbit-is-stable/v1";

    fn claim(&self) -> String {
        "the orbit is stable".to_owned()
    }
}

/// Watches what is in orbit.
trait Observatory: Proves<OrbitIsStable> {}

impl Observatory for Moon {}

fn main() {}
