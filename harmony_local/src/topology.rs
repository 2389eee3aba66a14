//! This machine as a place.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use harmony::modules::nats::client::{MayHaveNats, NatsClient, WithNats, WithoutNats};
use harmony::modules::nats::spec::LogLevel;
use harmony::provider::{Failure, ProviderError};
use harmony::topology::{Check, Fetching, Site, Survey};
use harmony_types::{HostName, PlaceName};
use serde::{Deserialize, Serialize};

use crate::checks;
use crate::kind::Ports;
use crate::nats::{READY_WITHIN, failed};
use crate::nats_server::{self, Found, Search};
use crate::place::{LocalPlace, Program};

/// This machine, not yet looked at. `N` says whether it has a client of NATS: without one it cannot run NATS servers.
pub struct LocalTopology<N = WithoutNats> {
    name: String,
    listen: HostName,
    advertise: Option<HostName>,
    monitoring: Monitoring,
    log: LogLevel,
    nats_server: Option<PathBuf>,
    ready_within: Duration,
    nats: N,
}

/// Whether servers answer on a monitoring port, which asks for no credential.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Monitoring {
    /// They do not.
    #[default]
    Closed,
    /// They do, on 127.0.0.1 only.
    Open,
}

impl LocalTopology {
    /// This machine, under a name that is unique in the program (an RFC 1123 label; checked when the machine is looked at). Everything
    /// listens on 127.0.0.1.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            listen: HostName::loopback(),
            advertise: None,
            monitoring: Monitoring::Closed,
            log: LogLevel::Normal,
            nats_server: None,
            ready_within: READY_WITHIN,
            nats: WithoutNats,
        }
    }
}

impl<N> LocalTopology<N> {
    /// The same with a client of NATS: it can then run NATS servers.
    #[must_use]
    pub fn with_nats(self, client: impl NatsClient + 'static) -> LocalTopology<WithNats> {
        LocalTopology {
            name: self.name,
            listen: self.listen,
            advertise: self.advertise,
            monitoring: self.monitoring,
            log: self.log,
            nats_server: self.nats_server,
            ready_within: self.ready_within,
            nats: WithNats(Arc::new(client)),
        }
    }

    /// The same, with everything listening on another address of this machine.
    #[must_use]
    pub fn with_listen_address(mut self, address: HostName) -> Self {
        self.listen = address;
        self
    }

    /// The same, dialled by others under another name or address than it listens on.
    #[must_use]
    pub fn with_advertised_host(mut self, host: HostName) -> Self {
        self.advertise = Some(host);
        self
    }

    /// The same, with servers that answer on a monitoring port. What they log stays as it is.
    #[must_use]
    pub fn with_monitoring(mut self) -> Self {
        self.monitoring = Monitoring::Open;
        self
    }

    /// The same, with servers that log so much. Whoever debugs wants to look: more than normal opens the monitoring port too.
    #[must_use]
    pub fn with_log(mut self, log: LogLevel) -> Self {
        self.log = log;
        if log != LogLevel::Normal {
            self.monitoring = Monitoring::Open;
        }
        self
    }

    /// The same, with this nats-server program instead of the one in `PATH` or the pinned one.
    #[must_use]
    pub fn with_nats_server(mut self, program: impl Into<PathBuf>) -> Self {
        self.nats_server = Some(program.into());
        self
    }

    /// The same, with another limit for a server to be ready after it was started; one that takes longer is stopped. Default: 20 s.
    #[must_use]
    pub fn with_ready_within(mut self, limit: Duration) -> Self {
        self.ready_within = limit;
        self
    }

    fn search(&self, site: &Site) -> Search {
        let fetching = match site.fetching {
            Fetching::Allowed => nats_server::Fetching::Allowed,
            Fetching::Forbidden => nats_server::Fetching::Forbidden,
        };
        let search = Search::from_environment().with_fetching(fetching);
        match &self.nats_server {
            Some(program) => search.with_explicit(program),
            None => search,
        }
    }
}

/// What looking at this machine finds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalFacts {
    /// Which nats-server program there is; none on a machine without a client of NATS.
    pub nats_server: Option<Program>,
}

#[async_trait]
impl<N: MayHaveNats> Survey for LocalTopology<N>
where
    LocalPlace<N>: harmony::topology::Topology,
{
    type Facts = LocalFacts;
    type Surveyed = LocalPlace<N>;

    async fn survey(&self, site: &Site) -> Result<LocalFacts, ProviderError> {
        if !N::RUNS_NATS {
            return Ok(LocalFacts { nats_server: None });
        }
        let found = nats_server::find(&site.io, &self.search(site)).await.map_err(failed)?;
        let program = match found {
            Found::Installed { path, version, origin: nats_server::Origin::Explicit | nats_server::Origin::Path } => {
                Program::Here { path, version }
            }
            // What is in the cache already and what will be put there are one thing, so that an arrangement does not change by it.
            Found::Installed { version, .. } => Program::Pinned { version },
            Found::Missing(missing) => Program::Pinned { version: missing.version },
        };
        Ok(LocalFacts { nats_server: Some(program) })
    }

    async fn examine(&self, site: &Site) -> Vec<Check> {
        let mut checks = checks::recorded(site).await;
        if N::RUNS_NATS {
            checks.insert(0, checks::nats_server(&self.search(site), site).await);
        }
        checks
    }

    fn with_facts(self, site: &Site, facts: LocalFacts) -> Result<LocalPlace<N>, ProviderError> {
        let name: PlaceName = self.name.parse().map_err(|error| {
            let failure = Failure::new("the place cannot be used", error);
            ProviderError::Refused(failure.with_hint("correct the name given to `LocalTopology::new`"))
        })?;
        let search = self.search(site);
        Ok(LocalPlace {
            name,
            site: site.clone(),
            listen: self.listen,
            advertise: self.advertise,
            monitoring: self.monitoring,
            log: self.log,
            program: facts.nats_server,
            ready_within: self.ready_within,
            nats: self.nats,
            search,
            ports: Arc::new(Ports::default()),
        })
    }
}
