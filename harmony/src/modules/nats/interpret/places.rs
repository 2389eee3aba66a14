//! Where a system stands.

use harmony_types::SiteName;

use crate::capability::{Nats, NatsSupercluster};
use crate::error::ArrangeError;

/// Where a system stands.
pub(super) enum Places<'t> {
    /// On one place.
    One(&'t dyn Nats),
    /// On a place that has sites.
    Several(&'t dyn NatsSupercluster),
}

impl<'t> Places<'t> {
    /// The place that keeps what belongs to no site.
    pub(super) fn home(&self) -> &'t dyn Nats {
        match self {
            Self::One(place) => *place,
            Self::Several(place) => *place,
        }
    }

    /// The place of a site.
    pub(super) fn site(&self, site: &SiteName) -> Result<&'t dyn Nats, ArrangeError> {
        match self {
            Self::One(place) => Ok(*place),
            Self::Several(place) => Ok(place.nats_site(site)?),
        }
    }
}
