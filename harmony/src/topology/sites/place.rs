//! Several places as one: what stands on which of them, and what it keeps itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use harmony_types::{PlaceName, SiteName};

use crate::address::Address;
use crate::capability::{
    CredentialFile, ListenersWanted, Nats, NatsJetstream, NatsSite, NatsSupercluster, Placement, ServerArrangement,
};
use crate::error::ArrangeError;
use crate::modules::nats::access::NatsAccess;
use crate::modules::nats::assets::{self, KvBucket, Stream};
use crate::modules::nats::client::NatsClient;
use crate::modules::nats::hosting::{HasNatsClient, register_nats};
use crate::modules::nats::proof::Member;
use crate::modules::secret::hosting::{UsesSecretStore, register_secrets};
use crate::provider::Failure;
use crate::stage::Stage;
use crate::topology::{Providers, Site, Topology};

/// Several places, looked at, with what belongs to no site. See [`Sites`](super::Sites).
pub struct SitesPlace {
    pub(super) name: PlaceName,
    pub(super) site: Site,
    pub(super) client: Arc<dyn NatsClient>,
    pub(super) sites: BTreeMap<SiteName, Box<dyn NatsSite>>,
    /// The places that do not answer, and why.
    pub(super) silent: BTreeMap<PlaceName, Failure>,
}

impl SitesPlace {
    /// It has no ground of its own.
    fn stands_nowhere(&self, what: &str) -> ArrangeError {
        ArrangeError::Unsupported {
            place: self.name.to_string(),
            what: format!("{what}: only its sites run servers"),
            alternative: format!("declare the system by site, with `NatsSuperclusterScore` and the sites {}", self.names()),
        }
    }

    fn names(&self) -> String {
        self.sites.keys().map(SiteName::as_str).collect::<Vec<_>>().join(", ")
    }
}

impl Topology for SitesPlace {
    fn name(&self) -> &PlaceName {
        &self.name
    }

    fn site(&self) -> &Site {
        &self.site
    }

    fn register(&self, providers: &mut Providers) {
        register_secrets(self, providers);
        register_nats(self, providers);
        self.sites.values().for_each(|place| place.register(providers));
        self.silent.iter().for_each(|(place, why)| providers.note_silence(place, why.clone()));
    }

    /// One that is makes all so: what a Ledger from elsewhere says of it is not true here.
    fn is_of_this_machine(&self) -> bool {
        self.sites.values().any(|place| place.is_of_this_machine())
    }
}

impl UsesSecretStore for SitesPlace {}

impl HasNatsClient for SitesPlace {
    fn nats_client(&self) -> Arc<dyn NatsClient> {
        self.client.clone()
    }
}

impl Nats for SitesPlace {
    fn arrange_placement(&self, member: &Member, _: ListenersWanted, _: &mut Stage) -> Result<Placement, ArrangeError> {
        Err(self.stands_nowhere(&format!("run server {} itself", member.server)))
    }

    fn arrange_server(&self, server: &ServerArrangement, _: &mut Stage) -> Result<Address, ArrangeError> {
        Err(self.stands_nowhere(&format!("run server {} itself", server.spec.name)))
    }

    fn arrange_credential(&self, credential: &CredentialFile, _: &mut Stage) -> Result<(), ArrangeError> {
        Err(self.stands_nowhere(&format!("hand out the credential of {}", credential.user)))
    }
}

impl NatsJetstream for SitesPlace {
    fn arrange_bucket(&self, access: &NatsAccess, bucket: &KvBucket, stage: &mut Stage) -> Result<Address, ArrangeError> {
        assets::arrange_bucket(self, access, bucket, stage)
    }

    fn arrange_stream(&self, access: &NatsAccess, stream: &Stream, stage: &mut Stage) -> Result<Address, ArrangeError> {
        assets::arrange_stream(self, access, stream, stage)
    }
}

impl NatsSupercluster for SitesPlace {
    fn nats_site(&self, site: &SiteName) -> Result<&dyn NatsSite, ArrangeError> {
        match self.sites.get(site) {
            Some(place) => Ok(place.as_ref()),
            None => Err(ArrangeError::Unsupported {
                place: self.name.to_string(),
                what: format!("be site {site}: no place was given for it"),
                alternative: format!("give it one, `.with_site(\"{site}\", …)`, or name one of {}", self.names()),
            }),
        }
    }
}
