//! In which cluster the copies of a bucket or stream are, and how many.

use harmony_types::ClusterName;

use super::rule::Rule;
use super::system::{ClusterRole, ClusterSpec};
use crate::error::ArrangeError;
use crate::modules::nats::assets::{Replicas, Storage};
use crate::modules::nats::score::Replication;
use crate::origin::Origin;

/// What is to be placed.
pub(super) struct Wanted<'a> {
    /// What it is, for people: `bucket HARMONY of account HARMONY`.
    pub(super) what: String,
    pub(super) replication: Option<Replication>,
    pub(super) site: Option<&'a str>,
    pub(super) storage: Storage,
    pub(super) origin: &'a Origin,
}

/// Where it is placed.
pub(super) struct Placed<'a> {
    /// Its cluster.
    pub(super) cluster: &'a ClusterSpec,
    /// How many copies.
    pub(super) replicas: Replicas,
}

impl Placed<'_> {
    /// The placement that the server is asked for: none in a system of one cluster.
    pub(super) fn cluster_name(&self) -> Option<ClusterName> {
        match self.cluster.role {
            ClusterRole::Single | ClusterRole::Whole => None,
            ClusterRole::Site | ClusterRole::Hub => Some(self.cluster.name.clone()),
        }
    }
}

/// Places `wanted` on one of `clusters`.
pub(super) fn place<'a>(
    wanted: &Wanted<'_>,
    clusters: &'a [ClusterSpec],
    unique_tag: Option<&str>,
) -> Result<Placed<'a>, ArrangeError> {
    let placed = match clusters {
        [only] => in_only(wanted, only)?,
        _ => in_one_of(wanted, clusters)?,
    };
    if let Some(prefix) = unique_tag {
        check_unique_tag(wanted, &placed, prefix)?;
    }
    Ok(placed)
}

fn in_only<'a>(wanted: &Wanted<'_>, only: &'a ClusterSpec) -> Result<Placed<'a>, ArrangeError> {
    if let Some(site) = wanted.site {
        let what = format!("{} names the home site {site}, in a system of one cluster", wanted.what);
        return Err(Rule::HomeSite.refuse(what, &[wanted.origin], "leave `at_site` away"));
    }
    match wanted.replication {
        Some(Replication::AcrossSites) => Err(Rule::AcrossSitesNeedsSites.refuse(
            format!("{} is to be copied across sites, and {} is one cluster", wanted.what, only.name),
            &[wanted.origin],
            "declare a `NatsSuperclusterScore` of three sites, or use `Replication::Local`",
        )),
        Some(Replication::Local(replicas)) => local(wanted, only, replicas),
        None => Ok(Placed { cluster: only, replicas: most(only) }),
    }
}

fn in_one_of<'a>(wanted: &Wanted<'_>, clusters: &'a [ClusterSpec]) -> Result<Placed<'a>, ArrangeError> {
    let hub = clusters.iter().find(|cluster| cluster.role == ClusterRole::Hub);
    match (wanted.replication, wanted.site, hub) {
        (Some(Replication::AcrossSites), Some(site), _) => Err(Rule::HomeSite.refuse(
            format!("{} is to be copied across sites, and has the home site {site}", wanted.what),
            &[wanted.origin],
            "leave `at_site` away, or use `Replication::Local`",
        )),
        (Some(Replication::AcrossSites) | None, None, Some(hub)) => Ok(Placed { cluster: hub, replicas: across(hub) }),
        (Some(Replication::AcrossSites), None, None) => Err(Rule::AcrossSitesNeedsHub.refuse(
            format!("{} is to be copied across sites, and the supercluster has no hub", wanted.what),
            &[wanted.origin],
            "give the supercluster a third site and the hub, or use `Replication::Local` at a home site",
        )),
        (replication, Some(site), _) => {
            let home = home(wanted, site, clusters)?;
            match replication {
                Some(Replication::Local(replicas)) => local(wanted, home, replicas),
                _ => Ok(Placed { cluster: home, replicas: most(home) }),
            }
        }
        (_, None, _) => Err(Rule::HomeSite.refuse(
            format!("{} is to be on one site of several, and does not say on which", wanted.what),
            &[wanted.origin],
            "say `at_site`, or use `Replication::AcrossSites` with a hub",
        )),
    }
}

fn home<'a>(wanted: &Wanted<'_>, site: &str, clusters: &'a [ClusterSpec]) -> Result<&'a ClusterSpec, ArrangeError> {
    let is_home = |cluster: &&ClusterSpec| {
        cluster.role == ClusterRole::Site && cluster.servers.iter().any(|server| server.member.site.as_str() == site)
    };
    clusters.iter().find(is_home).ok_or_else(|| {
        let what = format!("{} has the home site {site}, which the supercluster does not have", wanted.what);
        Rule::HomeSite.refuse(what, &[wanted.origin], "correct the site's name, or add the site")
    })
}

fn local<'a>(wanted: &Wanted<'_>, cluster: &'a ClusterSpec, replicas: Replicas) -> Result<Placed<'a>, ArrangeError> {
    let servers = cluster.servers.len();
    if usize::from(replicas.count()) > servers {
        return Err(Rule::ReplicasInOneCluster.refuse(
            format!(
                "{} is to have {} copies, and cluster {} has {servers} server(s) with JetStream",
                wanted.what,
                replicas.count(),
                cluster.name
            ),
            &[wanted.origin],
            "give the cluster more servers, or ask for fewer copies; to survive the loss of a site use `Replication::AcrossSites` in a \
             supercluster of three sites: gateways carry no copies",
        ));
    }
    Ok(Placed { cluster, replicas })
}

fn check_unique_tag(wanted: &Wanted<'_>, placed: &Placed<'_>, prefix: &str) -> Result<(), ArrangeError> {
    let of_server = |tags: &[String]| tags.iter().find(|tag| tag.starts_with(prefix)).cloned();
    let mut values: Vec<_> = placed.cluster.servers.iter().filter_map(|server| of_server(&server.tags)).collect();
    values.sort();
    values.dedup();
    if values.len() < usize::from(placed.replicas.count()) {
        return Err(Rule::UniqueTagValues.refuse(
            format!(
                "{} is to have {} copies on servers of cluster {} whose `{prefix}` tags differ, and there are {} such tags",
                wanted.what,
                placed.replicas.count(),
                placed.cluster.name,
                values.len()
            ),
            &[wanted.origin],
            "tag the servers differently, ask for fewer copies, or leave the unique tag away",
        ));
    }
    Ok(())
}

/// The copies that a bucket has by default: three where there are servers for them, else one.
fn most(cluster: &ClusterSpec) -> Replicas {
    if cluster.servers.len() >= 3 { Replicas::THREE } else { Replicas::ONE }
}

/// One copy per site, as far as an odd number of at most five goes.
fn across(hub: &ClusterSpec) -> Replicas {
    if hub.servers.len() >= 5 { Replicas::FIVE } else { Replicas::THREE }
}

/// What a bucket or stream placed so survives, as a sentence.
pub(super) fn survives(wanted: &Wanted<'_>, placed: &Placed<'_>) -> String {
    let cluster = placed.cluster;
    let copies = placed.replicas.count();
    let lost = copies / 2;
    let majority = lost + 1;
    let on = cluster.servers.len();
    let mut sentence = match (cluster.role, copies) {
        (ClusterRole::Hub, _) => format!(
            "one copy on each of {copies} of {on} sites: reads and writes go on when any {} lost, and nothing acknowledged is lost; \
             when {majority} sites with a copy are lost, what is stored is still read by key where a copy is left, and writes wait",
            plural(lost, "site is", "sites are")
        ),
        (_, 1) => format!(
            "one copy, on one server of {on} in cluster {}: while that server is away it is neither read nor written, and with its \
             disk it is lost",
            cluster.name
        ),
        _ => format!(
            "{copies} copies on {on} servers of cluster {}: reads and writes go on when any {} lost; when {majority} with a copy are \
             lost, what is stored is still read by key, and writes wait",
            cluster.name,
            plural(lost, "server is", "servers are")
        ),
    };
    if cluster.role == ClusterRole::Site {
        let site = &cluster.servers[0].member.site;
        sentence +=
            &format!("; while site {site} is away it is neither read nor written from any site, and with the site it is lost");
    }
    if wanted.storage == Storage::Memory {
        sentence += "; it is in memory, and gone when all servers that hold it stop";
    }
    sentence
}

fn plural(count: u8, one: &str, many: &str) -> String {
    if count == 1 { format!("one {one}") } else { format!("{count} {many}") }
}
