//! Where a system stands.

use std::collections::BTreeMap;

use harmony_types::{PlaceName, SiteName};

use crate::address::Address;
#[cfg(feature = "k8s")]
use crate::capability::NatsOnKubernetes;
use crate::capability::{CredentialFile, ListenersWanted, Nats, NatsSupercluster, Placement, ServerArrangement};
use crate::error::ArrangeError;
#[cfg(feature = "k8s")]
use crate::modules::nats::kubernetes::NatsK8sSettings;
use crate::modules::nats::proof::Member;
use crate::stage::Stage;

/// Where a system stands.
pub(in crate::modules::nats) enum Places<'t> {
    /// On one place.
    One(&'t dyn Nats),
    /// On a place that has sites.
    Several(&'t dyn NatsSupercluster),
    /// In pods that are as this says.
    #[cfg(feature = "k8s")]
    Pods(&'t dyn NatsOnKubernetes, Box<NatsK8sSettings>),
}

impl<'t> Places<'t> {
    /// The place that keeps what belongs to no site.
    pub(super) fn home(&self) -> &'t dyn Nats {
        match self {
            Self::One(place) => *place,
            Self::Several(place) => *place,
            #[cfg(feature = "k8s")]
            Self::Pods(place, _) => *place,
        }
    }

    /// The place of a site.
    pub(super) fn site(&self, site: &SiteName) -> Result<&'t dyn Nats, ArrangeError> {
        match self {
            Self::Several(place) => Ok(place.nats_site(site)?),
            _ => Ok(self.home()),
        }
    }

    /// Where a server will stand.
    pub(super) fn arrange_placement(
        &self,
        member: &Member,
        wanted: ListenersWanted,
        stage: &mut Stage<'_>,
    ) -> Result<Placement, ArrangeError> {
        match self {
            #[cfg(feature = "k8s")]
            Self::Pods(place, settings) => place.arrange_pod_placement(settings, member, wanted, stage),
            _ => self.site(&member.site)?.arrange_placement(member, wanted, stage),
        }
    }

    /// Adds what runs a server.
    pub(super) fn arrange_server(&self, server: &ServerArrangement, stage: &mut Stage<'_>) -> Result<Address, ArrangeError> {
        match self {
            #[cfg(feature = "k8s")]
            Self::Pods(place, settings) => place.arrange_pod(settings, server, stage),
            _ => self.site(&server.member.site)?.arrange_server(server, stage),
        }
    }

    /// Adds what hands a credential to its user on one of the places.
    pub(super) fn arrange_credential(
        &self,
        on: &dyn Nats,
        credential: &CredentialFile,
        stage: &mut Stage<'_>,
    ) -> Result<(), ArrangeError> {
        match self {
            #[cfg(feature = "k8s")]
            Self::Pods(place, settings) => place.arrange_client_secrets(settings, credential, stage),
            _ => on.arrange_credential(credential, stage),
        }
    }

    /// The place of each of these sites, by its name.
    pub(super) fn by_site(&self, sites: &[SiteName]) -> Result<BTreeMap<SiteName, PlaceName>, ArrangeError> {
        sites.iter().map(|site| Ok((site.clone(), self.site(site)?.name().clone()))).collect()
    }

    /// The places of these sites, each once, in the order of the sites.
    pub(super) fn all(&self, sites: &[SiteName]) -> Result<Vec<&'t dyn Nats>, ArrangeError> {
        let mut all: Vec<&'t dyn Nats> = Vec::new();
        for site in sites {
            let place = self.site(site)?;
            if !all.iter().any(|known| known.name() == place.name()) {
                all.push(place);
            }
        }
        Ok(all)
    }
}
