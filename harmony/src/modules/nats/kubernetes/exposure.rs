//! How servers in a cluster are dialled from outside of it.

use harmony_types::HostName;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How NATS servers in a cluster are dialled from outside of it: each on its own, because servers and clients look for one server and not for
/// any. What is dialled goes into the servers' configuration and certificates. Exposed are the ports for clients, and of a system with sites
/// on other places those for gateways and, where a cluster has servers on several places, for routes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Exposure {
    /// Not at all. The program itself comes through the API server.
    #[default]
    Internal,
    /// On ports of every node, which the API server chooses and keeps as long as the server's Service is there.
    NodePort {
        /// An address or a name at which the nodes are dialled; any of them will do.
        host: HostName,
    },
    /// Through a load balancer for each server.
    LoadBalancer {
        /// Server `SERVER` is dialled as `SERVER.domain`, which whoever has the domain lets lead to its load balancer. If none is said, it is
        /// dialled as the cluster says that its load balancer is reached.
        domain: Option<HostName>,
    },
}
