//! Three NATS sites joined by mutually authenticated gateways, JetStream, a dedicated account, minted credentials, and a bucket with a
//! copy on every site. Nothing here says where it runs.

use harmony::Scores;
use harmony::capability::NatsSupercluster;
use harmony::modules::nats::score::{
    AccountWish, CredentialsScore, Grant, JetstreamScore, KvBucketScore, NatsSuperclusterScore, UserWish,
};

/// The system that all Scores speak of.
pub const SYSTEM: &str = "nats";
/// The account that owns the data.
pub const ACCOUNT: &str = "HARMONY";
/// The bucket.
pub const BUCKET: &str = "HARMONY";

/// What should be true, on any place that has sites for a NATS supercluster.
#[must_use]
pub fn scores<T: NatsSupercluster>() -> Scores<T> {
    let agent = UserWish::new("agent").with_grant(Grant::kv(BUCKET).read_write());
    let auditor = UserWish::new("auditor").with_grant(Grant::kv(BUCKET).read());
    Scores::default()
        .with(NatsSuperclusterScore::new(SYSTEM).with_site("east", 2).with_site("north", 2).with_site("west", 2))
        .with(JetstreamScore::on(SYSTEM))
        .with(CredentialsScore::on(SYSTEM).with_account(AccountWish::new(ACCOUNT).with_user(agent).with_user(auditor)))
        .with(KvBucketScore::on(SYSTEM, ACCOUNT, BUCKET))
}
