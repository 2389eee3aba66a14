//! A machine that was given no client of NATS.

use harmony::Scores;
use harmony::modules::nats::score::{KvBucketScore, NatsScore, NatsSuperclusterScore};
use harmony_local::LocalPlace;

fn main() {
    let _: Scores<LocalPlace> = Scores::default().with(NatsScore::new("nats"));
    let _: Scores<LocalPlace> = Scores::default().with(KvBucketScore::on("nats", "HARMONY", "HARMONY"));
    let _: Scores<LocalPlace> = Scores::default().with(NatsSuperclusterScore::new("nats").with_site("east", 2));
}
