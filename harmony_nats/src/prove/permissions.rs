//! What a user may do works, and nothing else.

use std::collections::BTreeMap;
use std::time::Duration;

use async_nats::{HeaderMap, StatusCode, Subscriber};
use async_trait::async_trait;
use futures::StreamExt;
use futures::future::join_all;
use harmony::modules::nats::proof::{Expectation, PermissionsHold, Probe, SiteAccess};
use harmony::proof::{Evidence, Prover};
use harmony::provider::{Failure, ProviderError};
use harmony::run::Run;
use tokio::time::{Instant, timeout_at};

use super::by_site::on_every_site;
use crate::ask::AskError;
use crate::client::NatsConnections;
use crate::connect::connect_patiently;
use crate::connection::{Connection, answer_within};
use crate::way::Ways;

/// So many probes are in flight at once: the client drops complaints beyond 128 that it has not been able to tell us yet.
const AT_ONCE: usize = 48;
/// The header by which a write demands its subject's last sequence.
const LAST_SEQUENCE: &str = "Nats-Expected-Last-Subject-Sequence";
/// Where the last message of each round goes. Nobody listens there, so that the server says so, or that it may not be sent: a server takes
/// one client's messages in order, and what it has not refused by then it has let through.
const FENCE: &str = "HARMONY.PROOF.OF.PERMISSIONS";
/// How long a refusal may take from the client's connection to us, behind the answer to a later message.
const GRACE: Duration = Duration::from_millis(150);
/// So many failures are named.
const NAMED: usize = 5;

#[async_trait]
impl Prover<PermissionsHold> for NatsConnections {
    async fn prove(&self, run: &Run, proof: &PermissionsHold) -> Result<Evidence, ProviderError> {
        let tried = join_all(proof.sites.iter().map(|site| try_site(run, &self.shared.ways, proof, site))).await;
        let counts = on_every_site(&format!("what user {} may do", proof.user), &proof.sites, tried)?;
        let checks: usize = counts.iter().sum();
        if checks == 0 {
            let what = format!("failed to prove the permissions of user {}", proof.user);
            return Err(ProviderError::refused(what, "there is nothing to try, or nowhere"));
        }
        let refused = proof.probes.iter().filter(|probe| probe.expect == Expectation::Refused).count();
        let (user, sites, allowed) = (&proof.user, proof.sites.len(), proof.probes.len() - refused);
        let how =
            format!("user {user} sent {allowed} requests that it may and {refused} that it may not on each of {sites} sites");
        Ok(Evidence { checks: u32::try_from(checks).unwrap_or(u32::MAX), how, measured: Vec::new() })
    }
}

async fn try_site(run: &Run, ways: &Ways, proof: &PermissionsHold, site: &SiteAccess) -> Result<usize, ProviderError> {
    let connection = connect_patiently(run, ways, &site.access).await?;
    let mut wrong = Vec::new();
    for probes in proof.probes.chunks(AT_ONCE) {
        let target = format!("{} probes of {}", probes.len(), connection.whereabouts());
        let met = run.io().request(&target, try_probes(run, &connection, probes)).await;
        let met = met.map_err(|error| error.failed(format!("failed to try permissions as {}", connection.whereabouts())))?;
        wrong.extend(probes.iter().zip(met).filter_map(|(probe, met)| complaint(probe, &met)));
    }
    if wrong.is_empty() {
        return Ok(proof.probes.len());
    }
    let named = wrong.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join("; ");
    let what = format!("{} of {} permissions do not hold for {}", wrong.len(), proof.probes.len(), connection.whereabouts());
    Err(ProviderError::Refused(Failure::new(what, named)))
}

/// What became of a probe.
enum Met {
    /// It was answered.
    Answered,
    /// It was let through, and the server says that nobody listens.
    Nobody,
    /// The server refused it, in these words.
    Refused(String),
    /// It was let through, and nobody answered.
    Silence,
}

/// What is wrong with what became of a probe, if anything.
fn complaint(probe: &Probe, met: &Met) -> Option<String> {
    let (what, subject) = (&probe.what, &probe.subject);
    match (probe.expect, met) {
        (Expectation::Allowed, Met::Answered) | (Expectation::Refused, Met::Refused(_)) => None,
        (Expectation::Allowed, Met::Nobody | Met::Silence) if !probe.is_answered() => None,
        (Expectation::Allowed, Met::Refused(words)) => Some(format!("may not {what}, the server says: {words}")),
        (Expectation::Allowed, Met::Nobody) => Some(format!("may {what}, but nobody listens on `{subject}`")),
        (Expectation::Allowed, Met::Silence) => Some(format!("may {what}, but nobody answers on `{subject}`")),
        (Expectation::Refused, Met::Answered) => Some(format!("may {what} (`{subject}` was answered)")),
        (Expectation::Refused, Met::Nobody | Met::Silence) => Some(format!("may {what} (`{subject}` was let through)")),
    }
}

/// The probes with their numbers; those that nobody answers first, so that what comes back for a later one tells that they have passed.
fn in_order(probes: &[Probe]) -> impl Iterator<Item = (usize, &Probe)> {
    let silent = probes.iter().enumerate().filter(|(_, probe)| !probe.is_answered());
    silent.chain(probes.iter().enumerate().filter(|(_, probe)| probe.is_answered()))
}

async fn try_probes(run: &Run, connection: &Connection, probes: &[Probe]) -> Result<Vec<Met>, AskError> {
    let before = connection.complaints().count();
    let inbox = connection.inbox();
    let mut answers = connection.listen(format!("{inbox}.*")).await?;
    for (number, probe) in in_order(probes) {
        let headers = probe.expected_last_sequence.map(|sequence| {
            let mut headers = HeaderMap::new();
            headers.insert(LAST_SEQUENCE, sequence.to_string());
            headers
        });
        let body = probe.body.clone().into_bytes();
        connection.send(probe.subject.clone(), format!("{inbox}.{number}"), headers, body).await?;
    }
    connection.send(FENCE.to_owned(), format!("{inbox}.{}", probes.len()), None, Vec::new()).await?;
    let answered = gather(run, connection, probes, before, &mut answers).await?;
    let complaints = connection.complaints().words_since(before)?;
    let met = |(number, probe): (usize, &Probe)| match refusal(&probe.subject, &complaints) {
        Some(words) => Met::Refused(words.clone()),
        None if answered.get(&number) == Some(&false) => Met::Nobody,
        None if answered.contains_key(&number) => Met::Answered,
        None => Met::Silence,
    };
    Ok(probes.iter().enumerate().map(met).collect())
}

/// Which probes were answered, by number; `false` for those on whose subject nobody listens. Returns when every probe has been answered or
/// refused, or when no more can be expected.
async fn gather(
    run: &Run,
    connection: &Connection,
    probes: &[Probe],
    before: usize,
    answers: &mut Subscriber,
) -> Result<BTreeMap<usize, bool>, AskError> {
    let mut answered = BTreeMap::new();
    let mut until = Instant::now() + answer_within(run);
    let mut passed = false;
    loop {
        let complaints = connection.complaints().words_since(before)?;
        if let Some(words) = complaints.iter().find(|words| words.contains("Subscription")) {
            return Err(AskError::Forbidden { words: words.clone() });
        }
        let is_open =
            |(number, probe): &(usize, &Probe)| !answered.contains_key(number) && refusal(&probe.subject, &complaints).is_none();
        let mut open = probes.iter().enumerate().filter(is_open).peekable();
        if open.peek().is_none() {
            return Ok(answered);
        }
        if !passed && open.all(|(_, probe)| !probe.is_answered()) {
            passed = answered.contains_key(&probes.len()) || refusal(FENCE, &complaints).is_some();
            until = if passed { until.min(Instant::now() + GRACE) } else { until };
        }
        tokio::select! {
            biased;
            answer = timeout_at(until, answers.next()) => match answer {
                Ok(Some(message)) => {
                    let number = message.subject.rsplit('.').next().and_then(|number| number.parse().ok());
                    answered.extend(number.map(|number| (number, message.status != Some(StatusCode::NO_RESPONDERS))));
                }
                Ok(None) => return Err(AskError::Lost),
                Err(_) => return Ok(answered),
            },
            () = connection.complaints().next(before + complaints.len()) => {}
        }
    }
}

/// The server's words if it refused a message to this subject.
fn refusal<'a>(subject: &str, complaints: &'a [String]) -> Option<&'a String> {
    let quoted = format!("Publish to \"{subject}\"");
    complaints.iter().find(|words| words.contains(&quoted))
}
