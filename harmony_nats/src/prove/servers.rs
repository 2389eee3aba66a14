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

use super::members::by_member;
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
    if let Err(why) = by_member(&proof.members, &health) {
        return Ok(Err(why));
    }
    for answer in health.into_values() {
        let name = answer.server.name;
        if let Some(trouble) = answer.data.and_then(Health::trouble) {
            return Ok(Err(format!("{name} is not healthy: {trouble}")));
        }
    }
    if proof.meta_group == 0 {
        return Ok(Ok(None));
    }
    let jetstream: BTreeMap<String, Answer<Jetstream>> =
        ask_all(run, connection, "JSZ", &Json::Null, expected).await.map_err(failed)?;
    Ok(by_member(&proof.members, &jetstream).and_then(|answers| agreement(&answers, proof.meta_group)).map(Some))
}

/// The one meta leader of the full group.
fn agreement(answers: &BTreeMap<String, &Answer<Jetstream>>, size: usize) -> Result<String, String> {
    let mut leaders = BTreeSet::new();
    let mut voices = 0;
    for (name, answer) in answers {
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
        _ if voices != size => Err(format!("{voices} of {size} servers have JetStream")),
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
        agreement(&answers.iter().map(|(name, answer)| (name.clone(), answer)).collect(), size)
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
}
