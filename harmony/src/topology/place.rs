//! The traits of a place.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use harmony_io::Io;
use harmony_secret::SecretManager;
use harmony_types::PlaceName;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::check::Check;
use super::providers::Providers;
use crate::engine::ledger::{FileLedgerStore, LedgerStore};
use crate::lease::Lease;
use crate::proof::{Proof, Prover};
use crate::provider::{Provider, ProviderError};
use crate::resource::Resource;

/// A place: it has a name and hosts kinds of resources. What it offers is said by the capability traits it implements.
pub trait Topology: Send + Sync {
    /// Its name, unique in a program: the Ledger tells places apart by it.
    fn name(&self) -> &PlaceName;

    /// The site program that it was looked at for.
    fn site(&self) -> &Site;

    /// Adds the provider of every kind that it hosts, so that things that only the Ledger still knows can be taken away.
    fn register(&self, providers: &mut Providers);

    /// Whether what it holds is of the machine on which the program runs, so that a Ledger from another machine or directory speaks of
    /// other things. Of a place that is reached from anywhere it is not.
    fn is_of_this_machine(&self) -> bool {
        true
    }
}

/// A place that can hold resources of kind `R`.
#[diagnostic::on_unimplemented(
    message = "topology `{Self}` cannot hold a `{R}`",
    note = "implement `Hosts<{R}>` for it: a kind without a provider cannot be arranged"
)]
pub trait Hosts<R: Resource>: Topology {
    /// What does the I/O on them here.
    fn provider(&self) -> Arc<dyn Provider<R>>;
}

/// A place where proofs of kind `P` can be carried out.
#[diagnostic::on_unimplemented(
    message = "topology `{Self}` cannot carry out a `{P}`",
    note = "implement `Proves<{P}>` for it, or choose a topology that has the client it needs"
)]
pub trait Proves<P: Proof>: Topology {
    /// What carries them out here.
    fn prover(&self) -> Arc<dyn Prover<P>>;
}

/// What a site program has of its own: where its state lives, its secrets, its way to the outside.
#[derive(Clone)]
pub struct Site {
    /// The directory for the Ledger, and for what places keep on this machine. Absolute.
    pub state: PathBuf,
    /// Where secrets are kept.
    pub secrets: SecretManager,
    /// The way to files, processes and the network.
    pub io: Io,
    /// Whether tools that are missing may be fetched.
    pub fetching: Fetching,
    /// By what runs on several machines exclude each other; `None` if its state is used on one machine only. Runs on one machine always do,
    /// by a lock of the operating system.
    pub lease: Option<Lease>,
    /// Where its Ledger is kept; `None` for files in `state`.
    pub ledger: Option<Arc<dyn LedgerStore>>,
}

impl Site {
    /// A site program with its state in `state`, whose runs exclude each other on this machine, and that may fetch missing tools.
    #[must_use]
    pub fn new(state: PathBuf, secrets: SecretManager, io: Io) -> Self {
        Self { state, secrets, io, fetching: Fetching::Allowed, lease: None, ledger: None }
    }

    /// The same, fetching tools or not.
    #[must_use]
    pub fn with_fetching(self, fetching: Fetching) -> Self {
        Self { fetching, ..self }
    }

    /// The same, whose state is shared by several machines: their runs exclude each other by this lease.
    #[must_use]
    pub fn with_lease(self, lease: Lease) -> Self {
        Self { lease: Some(lease), ..self }
    }

    /// The same, with its Ledger in `store` in place of files in its state directory. A store that several machines share needs a lease too.
    #[must_use]
    pub fn with_ledger(self, store: Arc<dyn LedgerStore>) -> Self {
        Self { ledger: Some(store), ..self }
    }

    /// Where its Ledger is kept.
    #[must_use]
    pub fn ledger_store(&self) -> Arc<dyn LedgerStore> {
        self.ledger.clone().unwrap_or_else(|| Arc::new(FileLedgerStore::new(&self.io, &self.state)))
    }
}

/// Whether tools that are missing may be fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fetching {
    /// They may, from pinned sources.
    Allowed,
    /// They may not (`--offline`).
    Forbidden,
}

/// A place that has not been looked at: it has no capability yet. Looking changes nothing, and what it finds is plain data, which may
/// also come from a file.
#[async_trait]
pub trait Survey: Send + Sync {
    /// What looking finds.
    type Facts: Serialize + DeserializeOwned + Send + Sync;
    /// The place with its capabilities.
    type Surveyed: Topology;

    /// Looks at the place, read-only.
    ///
    /// # Errors
    /// [`ProviderError`] if it cannot be looked at.
    async fn survey(&self, site: &Site) -> Result<Self::Facts, ProviderError>;

    /// The same, going on without those of several places that do not answer. Default: it is one place.
    ///
    /// # Errors
    /// As [`Survey::survey`]; also if none of them answers.
    async fn survey_what_answers(&self, site: &Site) -> Result<Self::Facts, ProviderError> {
        self.survey(site).await
    }

    /// What is taken for its facts while it does not answer, so that what is wanted of it has names. Nothing is made on the strength of them.
    /// Default: without having been looked at it is no place.
    fn presumed(&self) -> Option<Self::Facts> {
        None
    }

    /// What the place needs on this machine, looked at one by one, and how what it has there stands; read-only. Unlike [`Survey::survey`] it goes
    /// on where something is wrong. A place that needs nothing here has nothing to say.
    async fn examine(&self, _site: &Site) -> Vec<Check> {
        Vec::new()
    }

    /// The site program, with its lease and its Ledger where this place keeps them if it was asked to. Nothing is looked at for that. Default: as it is.
    ///
    /// # Errors
    /// [`ProviderError`] if they cannot be kept there.
    fn keep_state(&self, site: Site) -> Result<Site, ProviderError> {
        Ok(site)
    }

    /// The place with these facts.
    ///
    /// # Errors
    /// [`ProviderError`] if the facts do not fit the place.
    fn with_facts(self, site: &Site, facts: Self::Facts) -> Result<Self::Surveyed, ProviderError>;
}

/// A place of which nothing has to be found out: what it is, is known with the site program it is for.
///
/// ```
/// use harmony::topology::{Providers, Site, Survey, Topology, WithoutSurvey};
/// use harmony_types::PlaceName;
///
/// struct Hallway(PlaceName, Site);
/// # impl Topology for Hallway {
/// #     fn name(&self) -> &PlaceName { &self.0 }
/// #     fn site(&self) -> &Site { &self.1 }
/// #     fn register(&self, _: &mut Providers) {}
/// # }
///
/// fn place(name: PlaceName) -> impl Survey<Surveyed = Hallway> {
///     WithoutSurvey(|site| Hallway(name, site))
/// }
/// ```
pub struct WithoutSurvey<F>(pub F);

#[async_trait]
impl<P: Topology, F: FnOnce(Site) -> P + Send + Sync> Survey for WithoutSurvey<F> {
    type Facts = ();
    type Surveyed = P;

    async fn survey(&self, _: &Site) -> Result<(), ProviderError> {
        Ok(())
    }

    fn with_facts(self, site: &Site, (): ()) -> Result<P, ProviderError> {
        Ok((self.0)(site.clone()))
    }
}
