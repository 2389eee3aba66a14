//! A place of the user's own, which says nothing of NATS.

use harmony::Scores;
use harmony::modules::nats::score::NatsScore;
use harmony::topology::{Providers, Site, Topology};
use harmony_types::PlaceName;

struct Shelf;

impl Topology for Shelf {
    fn name(&self) -> &PlaceName {
        unreachable!()
    }

    fn site(&self) -> &Site {
        unreachable!()
    }

    fn register(&self, _: &mut Providers) {}
}

fn main() {
    let _: Scores<Shelf> = Scores::default().with(NatsScore::new("nats"));
}
