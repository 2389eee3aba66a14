//! The behaviour met while arranging: which provider serves a kind in a place.

use std::collections::BTreeMap;
use std::sync::Arc;

use harmony_types::PlaceName;

use super::erased::{AnyProver, AnyProvider, Erased, ErasedProver};
use super::place::{Hosts, Proves};
use crate::proof::Proof;
use crate::provider::Failure;
use crate::resource::Resource;

type Key = (PlaceName, &'static str);

/// Providers and provers by place and kind.
#[derive(Clone, Default)]
pub struct Providers {
    providers: BTreeMap<Key, Arc<dyn AnyProvider>>,
    provers: BTreeMap<Key, Arc<dyn AnyProver>>,
    silent: BTreeMap<PlaceName, Failure>,
}

impl Providers {
    /// Adds the provider of `R` on `place`.
    pub fn host<R: Resource>(&mut self, place: &(impl Hosts<R> + ?Sized)) {
        self.providers.entry((place.name().clone(), R::KIND)).or_insert_with(|| Arc::new(Erased::new(place.provider())));
    }

    /// Notes that `place` does not answer, and why: nobody is asked about what is in it, and nothing of it is changed.
    pub fn note_silence(&mut self, place: &PlaceName, why: Failure) {
        self.silent.insert(place.clone(), why);
    }

    /// The places that do not answer, and why.
    pub(crate) fn silent(&self) -> &BTreeMap<PlaceName, Failure> {
        &self.silent
    }

    /// The kinds that places host, by their wire names; one that several places host comes as often.
    pub fn kinds(&self) -> impl Iterator<Item = &'static str> {
        self.providers.keys().map(|(_, kind)| *kind)
    }

    pub(crate) fn prove<P: Proof>(&mut self, place: &(impl Proves<P> + ?Sized)) {
        self.provers.entry((place.name().clone(), P::KIND)).or_insert_with(|| Arc::new(ErasedProver::new(place.prover())));
    }

    /// The fields (RFC 6901 pointers) that are always secret in things of that kind; none for a kind that `place` does not host.
    #[must_use]
    pub fn secret_fields(&self, place: &PlaceName, kind: &str) -> &'static [&'static str] {
        self.find(place, kind).map_or(&[], |provider| provider.facts().secret_fields)
    }

    /// The same with each provider inside what `wrap` puts around it.
    pub(crate) fn wrapped(&self, wrap: impl Fn(&PlaceName, &'static str, &Arc<dyn AnyProvider>) -> Arc<dyn AnyProvider>) -> Self {
        let wrapped = |(key, provider): (&Key, &Arc<dyn AnyProvider>)| (key.clone(), wrap(&key.0, key.1, provider));
        let (provers, silent) = (self.provers.clone(), self.silent.clone());
        Self { providers: self.providers.iter().map(wrapped).collect(), provers, silent }
    }

    pub(crate) fn find(&self, place: &PlaceName, kind: &str) -> Option<&Arc<dyn AnyProvider>> {
        // The keys hold `'static` names, so an equal one is looked for by order.
        self.providers
            .range((place.clone(), "")..)
            .take_while(|((at, _), _)| at == place)
            .find(|((_, k), _)| *k == kind)
            .map(|(_, p)| p)
    }

    pub(crate) fn find_prover(&self, place: &PlaceName, kind: &str) -> Option<&Arc<dyn AnyProver>> {
        self.provers
            .range((place.clone(), "")..)
            .take_while(|((at, _), _)| at == place)
            .find(|((_, k), _)| *k == kind)
            .map(|(_, p)| p)
    }
}
