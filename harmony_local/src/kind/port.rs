//! A TCP port of this machine, chosen once and then kept.

use std::collections::BTreeSet;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Mutex;

use async_trait::async_trait;
use harmony::provider::{Failure, Known, Live, Observation, Provider, ProviderError};
use harmony::resource::Resource;
use harmony::run::Run;
use harmony::value::Output;
use harmony_types::{Digest, HostName, Port};
use serde::{Deserialize, Serialize};

use crate::nats::{ProcessIdentity, find, find_written_port};

/// A port on which a server of this place listens. Which one is derived from the server's name and its directory, moved on if that one is
/// taken when it is chosen, and then kept in the Ledger, until somebody else takes it while the server is away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalPort {
    /// Who listens there, and where.
    #[serde(flatten)]
    pub identity: PortIdentity,
    /// Who has it.
    pub holder: PortHolder,
}

/// Who has a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PortHolder {
    /// The server it was chosen for, or nobody while that is away.
    Server,
    /// Something else. Never, in a wish.
    AnotherProcess,
}

/// Who listens, for whom, and on which address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PortIdentity {
    /// The server.
    #[serde(flatten)]
    pub process: ProcessIdentity,
    /// For whom it listens there: `client`.
    pub role: String,
    /// The address it listens on.
    pub host: HostName,
}

impl fmt::Display for PortIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} on {}", self.role, self.process, self.host)
    }
}

/// The port that was chosen.
#[derive(Clone, Serialize, Deserialize)]
pub struct PortOutputs {
    /// Its number.
    pub port: Port,
}

impl LocalPort {
    /// The port's number.
    pub const PORT: Output<Self, Port> = Output::public("port");
}

impl Resource for LocalPort {
    const KIND: &'static str = "local-port/v1";
    const NOUN: &'static str = "port";
    const ADOPTS: bool = true;
    const KEEPS_OUTPUTS: bool = true;
    type Identity = PortIdentity;
    type Access = ();
    type Outputs = PortOutputs;

    fn identity(&self) -> PortIdentity {
        self.identity.clone()
    }
}

/// The ports are chosen from these: above those of well-known services, below those that Linux gives to clients (from 32768).
const FIRST: u16 = 15_000;
const LAST: u16 = 31_999;

/// Chooses ports that nothing else has. One for each place and run of the program.
#[derive(Default)]
pub(crate) struct Ports {
    taken: Mutex<BTreeSet<Port>>,
}

impl Ports {
    fn take(&self, port: Port) -> bool {
        // A poisoned lock still guards a set of numbers.
        self.taken.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert(port)
    }
}

/// Where the search for a free port begins: spread evenly by the server's name, its directory and the role, so that two checkouts of one
/// program do not seek the same ones.
fn preferred(identity: &PortIdentity) -> u16 {
    let digest = Digest::of(format!("{identity} {}", identity.process.config_file).as_bytes());
    let spread = u64::from_str_radix(&digest.hex()[..8], 16).unwrap_or_default();
    let offset = spread % u64::from(LAST - FIRST + 1);
    FIRST + u16::try_from(offset).unwrap_or_default()
}

fn failed(identity: &PortIdentity) -> String {
    format!("failed to choose the port {identity}")
}

fn address_of(identity: &PortIdentity) -> Result<IpAddr, ProviderError> {
    identity.host.address().ok_or_else(|| ProviderError::refused(failed(identity), "the host is not an IP address"))
}

#[async_trait]
impl Provider<LocalPort> for Ports {
    async fn observe(
        &self,
        run: &Run,
        (): &(),
        wanted: &[Known<LocalPort>],
    ) -> Result<Vec<Observation<LocalPort>>, ProviderError> {
        let look = |known: &Known<LocalPort>| {
            let identity = &known.identity;
            // Whoever has lost the Ledger keeps the ports: clients know them.
            let kept = match &known.kept {
                Some(kept) => Some(kept.clone()),
                None => find_written_port(run.io(), &identity.process, &identity.role)?.map(|port| PortOutputs { port }),
            };
            let Some(kept) = kept else { return Ok(Observation::Absent) };
            self.take(kept.port);
            let address = SocketAddr::new(address_of(identity)?, kept.port.number());
            let is_ours = run.io().is_address_free(address)? || find(run.io(), &identity.process)?.is_some();
            let holder = if is_ours { PortHolder::Server } else { PortHolder::AnotherProcess };
            Ok(Observation::there(LocalPort { identity: identity.clone(), holder }, kept))
        };
        wanted.iter().map(look).collect()
    }

    async fn apply(
        &self,
        run: &Run,
        (): &(),
        desired: &LocalPort,
        _: Option<&Live<LocalPort>>,
    ) -> Result<PortOutputs, ProviderError> {
        let identity = &desired.identity;
        let address = address_of(identity)?;
        let first = preferred(identity);
        for number in (first..=LAST).chain(FIRST..first) {
            let Some(port) = Port::new(number) else { continue };
            if self.take(port) && run.io().is_address_free(SocketAddr::new(address, number))? {
                if number != first {
                    run.progress(format!("{first} is taken, using {number}"));
                }
                return Ok(PortOutputs { port });
            }
        }
        let failure = Failure::new(failed(identity), format!("all ports from {FIRST} to {LAST} are taken"));
        Err(ProviderError::Refused(failure.with_hint("stop something that listens on one of them")))
    }

    async fn delete(&self, _: &Run, (): &(), _: &PortIdentity) -> Result<(), ProviderError> {
        Ok(())
    }
}
