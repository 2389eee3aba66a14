//! One secured NATS server on this machine: `cargo run -p nats_single_local -- apply`.

use std::process::ExitCode;

use harmony::modules::nats::score::{AccountWish, CredentialsScore, Grant, JetstreamScore, KvBucketScore, NatsScore, UserWish};
use harmony::{Inventory, Scores};
use harmony_local::LocalTopology;

fn main() -> ExitCode {
    let app = UserWish::new("app").with_grant(Grant::kv("settings").read_write());
    let scores = Scores::default()
        .with(NatsScore::new("nats"))
        .with(JetstreamScore::on("nats"))
        .with(CredentialsScore::on("nats").with_account(AccountWish::new("APP").with_user(app)))
        .with(KvBucketScore::on("nats", "APP", "settings"));
    harmony_cli::run(Inventory::empty(), LocalTopology::new("laptop").with_nats(harmony_nats::client()), scores)
}
