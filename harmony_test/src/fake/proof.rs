//! A proof that passes unless it is told not to.

use async_trait::async_trait;
use harmony::proof::{Evidence, Proof, Prover};
use harmony::provider::ProviderError;
use harmony::run::Run;
use harmony::value::Text;
use serde::{Deserialize, Serialize};

use super::world::World;

/// Passes unless the world was told to let it fail.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FakeProof {
    /// Its name.
    pub name: String,
    /// Something that it needs.
    pub about: Text,
}

impl FakeProof {
    /// A proof about nothing.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), about: "".into() }
    }
}

impl Proof for FakeProof {
    const KIND: &'static str = "fake-proof/v1";

    fn claim(&self) -> String {
        format!("{} holds", self.name)
    }
}

/// Carries out [`FakeProof`]s in a [`World`].
pub struct FakeProver(pub World);

#[async_trait]
impl Prover<FakeProof> for FakeProver {
    async fn prove(&self, _: &Run, proof: &FakeProof) -> Result<Evidence, ProviderError> {
        self.0.prove(&proof.name)?;
        Ok(Evidence { checks: 1, how: "by asking the world".to_owned(), measured: Vec::new() })
    }
}
