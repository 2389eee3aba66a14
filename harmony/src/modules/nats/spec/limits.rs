//! Whether what is reserved fits.

use harmony_types::{AccountName, ByteSize, ClusterName};

use super::holdings::Ground;
use super::rule::Rule;
use super::system::{BucketSpec, StreamSpec};
use crate::error::ArrangeError;
use crate::modules::nats::assets::{Replicas, Storage};
use crate::origin::Origin;

/// What a bucket or stream reserves.
struct Reserved<'a> {
    what: String,
    account: &'a AccountName,
    cluster: Option<&'a ClusterName>,
    storage: Storage,
    size: u64,
    replicas: Replicas,
    origin: &'a Origin,
}

impl Reserved<'_> {
    fn in_all(&self) -> u64 {
        self.size.saturating_mul(u64::from(self.replicas.count()))
    }
}

/// Refuses what reserves more than its account may hold, or than its servers can.
pub(super) fn check_limits(buckets: &[BucketSpec], streams: &[StreamSpec], ground: &Ground<'_>) -> Result<(), ArrangeError> {
    let reserved = reserved(buckets, streams);
    check_accounts(&reserved, ground)?;
    check_servers(&reserved, ground)
}

fn check_accounts(reserved: &[Reserved<'_>], ground: &Ground<'_>) -> Result<(), ArrangeError> {
    for account in ground.accounts {
        let all: Vec<_> = reserved.iter().filter(|each| *each.account == account.name).collect();
        let whose = format!("account {}", account.name);
        for (storage, limit) in [(Storage::File, account.limits.max_file), (Storage::Memory, account.limits.max_memory)] {
            check_sum(&all, storage, limit.map(ByteSize::as_bytes), &whose)?;
        }
        let count = u64::try_from(all.len()).unwrap_or(u64::MAX);
        if let Some(limit) = account.limits.max_streams.filter(|limit| count > *limit) {
            let origins: Vec<&Origin> = all.iter().map(|each| each.origin).collect();
            return Err(Rule::LimitsFit.refuse(
                format!("{whose} may hold {limit} stream(s), and {count} are declared in it"),
                &origins,
                "raise the account's `with_max_streams`",
            ));
        }
    }
    Ok(())
}

fn check_servers(reserved: &[Reserved<'_>], ground: &Ground<'_>) -> Result<(), ArrangeError> {
    let Some(jetstream) = ground.jetstream else { return Ok(()) };
    for cluster in ground.clusters {
        let here = |each: &&Reserved<'_>| each.cluster.is_none_or(|name| *name == cluster.name);
        let all: Vec<_> = reserved.iter().filter(here).collect();
        let servers = u64::try_from(cluster.servers.len()).unwrap_or(u64::MAX);
        for (storage, limit) in [(Storage::File, jetstream.max_file), (Storage::Memory, jetstream.max_memory)] {
            let limit = limit.map(|limit| limit.as_bytes().saturating_mul(servers));
            check_sum(&all, storage, limit, &format!("cluster {}", cluster.name))?;
        }
    }
    Ok(())
}

fn check_sum(all: &[&Reserved<'_>], storage: Storage, limit: Option<u64>, whose: &str) -> Result<(), ArrangeError> {
    let Some(limit) = limit else { return Ok(()) };
    let these: Vec<_> = all.iter().filter(|each| each.storage == storage && each.size > 0).collect();
    let sum = these.iter().fold(0_u64, |sum, each| sum.saturating_add(each.in_all()));
    if sum <= limit {
        return Ok(());
    }
    let named: Vec<String> = these.iter().map(|each| format!("{} {}", each.what, ByteSize::bytes(each.in_all()))).collect();
    let origins: Vec<&Origin> = these.iter().map(|each| each.origin).collect();
    Err(Rule::LimitsFit.refuse(
        format!(
            "{whose} may hold {} and {} are reserved in it, all copies together: {}",
            ByteSize::bytes(limit),
            ByteSize::bytes(sum),
            named.join(", ")
        ),
        &origins,
        "raise the limit, or lower `with_max_size`",
    ))
}

fn reserved<'a>(buckets: &'a [BucketSpec], streams: &'a [StreamSpec]) -> Vec<Reserved<'a>> {
    let of_bucket = |spec: &'a BucketSpec| Reserved {
        what: format!("bucket {}", spec.bucket.identity.bucket),
        account: &spec.bucket.identity.account,
        cluster: spec.bucket.cluster.as_ref(),
        storage: spec.bucket.storage,
        size: spec.bucket.max_size.map_or(0, ByteSize::as_bytes),
        replicas: spec.bucket.replicas,
        origin: &spec.origin,
    };
    let of_stream = |spec: &'a StreamSpec| Reserved {
        what: format!("stream {}", spec.stream.identity.stream),
        account: &spec.stream.identity.account,
        cluster: spec.stream.cluster.as_ref(),
        storage: spec.stream.storage,
        size: spec.stream.max_size.map_or(0, ByteSize::as_bytes),
        replicas: spec.stream.replicas,
        origin: &spec.origin,
    };
    buckets.iter().map(of_bucket).chain(streams.iter().map(of_stream)).collect()
}
