//! Comparing the servers that answer with those that there should be.

use std::collections::BTreeMap;

use harmony::modules::nats::proof::Member;

use crate::system::Answer;

/// Which of a system's members answer.
pub(crate) struct Roll<'a, T> {
    /// The answers of those that do, by their names.
    pub(crate) answers: BTreeMap<String, &'a Answer<T>>,
    /// The others in words, if there are any: `3 of 9 servers do not answer: a, b, c of site west`.
    pub(crate) lost: Option<String>,
}

/// The answer of each member, by its name.
///
/// # Errors
/// Who has not answered as itself, in words.
pub(crate) fn call<'a, T>(members: &[Member], answers: &'a BTreeMap<String, Answer<T>>) -> Result<Roll<'a, T>, String> {
    let mut by_name = BTreeMap::new();
    for answer in answers.values() {
        if by_name.insert(answer.server.name.clone(), answer).is_some() {
            return Err(format!("two servers are called {}", answer.server.name));
        }
    }
    by_name.retain(|name, _| members.iter().any(|member| member.server.as_str() == name));
    for member in members {
        // A server that is in no cluster calls none.
        let cluster = by_name.get(member.server.as_str()).and_then(|answer| answer.server.cluster.clone());
        if let Some(cluster) = cluster.filter(|cluster| cluster != member.cluster.as_str()) {
            return Err(format!("{} is in cluster {cluster} instead of {}", member.server, member.cluster));
        }
    }
    let absent: Vec<&Member> = members.iter().filter(|member| !by_name.contains_key(member.server.as_str())).collect();
    Ok(Roll { answers: by_name, lost: lost(&absent, members.len()) })
}

fn lost(absent: &[&Member], all: usize) -> Option<String> {
    let mut sites: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for member in absent {
        sites.entry(member.site.as_str()).or_default().push(member.server.as_str());
    }
    let sites: Vec<String> = sites.iter().map(|(site, servers)| format!("{} of site {site}", servers.join(", "))).collect();
    (!absent.is_empty()).then(|| format!("{} of {all} servers do not answer: {}", absent.len(), sites.join("; ")))
}
