//! Scores that say themselves what they need, handed to a site program whose machine was given no client of NATS.

use harmony::Scores;
use harmony::capability::NatsSupercluster;
use harmony::modules::nats::score::NatsSuperclusterScore;
use harmony::topology::Survey;
use harmony_local::LocalTopology;

fn scores<T: NatsSupercluster>() -> Scores<T> {
    Scores::default().with(NatsSuperclusterScore::new("nats").with_site("east", 2))
}

fn run<P: Survey>(_: P, _: Scores<P::Surveyed>) {}

fn main() {
    run(LocalTopology::new("laptop"), scores());
}
