//! What has to hold for the servers of a system, once a place has filled them in.

use std::collections::BTreeSet;

use harmony_types::{HostName, TimeSpan};
use url::Url;

use super::rule::Rule;
use super::server::{LogLevel, Monitoring, ServerSpec};
use crate::error::ArrangeError;
use crate::origin::Origin;
use crate::value::Text;

/// Checks what NATS' own check of a configuration does not find, or finds only at the start of some server. What is known only later
/// is passed over.
///
/// # Errors
/// [`ArrangeError::Refused`], whose hint names the [`Rule`].
pub fn check_servers(servers: &[ServerSpec], origin: &Origin) -> Result<(), ArrangeError> {
    let mut names = BTreeSet::new();
    if let Some(twice) = servers.iter().find(|server| !names.insert(&server.name)) {
        return Err(Rule::ServerNamesDiffer.refuse(
            format!("two servers are called {}", twice.name),
            &[origin],
            "give each a name of its own: JetStream tells servers apart by it",
        ));
    }
    servers.iter().try_for_each(|server| {
        check_blocks(server, origin)?;
        check_addresses(server, origin)?;
        check_accounts(server, origin)?;
        check_operation(server, origin)
    })
}

fn check_blocks(server: &ServerSpec, origin: &Origin) -> Result<(), ArrangeError> {
    match (&server.cluster, &server.gateway) {
        (Some(cluster), Some(gateway)) if cluster.name != gateway.name => {
            return Err(Rule::GatewayNamedAsCluster.refuse(
                format!("server {} of cluster {} has a gateway called {}", server.name, cluster.name, gateway.name),
                &[origin],
                "give both one name: the server does not start otherwise",
            ));
        }
        (None, Some(gateway)) => {
            return Err(Rule::GatewayNeedsCluster.refuse(
                format!("server {} has the gateway {} and no cluster", server.name, gateway.name),
                &[origin],
                "put it into a cluster of one: its JetStream would keep to itself otherwise",
            ));
        }
        _ => {}
    }
    match &server.cluster {
        Some(cluster) if cluster.routes.is_empty() && server.jetstream.is_some() => Err(Rule::ClusterNeedsRoutes.refuse(
            format!("server {} of cluster {} has JetStream and no routes", server.name, cluster.name),
            &[origin],
            "add the other servers, or a route to itself: the server does not start otherwise",
        )),
        _ => Ok(()),
    }
}

fn check_addresses(server: &ServerSpec, origin: &Origin) -> Result<(), ArrangeError> {
    let refuse = |what: &str, text: &str| {
        // The text may hold a password: only what cannot is shown.
        let shown = text.rsplit('@').next().unwrap_or_default();
        Rule::UrlParses.refuse(
            format!("{what} `{shown}` of server {} cannot be dialled", server.name),
            &[origin],
            "write a host for a route, `nats://host:port` or `tls://host:port` for a gateway",
        )
    };
    for route in server.cluster.iter().flat_map(|cluster| &cluster.routes) {
        if let Some(host) = known(&route.host).filter(|host| host.parse::<HostName>().is_err()) {
            return Err(refuse("the route", host));
        }
    }
    for url in server.gateway.iter().flat_map(|gateway| &gateway.remotes).flat_map(|remote| &remote.urls) {
        if let Some(url) = known(url).filter(|url| !is_server_url(url)) {
            return Err(refuse("the gateway", url));
        }
    }
    Ok(())
}

fn known(text: &Text) -> Option<&str> {
    text.get().ok().map(String::as_str)
}

fn is_server_url(text: &str) -> bool {
    let host_is_plain = |url: &Url| url.host_str().is_some_and(|host| host.trim_matches(['[', ']']).parse::<HostName>().is_ok());
    Url::parse(text)
        .is_ok_and(|url| matches!(url.scheme(), "nats" | "tls") && url.port().is_some_and(|port| port > 0) && host_is_plain(&url))
}

fn check_accounts(server: &ServerSpec, origin: &Origin) -> Result<(), ArrangeError> {
    match server.accounts.iter().find(|account| account.name == server.system_account) {
        None => Err(Rule::SystemAccountListed.refuse(
            format!("server {} has no account {}, which it calls the system account", server.name, server.system_account),
            &[origin],
            "add it to the accounts",
        )),
        Some(account) if account.jetstream.is_some() => Err(Rule::SystemAccountHoldsNothing.refuse(
            format!("the system account {} of server {} has JetStream", account.name, server.name),
            &[origin],
            "leave JetStream off in it: the server does not start otherwise, though its own check finds nothing",
        )),
        Some(_) => Ok(()),
    }
}

fn check_operation(server: &ServerSpec, origin: &Origin) -> Result<(), ArrangeError> {
    if server.log != LogLevel::Normal && server.monitoring == Monitoring::Closed {
        return Err(Rule::DebugNeedsMonitoring.refuse(
            format!("server {} logs for debugging and has its monitoring closed", server.name),
            &[origin],
            "open monitoring on this machine, or log normally",
        ));
    }
    match server.lame_duck {
        Some(span) if span < TimeSpan::seconds(30) => Err(Rule::LameDuck.refuse(
            format!("server {} has a lame duck mode of {span}", server.name),
            &[origin],
            "use 30s or more: the server does not start otherwise",
        )),
        _ => Ok(()),
    }
}
