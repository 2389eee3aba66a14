//! Playing a Score from a program, without the command line.

use async_trait::async_trait;

use crate::engine::maestro::{EngineError, Maestro};
use crate::engine::outcome::Outcome;
use crate::inventory::Inventory;
use crate::score::{Score, Scores};
use crate::topology::Topology;

/// Playing one Score from a program, without the command line.
#[async_trait]
pub trait Play<T: Topology>: Score<T> {
    /// Plays this one Score on `topology`, and takes nothing away that others made.
    ///
    /// # Errors
    /// [`EngineError`] if it cannot be arranged, looked at, or is refused; what failed on the way is in the outcome.
    async fn interpret(&self, inventory: &Inventory, topology: &T) -> Result<Outcome, EngineError>;
}

#[async_trait]
impl<T: Topology, S: Score<T> + Clone + 'static> Play<T> for S {
    async fn interpret(&self, inventory: &Inventory, topology: &T) -> Result<Outcome, EngineError> {
        let scores = Scores::default().with(self.clone());
        Maestro::new(topology.site()).prepare_without_prune(inventory, topology, &scores).await?.apply().await
    }
}
