//! Every server has a gateway to every other cluster.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use harmony::modules::nats::proof::{GatewaysReachEveryCluster, Member};
use harmony::proof::{Evidence, Prover};
use harmony::provider::ProviderError;
use harmony::run::{Looked, Run};
use serde::Deserialize;
use serde_json::Value as Json;

use super::members::{Roll, call};
use crate::client::NatsConnections;
use crate::system::{Answer, ask_all};

#[derive(Debug, Deserialize)]
struct Gateways {
    #[serde(default)]
    outbound_gateways: BTreeMap<String, Json>,
}

#[async_trait]
impl Prover<GatewaysReachEveryCluster> for NatsConnections {
    async fn prove(&self, run: &Run, proof: &GatewaysReachEveryCluster) -> Result<Evidence, ProviderError> {
        let what = format!("the gateways of {}", proof.system);
        let found = run.wait_for(&what, || async {
            let connection = self.shared.connection(run, &proof.access).await?;
            let answers: BTreeMap<String, Answer<Gateways>> =
                ask_all(run, &connection, "GATEWAYZ", &Json::Null, proof.members.len()).await.map_err(|error| {
                    error.failed(format!("failed to ask the servers of {} as {}", proof.system, connection.whereabouts()))
                })?;
            let links = call(&proof.members, &answers).and_then(|roll| links(&proof.members, &roll));
            Ok(links.map_or_else(Looked::NotYet, |links| Looked::Found((links, connection.whereabouts()))))
        });
        let (links, asked) = found.await?;
        let servers = proof.members.len();
        Ok(Evidence {
            checks: u32::try_from(servers + links).unwrap_or(u32::MAX),
            how: format!(
                "asked as {asked}: {servers} servers answer and have {links} outbound gateways, one to each other cluster"
            ),
            measured: Vec::new(),
        })
    }
}

/// How many outbound gateways there are, if none is missing; otherwise what is missing, and what the servers that answer do have.
fn links(members: &[Member], roll: &Roll<'_, Gateways>) -> Result<usize, String> {
    let answers = |member: &&Member| roll.answers.contains_key(member.server.as_str());
    // To a cluster of which no server is left there can be no gateway.
    let clusters: BTreeSet<&str> = members.iter().filter(answers).map(|member| member.cluster.as_str()).collect();
    let mut links = 0;
    let mut missing = Vec::new();
    for member in members.iter().filter(answers) {
        let gateways = roll.answers.get(member.server.as_str()).and_then(|answer| answer.data.as_ref());
        for cluster in clusters.iter().filter(|cluster| **cluster != member.cluster.as_str()) {
            match gateways.is_some_and(|gateways| gateways.outbound_gateways.contains_key(*cluster)) {
                true => links += 1,
                false => missing.push(format!("{} to {cluster}", member.server)),
            }
        }
    }
    let missing = (!missing.is_empty()).then(|| format!("no gateway from {}", missing.join(", ")));
    let works = format!("{} servers of clusters {} have all {links} gateways between them", roll.answers.len(), {
        Vec::from_iter(clusters).join(", ")
    });
    match (&roll.lost, missing) {
        (None, None) => Ok(links),
        (None, Some(missing)) => Err(missing),
        (Some(lost), None) => Err(format!("{lost}; the other {works}")),
        (Some(lost), Some(missing)) => Err(format!("{lost}; of the others, {missing}")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn member(server: &str, cluster: &str) -> Member {
        Member { server: server.parse().unwrap(), cluster: cluster.parse().unwrap(), site: server.parse().unwrap() }
    }

    fn answer(server: &str, to: &[&str]) -> Answer<Gateways> {
        let gateways: BTreeMap<&str, Json> = to.iter().map(|cluster| (*cluster, json!({}))).collect();
        serde_json::from_value(json!({ "server": { "name": server, "id": server }, "data": { "outbound_gateways": gateways } }))
            .unwrap()
    }

    #[test]
    fn what_is_missing_is_named_with_what_is_left() {
        let members = [member("e1", "east"), member("e2", "east"), member("w1", "west"), member("n1", "north")];
        let mut all = BTreeMap::from([
            ("e1".to_owned(), answer("e1", &["west", "north"])),
            ("e2".to_owned(), answer("e2", &["west", "north"])),
            ("w1".to_owned(), answer("w1", &["east", "north"])),
            ("n1".to_owned(), answer("n1", &["east", "west", "elsewhere"])),
        ]);
        let links = |all: &BTreeMap<String, Answer<Gateways>>| call(&members, all).and_then(|roll| links(&members, &roll));
        assert_eq!(links(&all), Ok(8));
        all.insert("e2".to_owned(), answer("e2", &["north"]));
        assert_eq!(links(&all), Err("no gateway from e2 to west".to_owned()));
        all.remove("n1");
        let lost = "1 of 4 servers do not answer: n1 of site n1";
        assert_eq!(links(&all), Err(format!("{lost}; of the others, no gateway from e2 to west")));
        all.insert("e2".to_owned(), answer("e2", &["west"]));
        let works = "the other 3 servers of clusters east, west have all 3 gateways between them";
        assert_eq!(links(&all), Err(format!("{lost}; {works}")));
    }
}
