//! Running NATS servers.

use harmony_types::{AccountName, SiteName, SystemName, UserName};

use super::certificates::CertificateAuthorities;
use super::listener::{Listener, ListenersWanted};
use super::secrets::KeepsSecrets;
use crate::address::Address;
use crate::error::ArrangeError;
use crate::modules::nats::access::NatsAccess;
use crate::modules::nats::assets::{AccountContents, KvBucket, ServerMembership, Stream};
use crate::modules::nats::proof::{
    CredentialRefused, CredentialWorks, GatewaysReachEveryCluster, KvReachesEverySite, Member, PermissionsHold, ServersAgree,
    SystemAccountHoldsNoData,
};
use crate::modules::nats::spec::{LogLevel, ServerSpec};
use crate::modules::tls::SubjectName;
use crate::stage::Stage;
use crate::topology::{Hosts, Proves};
use crate::value::Text;

/// Runs NATS servers.
#[diagnostic::on_unimplemented(
    message = "topology `{Self}` cannot run NATS servers",
    note = "give it a client with `.with_nats(harmony_nats::client())`, or choose a topology in docs/reference/capabilities.md"
)]
pub trait Nats:
    KeepsSecrets
    + CertificateAuthorities
    + Proves<ServersAgree>
    + Proves<GatewaysReachEveryCluster>
    + Proves<SystemAccountHoldsNoData>
    + Proves<CredentialWorks>
    + Proves<CredentialRefused>
    + Proves<PermissionsHold>
{
    /// Says where a server will stand here and how it is dialled, and adds what that takes (a reserved port, a Service).
    ///
    /// # Errors
    /// [`ArrangeError::Unsupported`] if the place cannot have such a server, or nobody reaches it from where it is to be dialled.
    fn arrange_placement(&self, server: &Member, wanted: ListenersWanted, stage: &mut Stage) -> Result<Placement, ArrangeError>;

    /// Adds what runs the server here, and returns the address of what is ready when the server is.
    ///
    /// # Errors
    /// [`ArrangeError::Unsupported`] if the place cannot run it.
    fn arrange_server(&self, server: &ServerArrangement, stage: &mut Stage) -> Result<Address, ArrangeError>;

    /// Adds what hands a credential to its user here (a file, a Secret).
    ///
    /// # Errors
    /// [`ArrangeError`] if two credentials would be handed out under one name.
    fn arrange_credential(&self, credential: &CredentialFile, stage: &mut Stage) -> Result<(), ArrangeError>;
}

/// Runs NATS servers that hold streams.
#[diagnostic::on_unimplemented(
    message = "topology `{Self}` cannot hold JetStream streams",
    note = "give it a client with `.with_nats(harmony_nats::client())`, or choose a topology in docs/reference/capabilities.md"
)]
pub trait NatsJetstream: Nats + Hosts<AccountContents> + Hosts<ServerMembership> + Proves<KvReachesEverySite> {
    /// Adds a bucket in the system that `access` reaches.
    ///
    /// # Errors
    /// [`ArrangeError`] if it is there twice.
    fn arrange_bucket(&self, access: &NatsAccess, bucket: &KvBucket, stage: &mut Stage) -> Result<Address, ArrangeError>;

    /// Adds a stream in the system that `access` reaches.
    ///
    /// # Errors
    /// [`ArrangeError`] if it is there twice.
    fn arrange_stream(&self, access: &NatsAccess, stream: &Stream, stage: &mut Stage) -> Result<Address, ArrangeError>;
}

/// What a site of a supercluster has to offer.
pub trait NatsSite: NatsJetstream {}

impl<T: NatsJetstream + ?Sized> NatsSite for T {}

/// Runs NATS servers on several sites.
#[diagnostic::on_unimplemented(
    message = "topology `{Self}` has no sites for a NATS supercluster",
    note = "give it a client with `.with_nats(harmony_nats::client())`, or choose a topology in docs/reference/capabilities.md that has sites"
)]
pub trait NatsSupercluster: NatsJetstream {
    /// The place that plays a site.
    ///
    /// # Errors
    /// [`ArrangeError::Unsupported`] if there is no such site.
    fn nats_site(&self, site: &SiteName) -> Result<&dyn NatsSite, ArrangeError>;
}

// Composites hold them as trait objects.
const _: fn(&dyn Nats, &dyn NatsJetstream, &dyn NatsSupercluster) = |_, _, _| {};

/// Where a server will stand.
#[derive(Debug, Clone)]
pub struct Placement {
    /// For clients.
    pub client: Listener,
    /// For the other servers of its cluster.
    pub cluster: Option<Listener>,
    /// For other clusters.
    pub gateway: Option<Listener>,
    /// For monitoring, which asks for no credential: on the loopback interface, and only if the place was told to.
    pub monitoring: Option<Listener>,
    /// Where the program itself reaches the listener for clients, as one of the servers of a [`NatsAccess`].
    pub reached: Text,
    /// How much it logs there.
    pub log: LogLevel,
    /// The names its certificate has to be for.
    pub names: Vec<SubjectName>,
    /// Where its files are, as it sees them.
    pub paths: ServerPaths,
}

/// Where a server's files are, as the server sees them: absolute paths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerPaths {
    /// Its certificate, PEM.
    pub certificate: String,
    /// Its key, PEM.
    pub key: String,
    /// The authorities it trusts, PEM.
    pub trust: String,
    /// Where its streams rest.
    pub store: String,
    /// Its log; standard error if the place collects that.
    pub log: Option<String>,
}

/// A server to be run.
#[derive(Debug, Clone)]
pub struct ServerArrangement {
    /// The system it belongs to; of its servers only one is changed at a time.
    pub system: SystemName,
    /// Where in the system it is.
    pub member: Member,
    /// The listeners it has, as they were asked for when it was placed.
    pub wanted: ListenersWanted,
    /// What it is.
    pub spec: ServerSpec,
    /// Its certificate, PEM.
    pub certificate: Text,
    /// Its key, PEM.
    pub key: Text,
    /// The authorities it trusts, PEM.
    pub trust: Text,
    /// A user of the system account, to look after this very server with.
    pub operator: NatsAccess,
}

/// A credential to be handed to its user.
#[derive(Debug, Clone)]
pub struct CredentialFile {
    /// The system it is for.
    pub system: SystemName,
    /// The account.
    pub account: AccountName,
    /// The user.
    pub user: UserName,
    /// The credential, and how to reach the system with it.
    pub access: NatsAccess,
    /// What the `nats` program can be told to do with it, as its arguments: `kv ls HARMONY`.
    pub example: String,
}
