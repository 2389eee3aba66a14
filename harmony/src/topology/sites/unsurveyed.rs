//! A place that has not been looked at, of whatever kind.

use async_trait::async_trait;
use serde_json::Value as Json;

use crate::capability::NatsSite;
use crate::provider::{Failure, ProviderError};
use crate::topology::{Check, Site, Survey};

/// [`Survey`] without its types: facts are JSON.
#[async_trait]
pub(super) trait Unsurveyed: Send + Sync {
    async fn survey(&self, site: &Site) -> Result<Json, ProviderError>;
    fn presumed(&self) -> Option<Json>;
    async fn examine(&self, site: &Site) -> Vec<Check>;
    fn keep_state(&self, site: Site) -> Result<Site, ProviderError>;
    fn with_facts(self: Box<Self>, site: &Site, facts: Json) -> Result<Box<dyn NatsSite>, ProviderError>;
}

/// A place of one kind.
pub(super) struct Typed<P>(pub(super) P);

#[async_trait]
impl<P: Survey> Unsurveyed for Typed<P>
where
    P::Surveyed: NatsSite + 'static,
{
    async fn survey(&self, site: &Site) -> Result<Json, ProviderError> {
        let facts = self.0.survey(site).await?;
        serde_json::to_value(facts).map_err(|error| ProviderError::refused("the facts of a place cannot be written", error))
    }

    fn presumed(&self) -> Option<Json> {
        serde_json::to_value(self.0.presumed()?).ok()
    }

    async fn examine(&self, site: &Site) -> Vec<Check> {
        self.0.examine(site).await
    }

    fn keep_state(&self, site: Site) -> Result<Site, ProviderError> {
        self.0.keep_state(site)
    }

    fn with_facts(self: Box<Self>, site: &Site, facts: Json) -> Result<Box<dyn NatsSite>, ProviderError> {
        let facts = serde_json::from_value(facts).map_err(|error| {
            let failure = Failure::new("the facts of a place do not have its form", error);
            ProviderError::Refused(failure.with_hint("make the facts anew: `facts > FILE`"))
        })?;
        Ok(Box::new(self.0.with_facts(site, facts)?))
    }
}
