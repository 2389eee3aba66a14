//! What the real programs of this crate want.

use harmony::Scores;
use harmony::capability::NatsJetstream;
use harmony::modules::nats::score::{
    AccountWish, Authentication, CredentialsScore, Grant, JetstreamScore, KvBucketScore, NatsScore, StreamScore, UserWish,
};

/// One server with a bucket, a stream, and users of both sorts: every kind of resource that a machine hosts.
#[must_use]
pub fn one_server<T: NatsJetstream>() -> Scores<T> {
    let app = UserWish::new("app").with_grant(Grant::kv("settings").read_write());
    let web = UserWish::new("web").with_authentication(Authentication::Password).with_grant(Grant::stream("ORDERS").read());
    Scores::default()
        .with(NatsScore::new("nats"))
        .with(JetstreamScore::on("nats"))
        .with(CredentialsScore::on("nats").with_account(AccountWish::new("APP").with_user(app).with_user(web)))
        .with(KvBucketScore::on("nats", "APP", "settings"))
        .with(StreamScore::on("nats", "APP", "ORDERS").with_subject("orders.>"))
}

/// The name of the running binary, under which a site program keeps its state.
#[must_use]
pub fn run_name() -> String {
    let program = std::env::args_os().next().unwrap_or_default();
    let stem = std::path::Path::new(&program).file_stem().map(|stem| stem.to_string_lossy().into_owned());
    stem.unwrap_or_else(|| "crash".to_owned())
}
