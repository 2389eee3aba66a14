//! Comparing the servers that answer with those that there should be.

use std::collections::BTreeMap;

use harmony::modules::nats::proof::Member;

use crate::system::Answer;

/// The answer of each member, by its name.
///
/// # Errors
/// Why the members have not all answered as themselves, in words.
pub(crate) fn by_member<'a, T>(
    members: &[Member],
    answers: &'a BTreeMap<String, Answer<T>>,
) -> Result<BTreeMap<String, &'a Answer<T>>, String> {
    let mut by_name = BTreeMap::new();
    for answer in answers.values() {
        if by_name.insert(answer.server.name.clone(), answer).is_some() {
            return Err(format!("two servers are called {}", answer.server.name));
        }
    }
    let absent: Vec<String> = members
        .iter()
        .filter(|member| !by_name.contains_key(member.server.as_str()))
        .map(|member| format!("{} of site {}", member.server, member.site))
        .collect();
    if !absent.is_empty() {
        return Err(format!("{} of {} servers do not answer: {}", absent.len(), members.len(), absent.join(", ")));
    }
    by_name.retain(|name, _| members.iter().any(|member| member.server.as_str() == name));
    for member in members {
        // A server that is in no cluster calls none.
        let cluster = by_name.get(member.server.as_str()).and_then(|answer| answer.server.cluster.clone());
        if let Some(cluster) = cluster.filter(|cluster| cluster != member.cluster.as_str()) {
            return Err(format!("{} is in cluster {cluster} instead of {}", member.server, member.cluster));
        }
    }
    Ok(by_name)
}
