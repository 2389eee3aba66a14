//! Adding places, and looking at all of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use futures::future::join_all;
use harmony_types::{PlaceName, SiteName};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::place::SitesPlace;
use super::unsurveyed::{Typed, Unsurveyed};
use crate::capability::NatsSite;
use crate::modules::nats::client::NatsClient;
use crate::provider::{Failure, ProviderError};
use crate::topology::{Check, Site, Survey};

/// Several places, one for each site, not yet looked at. They may be of different kinds; a Score that is declared by site does not say which.
///
/// ```
/// use harmony::capability::NatsJetstream;
/// use harmony::modules::nats::client::NatsClient;
/// use harmony::topology::{Sites, Survey};
///
/// fn sites<C, M>(nats: impl NatsClient + 'static, east: C, north: C, office: M) -> Sites
/// where
///     C: Survey<Surveyed: NatsJetstream> + 'static,
///     M: Survey<Surveyed: NatsJetstream> + 'static,
/// {
///     Sites::new("sites", nats).with_site("east", east).with_site("north", north).with_site("office", office)
/// }
/// ```
pub struct Sites {
    name: String,
    client: Arc<dyn NatsClient>,
    sites: Vec<(String, Box<dyn Unsurveyed>)>,
}

impl Sites {
    /// No site yet. `name` (an RFC 1123 label, unique among the places of the program; checked when the places are looked at) is what the keeper of
    /// all that belongs to no site is called: `sites`. The places have to be given clones of `client`, so that it knows the ways to the servers
    /// of each.
    #[must_use]
    pub fn new(name: &str, client: impl NatsClient + 'static) -> Self {
        Self { name: name.to_owned(), client: Arc::new(client), sites: Vec::new() }
    }

    /// The same with the place of another site. Each site has a place of its own, and each place a name of its own.
    #[must_use]
    pub fn with_site<P>(mut self, site: &str, place: P) -> Self
    where
        P: Survey + 'static,
        P::Surveyed: NatsSite + 'static,
    {
        self.sites.push((site.to_owned(), Box::new(Typed(place))));
        self
    }

    /// Looks at all of them at once: what was found, and where nothing was.
    async fn look(&self, site: &Site) -> Result<(BTreeMap<SiteName, Json>, Vec<(SiteName, ProviderError)>), ProviderError> {
        let looks = self.named()?.into_iter().map(|(name, place)| async move { (name, place.survey(site).await) });
        let (mut by_site, mut errors) = (BTreeMap::new(), Vec::new());
        for (name, found) in join_all(looks).await {
            match found {
                Ok(facts) => {
                    by_site.insert(name, facts);
                }
                Err(error) => errors.push((name, error)),
            }
        }
        Ok((by_site, errors))
    }

    /// The sites by their names.
    fn named(&self) -> Result<BTreeMap<SiteName, &dyn Unsurveyed>, ProviderError> {
        let mut named = BTreeMap::new();
        for (name, place) in &self.sites {
            let site: SiteName = name.parse().map_err(|error| unfit(error, "correct the name given to `with_site`"))?;
            if named.insert(site, place.as_ref()).is_some() {
                return Err(unfit(format!("site {name} is given twice"), "give each site one place"));
            }
        }
        Ok(named)
    }
}

/// What looking at the places of all sites finds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SitesFacts {
    by_site: BTreeMap<SiteName, Json>,
    /// Whose facts are presumed, because they do not answer; why.
    #[serde(skip)]
    silent: BTreeMap<SiteName, Failure>,
}

#[async_trait]
impl Survey for Sites {
    type Facts = SitesFacts;
    type Surveyed = SitesPlace;

    /// Those that cannot be looked at are named together.
    async fn survey(&self, site: &Site) -> Result<SitesFacts, ProviderError> {
        let (by_site, errors) = self.look(site).await?;
        match lost(errors) {
            Some(error) => Err(error),
            None => Ok(SitesFacts { by_site, silent: BTreeMap::new() }),
        }
    }

    /// A site that does not answer is presumed to be as its place says. One that answers with something else than its facts is an error.
    async fn survey_what_answers(&self, site: &Site) -> Result<SitesFacts, ProviderError> {
        let places = self.named()?;
        let (mut by_site, errors) = self.look(site).await?;
        let presumed = |name: &SiteName| places.get(name).and_then(|place| place.presumed());
        let mut silent = BTreeMap::new();
        for (name, error) in &errors {
            match (error, presumed(name)) {
                (ProviderError::Unreachable(_) | ProviderError::RetryLater(_), Some(facts)) if errors.len() < places.len() => {
                    let hint = error.hint().map(str::to_owned);
                    by_site.insert(name.clone(), facts);
                    silent.insert(name.clone(), Failure { hint, ..error.failure().clone() });
                }
                _ => return Err(lost(errors.clone()).unwrap_or_else(|| error.clone())),
            }
        }
        Ok(SitesFacts { by_site, silent })
    }

    async fn examine(&self, site: &Site) -> Vec<Check> {
        join_all(self.sites.iter().map(|(_, place)| place.examine(site))).await.concat()
    }

    /// The state is kept by the place of one site, if that was asked to; a second one refuses.
    fn keep_state(&self, site: Site) -> Result<Site, ProviderError> {
        self.sites.iter().try_fold(site, |site, (_, place)| place.keep_state(site))
    }

    fn with_facts(self, site: &Site, mut facts: SitesFacts) -> Result<SitesPlace, ProviderError> {
        self.named()?;
        let name: PlaceName = self.name.parse().map_err(|error| unfit(error, "correct the name given to `Sites::new`"))?;
        let mut names = BTreeSet::from([name.clone()]);
        let (mut sites, mut silent) = (BTreeMap::new(), BTreeMap::new());
        for (text, place) in self.sites {
            let of: SiteName = text.parse().map_err(|error| unfit(error, "correct the name given to `with_site`"))?;
            let missing = || unfit(format!("the facts say nothing of site {of}"), "make the facts anew: `facts > FILE`");
            let place = place.with_facts(site, facts.by_site.remove(&of).ok_or_else(missing)?)?;
            if !names.insert(place.name().clone()) {
                let why = format!("two places are called {}", place.name());
                return Err(unfit(why, "give each place, and `Sites` itself, a name of its own"));
            }
            if let Some(failure) = facts.silent.remove(&of) {
                silent.insert(place.name().clone(), failure);
            }
            sites.insert(of, place);
        }
        Ok(SitesPlace { name, site: site.clone(), client: self.client, sites, silent })
    }
}

fn unfit(why: impl ToString, hint: &str) -> ProviderError {
    ProviderError::Refused(Failure::new("the places cannot be used", why).with_hint(hint))
}

/// What the first one fails with, and in what the others fail.
fn lost(errors: Vec<(SiteName, ProviderError)>) -> Option<ProviderError> {
    let mut errors = errors.into_iter();
    let (site, mut first) = errors.next()?;
    let more: String = errors.map(|(site, error)| format!("; site {site}: {error}")).collect();
    let (ProviderError::Refused(failure)
    | ProviderError::Conflict(failure)
    | ProviderError::Unreachable(failure)
    | ProviderError::RetryLater(failure)
    | ProviderError::NotPermitted(failure)
    | ProviderError::Stopped(failure)) = &mut first;
    failure.what = format!("site {site}: {}", failure.what);
    failure.why.push_str(&more);
    Some(first)
}
