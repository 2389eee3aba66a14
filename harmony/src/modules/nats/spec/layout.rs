//! Which servers a system has, and in which clusters.

use std::collections::BTreeSet;

use harmony_types::{ClusterName, SiteName, SystemName};

use super::names::{joined, name};
use super::rule::Rule;
use super::system::{ClusterRole, ClusterSpec, ServerLayout};
use crate::error::ArrangeError;
use crate::modules::nats::proof::Member;
use crate::modules::nats::score::{Hub, NatsScore, NatsSuperclusterScore, QuorumRisk, SiteWish};
use crate::origin::Origin;

/// What declares a system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Declaration {
    /// One cluster.
    Cluster(NatsScore),
    /// Several sites.
    Supercluster(NatsSuperclusterScore),
}

/// A system's sites and clusters, both sorted by name.
pub(super) struct Layout {
    pub(super) sites: Vec<SiteName>,
    pub(super) clusters: Vec<ClusterSpec>,
}

/// The servers and clusters that follow from a declaration; `quorate` if JetStream has to decide by majority.
pub(super) fn lay_out(system: &SystemName, said: &Declaration, quorate: bool, at: &Origin) -> Result<Layout, ArrangeError> {
    let mut layout = match said {
        Declaration::Cluster(score) => one_cluster(system, score, quorate, at)?,
        Declaration::Supercluster(score) => several_sites(system, score, quorate, at)?,
    };
    layout.sites.sort();
    layout.clusters.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(layout)
}

fn one_cluster(system: &SystemName, score: &NatsScore, quorate: bool, at: &Origin) -> Result<Layout, ArrangeError> {
    let count = counted(score.servers, system.as_str(), at)?;
    if quorate && count.is_multiple_of(2) {
        return Err(Rule::OddCluster.refuse(
            format!("cluster {system} with JetStream has {count} servers"),
            &[at],
            "use 1, 3 or 5 servers: an even number survives no more losses than the odd one below it",
        ));
    }
    for (number, tags) in &score.tags {
        check_tags(*number, tags, count, system.as_str(), at)?;
    }
    let site: SiteName = name(system.as_str(), &[at])?;
    let cluster: ClusterName = name(system.as_str(), &[at])?;
    let tags = |number: u8| score.tags.get(&number).into_iter().flatten().cloned().collect();
    let servers = (1..=count)
        .map(|number| server(&format!("{system}-{number}"), &cluster, &site, tags(number), at))
        .collect::<Result<_, _>>()?;
    let role = if count == 1 { ClusterRole::Single } else { ClusterRole::Whole };
    Ok(Layout { sites: vec![site], clusters: vec![ClusterSpec { name: cluster, role, servers }] })
}

fn several_sites(system: &SystemName, score: &NatsSuperclusterScore, quorate: bool, at: &Origin) -> Result<Layout, ArrangeError> {
    let sites = sites(system, score, at)?;
    let with_hub = has_hub(system, score, at)?;
    if quorate {
        check_quorum(system, score, with_hub, at)?;
    }
    let mut clusters = Vec::new();
    for (site, wish) in &sites {
        let cluster = joined(&format!("{system}-{site}"), &[at])?;
        let servers = (1..=wish.servers)
            .map(|number| server(&format!("{system}-{site}-{number}"), &cluster, site, vec![site_tag(site)], at))
            .collect::<Result<_, _>>()?;
        clusters.push(ClusterSpec { name: cluster, role: ClusterRole::Site, servers });
    }
    if with_hub {
        let cluster = joined(&format!("{system}-hub"), &[at])?;
        let servers = sites
            .iter()
            .map(|(site, _)| server(&format!("{system}-{site}-hub"), &cluster, site, vec![site_tag(site)], at))
            .collect::<Result<_, _>>()?;
        clusters.push(ClusterSpec { name: cluster, role: ClusterRole::Hub, servers });
    }
    check_cluster_names(&clusters, at)?;
    Ok(Layout { sites: sites.into_iter().map(|(site, _)| site).collect(), clusters })
}

/// The sites of a supercluster, sorted.
fn sites<'a>(
    system: &SystemName,
    score: &'a NatsSuperclusterScore,
    at: &Origin,
) -> Result<Vec<(SiteName, &'a SiteWish)>, ArrangeError> {
    let mut sites: Vec<(SiteName, &SiteWish)> = Vec::new();
    for wish in &score.sites {
        let site: SiteName = name(&wish.name, &[at])?;
        if sites.iter().any(|(before, _)| *before == site) {
            let what = format!("site {site} of {system} is named twice");
            return Err(Rule::SiteOnce.refuse(what, &[at], "remove one of the two, or correct its name"));
        }
        counted(wish.servers, &format!("{system}-{site}"), at)?;
        sites.push((site, wish));
    }
    if sites.len() < 2 {
        return Err(Rule::SeveralSites.refuse(
            format!("supercluster {system} has {} site(s)", sites.len()),
            &[at],
            "add a site, or declare a single cluster by `NatsScore`",
        ));
    }
    sites.sort();
    Ok(sites)
}

fn has_hub(system: &SystemName, score: &NatsSuperclusterScore, at: &Origin) -> Result<bool, ArrangeError> {
    let count = score.sites.len();
    match score.hub {
        None => Ok(count >= 3),
        Some(Hub::None) => Ok(false),
        Some(Hub::Across) if count >= 3 => Ok(true),
        Some(Hub::Across) => Err(Rule::HubSites.refuse(
            format!("the hub of {system} would span {count} sites"),
            &[at],
            "add a third site (one server is enough), or leave the hub away: with two, the loss of one stops all writes",
        )),
    }
}

fn check_quorum(system: &SystemName, score: &NatsSuperclusterScore, with_hub: bool, at: &Origin) -> Result<(), ArrangeError> {
    if score.quorum == QuorumRisk::Accepted {
        return Ok(());
    }
    if score.sites.len() == 2 {
        return Err(Rule::TwoSiteQuorum.refuse(
            format!("supercluster {system} has two sites: when the larger one is lost (either, if they are equal), no stream can be created, changed or deleted on the other"),
            &[at],
            "add a third site (one server is enough), or say `accepting_quorum_loss()`",
        ));
    }
    let on_site = |wish: &SiteWish| u32::from(wish.servers) + u32::from(with_hub);
    let all: u32 = score.sites.iter().map(on_site).sum();
    match score.sites.iter().find(|wish| all - on_site(wish) < all / 2 + 1) {
        None => Ok(()),
        Some(wish) => Err(Rule::SiteHoldsQuorum.refuse(
            format!("site {} holds {} of the {all} servers of {system}", wish.name, on_site(wish)),
            &[at],
            "spread the servers so that the others are a majority without it, or say `accepting_quorum_loss()`",
        )),
    }
}

fn check_cluster_names(clusters: &[ClusterSpec], at: &Origin) -> Result<(), ArrangeError> {
    let mut seen = BTreeSet::new();
    match clusters.iter().find(|cluster| !seen.insert(&cluster.name)) {
        None => Ok(()),
        Some(twice) => Err(Rule::ClusterNamesDiffer.refuse(
            format!("two clusters are called {}", twice.name),
            &[at],
            "rename the site `hub`: the cluster across the sites is called so, or leave the hub away",
        )),
    }
}

fn check_tags(number: u8, tags: &BTreeSet<String>, count: u8, cluster: &str, at: &Origin) -> Result<(), ArrangeError> {
    if !(1..=count).contains(&number) {
        let what = format!("tags are given to server {number} of the {count} of cluster {cluster}");
        return Err(Rule::TaggedServer.refuse(what, &[at], "number the servers from 1"));
    }
    // A server compares tags without regard to case and reads `!` in front as `not`; what is left reads the same everywhere.
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b":-_.".contains(&byte);
    match tags.iter().find(|tag| tag.is_empty() || !tag.bytes().all(allowed)) {
        None => Ok(()),
        Some(tag) => Err(Rule::TaggedServer.refuse(
            format!("`{tag}` is not a server's tag"),
            &[at],
            "write lower-case letters, digits, `:`, `-`, `_` and `.`",
        )),
    }
}

fn counted(count: u8, cluster: &str, at: &Origin) -> Result<u8, ArrangeError> {
    if count == 0 {
        return Err(Rule::ServerCount.refuse(format!("cluster {cluster} has no servers"), &[at], "give it one at least"));
    }
    Ok(count)
}

fn server(
    text: &str,
    cluster: &ClusterName,
    site: &SiteName,
    tags: Vec<String>,
    at: &Origin,
) -> Result<ServerLayout, ArrangeError> {
    let member = Member { server: joined(text, &[at])?, cluster: cluster.clone(), site: site.clone() };
    Ok(ServerLayout { member, tags })
}

fn site_tag(site: &SiteName) -> String {
    format!("site:{site}")
}
