//! Checks over the real protocol that something works.

use std::fmt::Debug;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::provider::ProviderError;
use crate::run::Run;

/// A check that something works, as data. What does the I/O is its [`Prover`]. A proof writes only into things of its own.
pub trait Proof: Serialize + DeserializeOwned + Debug + Clone + Send + Sync + 'static {
    /// The proof's wire name, with its version: `nats-credential-works/v1`.
    const KIND: &'static str;

    /// What it shows, as a sentence that is true when it passes.
    fn claim(&self) -> String;
}

/// Carries out proofs of one kind.
#[async_trait]
pub trait Prover<P: Proof>: Send + Sync {
    /// Carries out the check; all values of `proof` are known.
    ///
    /// # Errors
    /// [`ProviderError`] if it does not hold: what was tried, with which credential, on which server and site, and what came back.
    async fn prove(&self, run: &Run, proof: &P) -> Result<Evidence, ProviderError>;
}

/// What a passed proof rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// How many single checks passed.
    pub checks: u32,
    /// What was done: with which credential, on which servers and sites.
    pub how: String,
    /// What was measured, by name (`longest read on another site: 3ms`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub measured: Vec<String>,
}
