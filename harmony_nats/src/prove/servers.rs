//! All servers are there and agree.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use async_trait::async_trait;
use harmony::modules::nats::proof::ServersAgree;
use harmony::proof::{Evidence, Prover};
use harmony::provider::ProviderError;
use harmony::run::{Looked, Run};
use serde::Deserialize;
use serde_json::Value as Json;

use super::members::{Roll, call};
use crate::client::NatsConnections;
use crate::connection::Connection;
use crate::system::{Answer, Health, MetaGroup, ask_all};

#[derive(Debug, Deserialize)]
struct Jetstream {
    #[serde(default)]
    disabled: bool,
    #[serde(default)]
    meta_cluster: Option<MetaGroup>,
}

#[async_trait]
impl Prover<ServersAgree> for NatsConnections {
    async fn prove(&self, run: &Run, proof: &ServersAgree) -> Result<Evidence, ProviderError> {
        let begun = Instant::now();
        let what = format!("all {} servers of {}", proof.members.len(), proof.system);
        let found = run.wait_for(&what, || async {
            let connection = self.shared.connection(run, &proof.access).await?;
            let looked = look(run, &connection, proof).await?;
            Ok(looked.map_or_else(Looked::NotYet, |leader| Looked::Found((leader, connection.whereabouts()))))
        });
        let (leader, asked) = found.await?;
        let count = u32::try_from(proof.members.len()).unwrap_or(u32::MAX);
        let agreement =
            leader.map(|leader| format!("; {} name {leader} as the meta leader of {}", proof.meta_group, proof.meta_group));
        Ok(Evidence {
            checks: count * if proof.meta_group > 0 { 2 } else { 1 },
            how: format!("asked as {asked}: {count} servers answer and are healthy{}", agreement.unwrap_or_default()),
            measured: vec![format!("time until they agreed: {:.1} s", begun.elapsed().as_secs_f64())],
        })
    }
}

/// The meta leader that all name, if there is one to name; or why they do not agree.
async fn look(run: &Run, connection: &Connection, proof: &ServersAgree) -> Result<Result<Option<String>, String>, ProviderError> {
    let failed = |error: crate::ask::AskError| {
        error.failed(format!("failed to ask the servers of {} as {}", proof.system, connection.whereabouts()))
    };
    let expected = proof.members.len();
    let health: BTreeMap<String, Answer<Health>> =
        ask_all(run, connection, "HEALTHZ", &Json::Null, expected).await.map_err(failed)?;
    let health = match call(&proof.members, &health) {
        Ok(health) => health,
        Err(why) => return Ok(Err(why)),
    };
    let trouble = health
        .answers
        .iter()
        .filter_map(|(name, answer)| Some(format!("{name} is not healthy: {}", answer.data.as_ref().and_then(Health::trouble)?)));
    let trouble: Vec<String> = trouble.collect();
    if proof.meta_group == 0 || (health.lost.is_none() && !trouble.is_empty()) {
        return Ok(told(health.lost, trouble, health.answers.len(), Ok(None), 0));
    }
    let jetstream: BTreeMap<String, Answer<Jetstream>> =
        ask_all(run, connection, "JSZ", &Json::Null, health.answers.len()).await.map_err(failed)?;
    let agreement = call(&proof.members, &jetstream).and_then(|roll| agreement(&roll, proof.meta_group)).map(Some);
    Ok(told(health.lost, trouble, health.answers.len(), agreement, proof.meta_group))
}

/// The agreement if nothing is lost and nobody has a trouble; otherwise all there is to say.
fn told(
    lost: Option<String>,
    trouble: Vec<String>,
    answers: usize,
    agreement: Result<Option<String>, String>,
    size: usize,
) -> Result<Option<String>, String> {
    if lost.is_none() && trouble.is_empty() {
        return agreement;
    }
    let mut parts = Vec::from_iter(lost);
    match trouble.is_empty() {
        true => parts.push(format!("the other {answers} are healthy")),
        false => parts.extend(trouble),
    }
    match agreement {
        Ok(None) => {}
        Ok(Some(leader)) => parts.push(format!("they name {leader} as the meta leader of {size}")),
        Err(why) => parts.push(why),
    }
    Err(parts.join("; "))
}

/// The one meta leader, of a group of this size, that all name who answer.
fn agreement(roll: &Roll<'_, Jetstream>, size: usize) -> Result<String, String> {
    let mut leaders = BTreeSet::new();
    let mut voices = 0;
    for (name, answer) in &roll.answers {
        let Some(jetstream) = answer.data.as_ref().filter(|jetstream| !jetstream.disabled) else { continue };
        voices += 1;
        // A server on its own has no group and needs no leader but itself.
        let alone = MetaGroup { leader: name.clone(), size: 1 };
        let group = jetstream.meta_cluster.as_ref().unwrap_or(&alone);
        if group.leader.is_empty() {
            return Err(format!("{name} knows no meta leader"));
        }
        if group.size != size {
            return Err(format!("{name} says that the meta group has {} of {size} servers", group.size));
        }
        leaders.insert(group.leader.clone());
    }
    match leaders.pop_first() {
        _ if voices != size && roll.lost.is_none() => Err(format!("{voices} of {size} servers have JetStream")),
        Some(leader) if leaders.is_empty() => Ok(leader),
        Some(leader) => Err(format!("they name different meta leaders: {leader}, {}", Vec::from_iter(leaders).join(", "))),
        None => Err("nobody names a meta leader".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;

    fn answer(server: &str, data: &Json) -> (String, Answer<Jetstream>) {
        let answer = json!({ "server": { "name": server, "id": server }, "data": data });
        (server.to_owned(), serde_json::from_value(answer).unwrap())
    }

    fn says(leader: &str, size: usize) -> Json {
        json!({ "meta_cluster": { "leader": leader, "cluster_size": size } })
    }

    fn agreed(first: &Json, second: &Json, size: usize) -> Result<String, String> {
        let answers = BTreeMap::from([answer("a", first), answer("b", second)]);
        agreement(&Roll { answers: answers.iter().map(|(name, answer)| (name.clone(), answer)).collect(), lost: None }, size)
    }

    #[test]
    fn servers_agree_only_on_one_leader_of_the_full_group() {
        assert_eq!(agreed(&says("a", 2), &says("a", 2), 2), Ok("a".to_owned()));
        assert_eq!(agreed(&json!({ "disabled": true }), &json!({}), 1), Ok("b".to_owned()));
        for (first, second, size, why) in [
            (says("a", 2), says("b", 2), 2, "they name different meta leaders: a, b"),
            (says("a", 2), says("", 2), 2, "b knows no meta leader"),
            (says("a", 2), says("a", 1), 2, "b says that the meta group has 1 of 2 servers"),
            (says("a", 2), json!({ "disabled": true }), 2, "1 of 2 servers have JetStream"),
            (json!({ "disabled": true }), json!({ "disabled": true }), 2, "0 of 2 servers have JetStream"),
        ] {
            assert_eq!(agreed(&first, &second, size), Err(why.to_owned()));
        }
    }

    #[test]
    fn what_is_lost_is_told_with_what_the_others_say() {
        let (lost, sick) = ("1 of 3 servers do not answer: c of site west".to_owned(), "b is not healthy: why".to_owned());
        let leader = || Ok(Some("a".to_owned()));
        assert_eq!(told(None, Vec::new(), 3, leader(), 3), leader());
        let words = told(Some(lost.clone()), Vec::new(), 2, leader(), 3).unwrap_err();
        assert_eq!(words, format!("{lost}; the other 2 are healthy; they name a as the meta leader of 3"));
        let words = told(Some(lost.clone()), vec![sick.clone()], 2, Err("nobody names a meta leader".to_owned()), 3).unwrap_err();
        assert_eq!(words, format!("{lost}; {sick}; nobody names a meta leader"));
    }
}
