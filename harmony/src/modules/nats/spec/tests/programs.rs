//! Programs that tests stand on.

use harmony_types::{ByteSize, TimeSpan};

use super::super::{NatsFragment, SystemSpec, assemble};
use crate::error::ArrangeError;
use crate::modules::nats::score::{
    AccountWish, Authentication, CredentialsScore, Grant, JetstreamScore, KvBucketScore, NatsScore, NatsSuperclusterScore,
    StreamScore, UserWish,
};
use crate::origin::Origin;
use crate::stage::Contribution;

/// The fragments, each with a line of its own.
pub(super) fn said(fragments: Vec<NatsFragment>) -> Vec<Contribution<NatsFragment>> {
    let origin = |line: usize| Origin::new("score", "main.rs", u32::try_from(line).unwrap());
    fragments.into_iter().enumerate().map(|(at, fragment)| Contribution { origin: origin(at + 1), fragment }).collect()
}

/// What the fragments become.
pub(super) fn assembled(fragments: Vec<NatsFragment>) -> Result<SystemSpec, ArrangeError> {
    assemble("nats", said(fragments))
}

/// Three sites with a hub, JetStream, an account with users, a bucket and a stream.
pub(super) fn main_job() -> Vec<NatsFragment> {
    vec![
        NatsSuperclusterScore::new("nats").with_site("east", 2).with_site("west", 2).with_site("north", 2).into(),
        JetstreamScore::on("nats").with_max_file(ByteSize::gib(1)).into(),
        JetstreamScore::on("nats").with_max_memory(ByteSize::mib(64)).into(),
        CredentialsScore::on("nats")
            .with_account(
                AccountWish::new("HARMONY")
                    .with_max_file(ByteSize::mib(512))
                    .with_user(UserWish::new("agent").with_grant(Grant::kv("HARMONY").read_write()))
                    .with_user(
                        UserWish::new("billing")
                            .with_authentication(Authentication::Password)
                            .with_grant(Grant::stream("ORDERS").consume("billing"))
                            .with_grant(Grant::publish("billing.>")),
                    ),
            )
            .into(),
        KvBucketScore::on("nats", "HARMONY", "HARMONY").with_history(5).with_max_size(ByteSize::mib(64)).into(),
        StreamScore::on("nats", "HARMONY", "ORDERS")
            .with_subject("orders.>")
            .with_max_age(TimeSpan::hours(24))
            .at_site("east")
            .into(),
    ]
}

/// One cluster of `servers` with JetStream and the account HARMONY.
pub(super) fn cluster_of(servers: u8) -> Vec<NatsFragment> {
    vec![
        NatsScore::new("nats").with_servers(servers).into(),
        JetstreamScore::on("nats").into(),
        account(AccountWish::new("HARMONY")),
    ]
}

pub(super) fn account(wish: AccountWish) -> NatsFragment {
    CredentialsScore::on("nats").with_account(wish).into()
}

pub(super) fn user(wish: UserWish) -> NatsFragment {
    account(AccountWish::new("HARMONY").with_user(wish))
}

pub(super) fn bucket() -> KvBucketScore {
    KvBucketScore::on("nats", "HARMONY", "HARMONY")
}

pub(super) fn with(mut fragments: Vec<NatsFragment>, more: impl IntoIterator<Item = NatsFragment>) -> Vec<NatsFragment> {
    fragments.extend(more);
    fragments
}
