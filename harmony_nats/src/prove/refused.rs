//! A credential that worked once is refused on every server, and nobody is connected with it.

use std::collections::BTreeMap;

use async_trait::async_trait;
use futures::future::join_all;
use harmony::modules::nats::access::NatsAccess;
use harmony::modules::nats::proof::{CredentialRefused, SiteAccess};
use harmony::proof::{Evidence, Prover};
use harmony::provider::{Failure, ProviderError};
use harmony::run::{Looked, Run};
use serde::Deserialize;
use serde_json::json;

use super::by_site::on_site;
use crate::client::NatsConnections;
use crate::connect::connect_patiently;
use crate::system::{Answer, ask_all};
use crate::way::Ways;

/// What a server says of those who are connected to it.
#[derive(Debug, Deserialize)]
struct Connections {
    // `total` counts everybody, whatever is asked for.
    #[serde(default, rename = "num_connections")]
    count: usize,
}

#[async_trait]
impl Prover<CredentialRefused> for NatsConnections {
    async fn prove(&self, run: &Run, proof: &CredentialRefused) -> Result<Evidence, ProviderError> {
        let who = format!("the former credential of user {}", proof.user);
        let tried = join_all(proof.sites.iter().map(|site| try_site(run, &self.shared.ways, &who, site))).await;
        let refused: usize = tried.into_iter().collect::<Result<Vec<_>, _>>()?.into_iter().sum();
        if refused == 0 {
            return Err(ProviderError::refused(
                format!("failed to prove that {who} is refused"),
                "there is no server to try it on",
            ));
        }
        let mut how = format!("{who} was refused by each of {refused} servers on {} sites", proof.sites.len());
        let mut checks = refused;
        if let Some(known_as) = &proof.known_as {
            let asked = self.wait_until_nobody_is_connected(run, &who, known_as.get()?, proof).await?;
            how.push_str(&format!("; {asked} servers say that nobody is connected with it"));
            checks += asked;
        }
        Ok(Evidence { checks: u32::try_from(checks).unwrap_or(u32::MAX), how, measured: Vec::new() })
    }
}

impl NatsConnections {
    /// A server closes the connections of those whom it does not know any more while it goes on, so that looks a little later.
    async fn wait_until_nobody_is_connected(
        &self,
        run: &Run,
        who: &str,
        known_as: &str,
        proof: &CredentialRefused,
    ) -> Result<usize, ProviderError> {
        let question = json!({ "auth": true, "user": known_as });
        let what = format!("nobody to be connected with {who}");
        let looking = run.wait_for(&what, || async {
            let connection = self.shared.connection(run, &proof.operator).await?;
            let answers: BTreeMap<String, Answer<Connections>> = ask_all(run, &connection, "CONNZ", &question, proof.servers)
                .await
                .map_err(|error| error.failed(format!("failed to ask who is connected, as {}", connection.whereabouts())))?;
            Ok(nobody(proof.servers, answers.values()).map_or_else(Looked::NotYet, Looked::Found))
        });
        looking.await
    }
}

/// How many servers say that nobody is connected; otherwise where somebody is, or who does not say.
fn nobody<'a>(servers: usize, answers: impl Iterator<Item = &'a Answer<Connections>>) -> Result<usize, String> {
    let mut silent = servers;
    let mut connected = Vec::new();
    for answer in answers {
        let Some(found) = &answer.data else { continue };
        silent = silent.saturating_sub(1);
        if found.count > 0 {
            connected.push(format!("{} to {}", found.count, answer.server.name));
        }
    }
    connected.sort();
    match (silent, connected.as_slice()) {
        (0, []) => Ok(servers),
        (_, [_, ..]) => Err(format!("connected are {}", connected.join(", "))),
        (silent, []) => Err(format!("{silent} of {servers} servers do not answer")),
    }
}

/// How many servers of the site refused it.
async fn try_site(run: &Run, ways: &Ways, who: &str, site: &SiteAccess) -> Result<usize, ProviderError> {
    let mut refused = 0;
    for server in &site.access.servers {
        let access = NatsAccess { servers: vec![server.clone()], who: who.to_owned(), ..site.access.clone() };
        match connect_patiently(run, ways, &access).await.map_err(ProviderError::from) {
            Err(ProviderError::NotPermitted(_)) => refused += 1,
            Err(error) => return Err(on_site(error, site)),
            Ok(connection) => {
                let failure = Failure::new(format!("{who} still works"), format!("{} let it in", connection.server()));
                return Err(on_site(ProviderError::Refused(failure), site));
            }
        }
    }
    Ok(refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(server: &str, count: usize) -> Answer<Connections> {
        serde_json::from_value(
            json!({ "server": { "name": server, "id": server }, "data": { "total": 5, "num_connections": count } }),
        )
        .unwrap()
    }

    #[test]
    fn everybody_has_to_say_that_nobody_is_connected() {
        assert_eq!(nobody(2, [answer("a", 0), answer("b", 0)].iter()), Ok(2));
        assert_eq!(nobody(2, [answer("a", 0)].iter()), Err("1 of 2 servers do not answer".to_owned()));
        assert_eq!(nobody(2, [answer("a", 0), answer("b", 3)].iter()), Err("connected are 3 to b".to_owned()));
    }
}
