//! Servers in the JetStream of their system: who is a member, and taking one away without losing what it holds.

use std::collections::BTreeMap;

use async_trait::async_trait;
use harmony::modules::nats::access::NatsAccess;
use harmony::modules::nats::assets::{MembershipIdentity, Nothing, ServerMembership};
use harmony::modules::nats::client::StreamCopy;
use harmony::provider::{Known, Live, Observation, Provider, ProviderError};
use harmony::run::{Looked, Run};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use crate::ask::QUESTIONS;
use crate::client::NatsConnections;
use crate::connection::Connection;
use crate::jetstream::{CallError, call, code};
use crate::server::Jetstream;
use crate::system::ask_all;

/// The members of the meta group, as its leader says them.
#[derive(Debug, Deserialize)]
struct Group {
    #[serde(default)]
    meta_cluster: Option<Members>,
}

#[derive(Debug, Deserialize)]
struct Members {
    #[serde(default)]
    leader: String,
    #[serde(default)]
    replicas: Vec<Peer>,
}

#[derive(Debug, Deserialize)]
struct Peer {
    name: String,
}

#[async_trait]
impl Provider<ServerMembership> for NatsConnections {
    async fn observe(
        &self,
        run: &Run,
        at: &NatsAccess,
        wanted: &[Known<ServerMembership>],
    ) -> Result<Vec<Observation<ServerMembership>>, ProviderError> {
        let connection = match self.shared.connection(run, at).await.map_err(ProviderError::from) {
            Ok(connection) => connection,
            Err(ProviderError::Unreachable(failure) | ProviderError::NotPermitted(failure)) => {
                return Ok(wanted.iter().map(|_| Observation::Unreachable(failure.to_string())).collect());
            }
            Err(error) => return Err(error),
        };
        let Some(members) = members_in_the_end(run, &connection).await? else {
            let why = format!("asked as {}: no meta leader answers", connection.whereabouts());
            return Ok(wanted.iter().map(|_| Observation::Unreachable(why.clone())).collect());
        };
        let copies = copies(run, &connection, at.servers.len()).await?;
        let look = |known: &Known<ServerMembership>| {
            let server = known.identity.server.as_str();
            if !members.contains(server) {
                return Observation::Absent;
            }
            let state = ServerMembership { identity: known.identity.clone() };
            let holds = copies.get(server).and_then(|copies| in_words(copies));
            Observation::There(Box::new(Live { state, outputs: Nothing {}, holds }))
        };
        Ok(wanted.iter().map(look).collect())
    }

    async fn apply(
        &self,
        run: &Run,
        at: &NatsAccess,
        desired: &ServerMembership,
        _live: Option<&Live<ServerMembership>>,
    ) -> Result<Nothing, ProviderError> {
        // A server joins by itself when it runs.
        let connection = self.shared.connection(run, at).await?;
        let server = desired.identity.server.as_str();
        run.wait_for("the meta group to know the server", || async {
            let known = members(run, &connection).await?.is_some_and(|members| members.contains(server));
            Ok(if known { Looked::Found(()) } else { Looked::NotYet(format!("{server} is not a member yet")) })
        })
        .await?;
        Ok(Nothing {})
    }

    async fn delete(&self, run: &Run, at: &NatsAccess, identity: &MembershipIdentity) -> Result<(), ProviderError> {
        // One at a time: with two of three copies on the move nothing acknowledged would be safe.
        let _turn = self.leaving.lock().await;
        let server = identity.server.as_str();
        hand_over(run, &*self.shared.connection(run, at).await?, server, at.servers.len()).await?;
        // The copies may have taken a while, and the connection may have gone with a server meanwhile.
        strike_off(run, &*self.shared.connection(run, at).await?, server).await
    }
}

/// The names of all members; `None` if no leader answers. A server without a group is its own.
async fn members(run: &Run, connection: &Connection) -> Result<Option<Membership>, ProviderError> {
    let what = || format!("failed to ask for the meta group as {}", connection.whereabouts());
    let answers = ask_all::<Group>(run, connection, "JSZ", &json!({ "leader_only": true }), 1).await;
    let answers = answers.map_err(|error| error.failed(what()))?;
    let found = answers.into_values().find_map(|answer| Some((answer.server.name, answer.data?)));
    Ok(found.map(|(name, group)| {
        let group = group.meta_cluster.unwrap_or(Members { leader: name.clone(), replicas: Vec::new() });
        let others = group.replicas.into_iter().map(|peer| peer.name);
        Membership { names: others.chain([name]).collect(), leader: group.leader }
    }))
}

/// The same, also while the members elect another leader.
async fn members_in_the_end(run: &Run, connection: &Connection) -> Result<Option<Membership>, ProviderError> {
    for _ in 1..QUESTIONS {
        match members(run, connection).await? {
            None if !run.remaining().is_zero() => {}
            said => return Ok(said),
        }
    }
    members(run, connection).await
}

struct Membership {
    names: Vec<String>,
    leader: String,
}

impl Membership {
    fn contains(&self, server: &str) -> bool {
        self.names.iter().any(|name| name == server)
    }
}

/// The copies of streams that each server has that answers.
async fn copies(run: &Run, connection: &Connection, servers: usize) -> Result<BTreeMap<String, Vec<StreamCopy>>, ProviderError> {
    let what = || format!("failed to ask for the servers' streams as {}", connection.whereabouts());
    let options = json!({ "accounts": true, "streams": true });
    let answers = ask_all::<Jetstream>(run, connection, "JSZ", &options, servers).await.map_err(|error| error.failed(what()))?;
    let of = |answer: crate::system::Answer<Jetstream>| {
        let copies = answer.data.map(|jetstream| jetstream.copies_on(&answer.server.name)).unwrap_or_default();
        (answer.server.name, copies)
    };
    Ok(answers.into_values().map(of).collect())
}

fn in_words(copies: &[StreamCopy]) -> Option<String> {
    let one = |copy: &StreamCopy| format!("stream {} of account {} ({} messages)", copy.stream, copy.account, copy.messages);
    (!copies.is_empty()).then(|| format!("copies of {}", copies.iter().map(one).collect::<Vec<_>>().join(", ")))
}

/// Moves every copy to another server of its cluster, and waits until the others have all of it.
async fn hand_over(run: &Run, connection: &Connection, server: &str, servers: usize) -> Result<(), ProviderError> {
    run.wait_for("its copies to be with others", || async {
        let mut copies = copies(run, connection, servers).await?;
        // Where it does not run, or has no JetStream any more, the others go on without it.
        let left = copies.remove(server).unwrap_or_default();
        let mut waits = None;
        for copy in left {
            if let Some(why) = move_off(run, connection, server, &copy, &copies).await? {
                waits = Some(format!("stream {} of account {}: {why}", copy.stream, copy.account));
            }
        }
        Ok(waits.map_or(Looked::Found(()), Looked::NotYet))
    })
    .await
}

/// Asks for one copy to be moved; why it is not safe yet to go on without it.
async fn move_off(
    run: &Run,
    connection: &Connection,
    server: &str,
    copy: &StreamCopy,
    others: &BTreeMap<String, Vec<StreamCopy>>,
) -> Result<Option<String>, ProviderError> {
    let verb = format!("ACCOUNT.STREAM.MOVE.{}.{}", copy.account, copy.stream);
    match call::<Json>(run, connection, &verb, &json!({ "server": server })).await {
        Ok(_) => Ok(Some("it is on its way".to_owned())),
        // Every server that may have a copy has one, as when a bucket with a copy on each site loses a site: it will have one less.
        Err(CallError::Api(error)) if error.number == code::NO_PEERS && copy.settled && is_settled_elsewhere(copy, others) => {
            Ok(None)
        }
        // It is on its way already, or there is no leader: that passes.
        Err(CallError::Api(error)) => Ok(Some(error.to_string())),
        Err(error) => Err(error.failed(format!("failed to move stream {} off {server}", copy.stream))),
    }
}

/// Whether others have the stream too, and each of them is settled. One of them is its leader, or knows it.
fn is_settled_elsewhere(copy: &StreamCopy, others: &BTreeMap<String, Vec<StreamCopy>>) -> bool {
    let same = |other: &&StreamCopy| (&other.account, &other.stream) == (&copy.account, &copy.stream);
    let mut same = others.values().flatten().filter(same).peekable();
    same.peek().is_some() && same.all(|other| other.settled)
}

/// Takes the server out of the meta group, unless it is the last one.
async fn strike_off(run: &Run, connection: &Connection, server: &str) -> Result<(), ProviderError> {
    run.wait_for("the meta group to let it go", || async {
        let Some(members) = members(run, connection).await? else {
            return Ok(Looked::NotYet("no meta leader answers".to_owned()));
        };
        if !members.contains(server) || members.names.len() == 1 {
            return Ok(Looked::Found(()));
        }
        let (verb, body) = match members.leader == server {
            true => ("META.LEADER.STEPDOWN", Json::Null),
            false => ("SERVER.REMOVE", json!({ "peer": server })),
        };
        Ok(Looked::NotYet(match call::<Json>(run, connection, verb, &body).await {
            Ok(_) => "it is not yet gone".to_owned(),
            Err(CallError::Api(error)) => error.to_string(),
            Err(error) => return Err(error.failed(format!("failed to take {server} out of the meta group"))),
        }))
    })
    .await
}
