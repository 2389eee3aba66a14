//! What is written on one site is read on every other.

use std::time::{Duration, Instant};

use async_nats::StatusCode;
use async_trait::async_trait;
use futures::future::{join, join_all};
use harmony::modules::nats::proof::{KvReachesEverySite, SiteAccess};
use harmony::proof::{Evidence, Prover};
use harmony::provider::{Failure, ProviderError};
use harmony::run::{Looked, Run};
use serde::Deserialize;

use super::by_site::{on_site, told_as, worst};
use crate::bucket::stream_name;
use crate::client::NatsConnections;
use crate::connect::connect_patiently;
use crate::connection::{Connection, read};
use crate::jetstream::{ApiError, CallError};
use crate::way::Ways;

#[async_trait]
impl Prover<KvReachesEverySite> for NatsConnections {
    async fn prove(&self, run: &Run, proof: &KvReachesEverySite) -> Result<Evidence, ProviderError> {
        if proof.sites.is_empty() {
            return Err(ProviderError::refused(format!("failed to write to {}", proof.bucket), "there is no site to do it on"));
        }
        // Readers are clients of their own: what a writer's server would answer says nothing about the others.
        let ways = &self.shared.ways;
        let opened = join_all(proof.sites.iter().map(|site| join(open(run, ways, site), open(run, ways, site)))).await;
        let mut found = Found::default();
        let mut ends = Vec::new();
        for (site, (writer, reader)) in proof.sites.iter().zip(opened) {
            match (writer, reader) {
                (Ok(writer), Ok(reader)) => ends.push(End { site, writer, reader }),
                (Err(error), _) | (_, Err(error)) => found.failures.push(error),
            }
        }
        for from in &ends {
            try_from(run, proof, from, &ends, &mut found).await;
        }
        found.evidence(proof)
    }
}

/// A site that can be reached, with two clients there.
struct End<'a> {
    site: &'a SiteAccess,
    writer: Connection,
    reader: Connection,
}

#[derive(Default)]
struct Found {
    /// Where it was written and where that was read.
    directions: Vec<String>,
    longest: Duration,
    failures: Vec<ProviderError>,
}

impl Found {
    fn evidence(self, proof: &KvReachesEverySite) -> Result<Evidence, ProviderError> {
        let Self { directions, longest, failures } = self;
        let (sites, reads) = (proof.sites.len(), directions.len());
        let why = failures.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        match worst(failures.into_iter()) {
            None => {}
            Some(only) if sites == 1 => return Err(only),
            Some(worst) => {
                let works = if reads == 0 { String::new() } else { format!(" ({})", directions.join(", ")) };
                let all = sites * (sites - 1);
                let what = format!("bucket {} works in {reads} of {all} directions{works}", proof.bucket);
                return Err(told_as(worst, what, why));
            }
        }
        let who = proof.sites.first().map(|site| site.access.who.as_str()).unwrap_or_default();
        let how = format!(
            "{who} wrote {sites} keys to bucket {}, one on each site, and read them {reads} times elsewhere",
            proof.bucket
        );
        let measured = vec![format!("longest until read: {:.1} ms", longest.as_secs_f64() * 1000.0)];
        Ok(Evidence { checks: u32::try_from(reads).unwrap_or(u32::MAX), how, measured })
    }
}

/// Writes on one site, and reads on the others that can be reached; the only site reads what it wrote.
async fn try_from(run: &Run, proof: &KvReachesEverySite, from: &End<'_>, ends: &[End<'_>], found: &mut Found) {
    let written = match write(run, proof, from.site, &from.writer).await {
        Ok(written) => written,
        Err(error) => return found.failures.push(error),
    };
    let others = ends.iter().filter(|to| to.site.site != from.site.site || proof.sites.len() == 1);
    let reading = others.map(async |to| (to, wait_until_read(run, proof, &written, &to.reader, to.site).await));
    for (to, read) in join_all(reading).await {
        match read {
            Ok(took) => {
                found.longest = found.longest.max(took);
                found.directions.push(format!("{} to {}", from.site.site, to.site.site));
            }
            Err(error) => found.failures.push(error),
        }
    }
}

async fn open(run: &Run, ways: &Ways, site: &SiteAccess) -> Result<Connection, ProviderError> {
    connect_patiently(run, ways, &site.access).await.map_err(|error| on_site(error.into(), site))
}

struct Written<'a> {
    subject: String,
    value: String,
    site: &'a SiteAccess,
    acknowledged: Instant,
}

/// What a server answers to a write.
#[derive(Deserialize)]
struct Acknowledgement {
    error: Option<ApiError>,
}

async fn write<'a>(
    run: &Run,
    proof: &KvReachesEverySite,
    site: &'a SiteAccess,
    writer: &Connection,
) -> Result<Written<'a>, ProviderError> {
    let value = writer.inbox();
    // An inbox is unique in its last part, which may stand in a key.
    let unique = value.rsplit('.').next().unwrap_or_default();
    let subject = format!("$KV.{}.{}.{unique}", proof.bucket, site.site);
    let failed = |error: CallError| {
        let what = format!("failed to write `{subject}` as {}", writer.whereabouts());
        on_site(error.failed(what), site)
    };
    let answer = writer.ask(run, &subject, value.clone().into_bytes()).await.map_err(|error| failed(error.into()))?;
    let acknowledged = Instant::now();
    match read::<Acknowledgement>(&subject, &answer).map_err(|error| failed(error.into()))?.error {
        Some(error) => Err(failed(CallError::Api(error))),
        None => Ok(Written { subject, value, site, acknowledged }),
    }
}

/// How long after its acknowledgement what was written is read here.
async fn wait_until_read(
    run: &Run,
    proof: &KvReachesEverySite,
    written: &Written<'_>,
    reader: &Connection,
    site: &SiteAccess,
) -> Result<Duration, ProviderError> {
    let subject = format!("$JS.API.DIRECT.GET.{}.{}", stream_name(&proof.bucket), written.subject);
    let (bound, whereabouts) = (proof.within.as_duration(), reader.whereabouts());
    let what = format!("what was written on site {} to be read on site {}, as {whereabouts}", written.site.site, site.site);
    let bounded = run.within(bound.saturating_sub(written.acknowledged.elapsed()));
    let looking = bounded.wait_for(&what, || async {
        let answer = reader.ask(&bounded, &subject, Vec::new()).await;
        let answer =
            answer.map_err(|error| on_site(error.failed(format!("failed to read `{subject}` as {whereabouts}")), site))?;
        let took = written.acknowledged.elapsed();
        Ok(match answer.status {
            None if answer.payload.as_ref() == written.value.as_bytes() => Looked::Found(took),
            None => Looked::NotYet("the answer was another value".to_owned()),
            Some(StatusCode::NOT_FOUND) => Looked::NotYet("the answer was `not found`".to_owned()),
            Some(status) => Looked::NotYet(format!("the answer was status {status}")),
        })
    });
    let took = looking.await?;
    if took > bound {
        let why = format!("it was read after {} ms, and not within {}", took.as_millis(), proof.within);
        return Err(ProviderError::Refused(Failure::new(format!("failed to prove {what}"), why)));
    }
    Ok(took)
}
