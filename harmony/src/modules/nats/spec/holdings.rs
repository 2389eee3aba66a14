//! Buckets and streams, from what Scores say of them.

use std::fmt::Display;

use harmony_types::{AccountName, BucketName, ByteSize, NonBlank, SystemName, TimeSpan};

use super::accounts::Declared;
use super::jetstream::{JetstreamSettings, above_zero, milliseconds};
use super::names::{PROOF_BUCKET, SYSTEM_ACCOUNT, free_bucket, free_stream, name};
use super::placement::{Wanted, place, survives};
use super::rule::Rule;
use super::subject::{is_application, overlap};
use super::system::{BucketSpec, ClusterSpec, StreamSpec};
use crate::error::ArrangeError;
use crate::modules::nats::assets::{BucketIdentity, Compression, History, KvBucket, Storage, Stream, StreamIdentity};
use crate::modules::nats::score::{KvBucketScore, Losses, StreamScore};
use crate::origin::Origin;
use crate::stage::Contribution;

/// What buckets and streams stand on.
pub(super) struct Ground<'a> {
    pub(super) system: &'a SystemName,
    pub(super) clusters: &'a [ClusterSpec],
    pub(super) jetstream: Option<&'a JetstreamSettings>,
    pub(super) accounts: &'a [Declared],
}

impl Ground<'_> {
    /// The account `text`, which must be able to hold `what`.
    fn account(&self, text: &str, what: &dyn Display, origin: &Origin) -> Result<AccountName, ArrangeError> {
        let account: AccountName = name(text, &[origin])?;
        if account.as_str() == SYSTEM_ACCOUNT {
            return Err(Rule::SystemAccountHoldsNothing.refuse(
                format!("{what} would be in account {account}, the servers' own"),
                &[origin],
                "put it into an account of your own",
            ));
        }
        if self.jetstream.is_none() {
            return Err(Rule::JetstreamDeclared.refuse(
                format!("{what} needs JetStream, which system {} does not have", self.system),
                &[origin],
                "add `JetstreamScore::on`; where streams hold data JetStream is not switched off",
            ));
        }
        if !self.accounts.iter().any(|declared| declared.name == account) {
            return Err(Rule::AccountDeclared.refuse(
                format!("{what} is in account {account}, which no Score declares"),
                &[origin],
                "declare the account by `CredentialsScore`; an account that holds buckets or streams is not taken away before them",
            ));
        }
        Ok(account)
    }

    fn unique_tag(&self) -> Option<&str> {
        self.jetstream.and_then(|settings| settings.unique_tag.as_deref())
    }
}

/// The buckets that Scores declare, without those for proofs.
pub(super) fn buckets(said: &[Contribution<KvBucketScore>], ground: &Ground<'_>) -> Result<Vec<BucketSpec>, ArrangeError> {
    said.iter().map(|each| bucket(&each.fragment, &each.origin, ground)).collect()
}

fn bucket(score: &KvBucketScore, origin: &Origin, ground: &Ground<'_>) -> Result<BucketSpec, ArrangeError> {
    let bucket: BucketName = name(&score.bucket, &[origin])?;
    free_bucket(bucket.as_str(), &[origin])?;
    let what = format!("bucket {bucket} of account {}", score.account);
    let account = ground.account(&score.account, &what, origin)?;
    let limits = [
        ("max_size", score.max_size.map(ByteSize::as_bytes)),
        ("max_value_size", score.max_value_size.map(ByteSize::as_bytes)),
        ("ttl", score.ttl.map(milliseconds)),
    ];
    above_zero(&what, limits, origin)?;
    let history = History::new(score.history.unwrap_or(1)).map_err(|error| {
        Rule::HistoryLength.refuse(format!("{what} is to keep {} values of a key", error.given), &[origin], "use 1 to 64")
    })?;
    let description = description(score.description.as_deref(), origin)?;
    let wanted = Wanted { what, replication: score.replication, site: score.site.as_deref(), storage: score.storage, origin };
    let placed = place(&wanted, ground.clusters, ground.unique_tag())?;
    Ok(BucketSpec {
        survives: survives(&wanted, &placed),
        may_be_lost: score.losses == Losses::Allowed,
        is_for_proofs: false,
        origin: origin.clone(),
        bucket: KvBucket {
            identity: BucketIdentity { system: ground.system.clone(), account, bucket },
            description,
            history,
            ttl: score.ttl,
            max_value_size: score.max_value_size,
            max_size: score.max_size,
            storage: score.storage,
            replicas: placed.replicas,
            cluster: placed.cluster_name(),
            compression: score.compression,
            deviations: Default::default(),
        },
    })
}

/// The streams that Scores declare.
pub(super) fn streams(said: &[Contribution<StreamScore>], ground: &Ground<'_>) -> Result<Vec<StreamSpec>, ArrangeError> {
    let streams: Vec<StreamSpec> =
        said.iter().map(|each| stream(&each.fragment, &each.origin, ground)).collect::<Result<_, _>>()?;
    check_disjoint(&streams)?;
    Ok(streams)
}

fn stream(score: &StreamScore, origin: &Origin, ground: &Ground<'_>) -> Result<StreamSpec, ArrangeError> {
    let stream: harmony_types::StreamName = name(&score.stream, &[origin])?;
    free_stream(stream.as_str(), &[origin])?;
    let what = format!("stream {stream} of account {}", score.account);
    let account = ground.account(&score.account, &what, origin)?;
    check_stream(score, &what, origin)?;
    let description = description(score.description.as_deref(), origin)?;
    let wanted = Wanted { what, replication: score.replication, site: score.site.as_deref(), storage: score.storage, origin };
    let placed = place(&wanted, ground.clusters, ground.unique_tag())?;
    Ok(StreamSpec {
        survives: survives(&wanted, &placed),
        may_be_lost: score.losses == Losses::Allowed,
        origin: origin.clone(),
        stream: Stream {
            identity: StreamIdentity { system: ground.system.clone(), account, stream },
            description,
            subjects: score.subjects.clone(),
            retention: score.retention,
            discard: score.discard,
            max_messages: score.max_messages,
            max_messages_per_subject: score.max_messages_per_subject,
            max_size: score.max_size,
            max_age: score.max_age,
            max_message_size: score.max_message_size,
            duplicate_window: score.duplicate_window,
            storage: score.storage,
            replicas: placed.replicas,
            cluster: placed.cluster_name(),
            compression: score.compression,
            deviations: Default::default(),
        },
    })
}

fn check_stream(score: &StreamScore, what: &str, origin: &Origin) -> Result<(), ArrangeError> {
    let limits = [
        ("max_messages", score.max_messages),
        ("max_messages_per_subject", score.max_messages_per_subject),
        ("max_size", score.max_size.map(ByteSize::as_bytes)),
        ("max_message_size", score.max_message_size.map(ByteSize::as_bytes)),
        ("max_age", score.max_age.map(milliseconds)),
        ("duplicate_window", score.duplicate_window.map(milliseconds)),
    ];
    above_zero(what, limits, origin)?;
    if score.subjects.is_empty() {
        let advice = "give it subjects by `with_subject`";
        return Err(Rule::StreamSubjects.refuse(format!("{what} keeps no subject"), &[origin], advice));
    }
    if let Some(subject) = score.subjects.iter().find(|subject| !is_application(subject)) {
        return Err(Rule::StreamSubjects.refuse(
            format!("{what} would keep the subject `{subject}`"),
            &[origin],
            "begin a subject with a word, not with `$`, `_INBOX` or a wildcard; `>` stands at the end only",
        ));
    }
    match (score.duplicate_window, score.max_age) {
        (Some(window), Some(age)) if window > age => Err(Rule::DuplicateWindow.refuse(
            format!("{what} would remember message ids for {window}, and keep messages for {age}"),
            &[origin],
            "shorten the duplicate window, or keep messages for longer",
        )),
        _ => Ok(()),
    }
}

fn check_disjoint(streams: &[StreamSpec]) -> Result<(), ArrangeError> {
    for (at, one) in streams.iter().enumerate() {
        let same_account = |other: &&StreamSpec| other.stream.identity.account == one.stream.identity.account;
        for other in streams[at + 1..].iter().filter(same_account) {
            let pairs = one.stream.subjects.iter().flat_map(|a| other.stream.subjects.iter().map(move |b| (a, b)));
            if let Some((a, b)) = pairs.into_iter().find(|(a, b)| overlap(a, b)) {
                return Err(Rule::SubjectsDisjoint.refuse(
                    format!(
                        "streams {} and {} of account {} overlap by `{a}` and `{b}`",
                        one.stream.identity.stream, other.stream.identity.stream, one.stream.identity.account
                    ),
                    &[&one.origin, &other.origin],
                    "narrow the subjects of one of them",
                ));
            }
        }
    }
    Ok(())
}

fn description(text: Option<&str>, origin: &Origin) -> Result<Option<NonBlank>, ArrangeError> {
    text.map(|text| name(text, &[origin])).transpose()
}

/// The bucket for proofs of each account that has buckets: where its most widely copied one is.
pub(super) fn proof_buckets(buckets: &[BucketSpec]) -> Result<Vec<BucketSpec>, ArrangeError> {
    let mut proofs: Vec<BucketSpec> = Vec::new();
    for spec in buckets {
        let wider = |than: &BucketSpec| spec.bucket.replicas > than.bucket.replicas;
        match proofs.iter_mut().find(|proof| proof.bucket.identity.account == spec.bucket.identity.account) {
            Some(proof) if wider(proof) => *proof = proof_bucket(spec)?,
            Some(_) => {}
            None => proofs.push(proof_bucket(spec)?),
        }
    }
    Ok(proofs)
}

fn proof_bucket(like: &BucketSpec) -> Result<BucketSpec, ArrangeError> {
    let bucket: BucketName = name(PROOF_BUCKET, &[&like.origin])?;
    Ok(BucketSpec {
        survives: like.survives.clone(),
        may_be_lost: true,
        is_for_proofs: true,
        origin: like.origin.clone(),
        bucket: KvBucket {
            identity: BucketIdentity { bucket, ..like.bucket.identity.clone() },
            description: description(Some("what Harmony's proofs write"), &like.origin)?,
            history: History::default(),
            ttl: Some(TimeSpan::minutes(5)),
            max_value_size: None,
            max_size: Some(ByteSize::mib(1)),
            storage: Storage::File,
            replicas: like.bucket.replicas,
            cluster: like.bucket.cluster.clone(),
            compression: Compression::Off,
            deviations: Default::default(),
        },
    })
}
