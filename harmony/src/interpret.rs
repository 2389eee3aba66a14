//! How a Score is played on a place.

use crate::error::ArrangeError;
use crate::inventory::Inventory;
use crate::stage::Stage;
use crate::topology::Topology;

/// Lowers a Score to resources and proofs: pure, synchronous, every decision visible in the arrangement. A closure may be one.
pub trait Interpret<T: Topology + ?Sized> {
    /// Writes what the Score needs on `topology` into `stage`.
    ///
    /// # Errors
    /// [`ArrangeError`] if the place or the other Scores do not allow it; nothing has been changed then.
    fn arrange<'t>(&self, inventory: &'t Inventory, topology: &'t T, stage: &mut Stage<'t>) -> Result<(), ArrangeError>;
}

impl<T, F> Interpret<T> for F
where
    T: Topology + ?Sized,
    F: for<'t> Fn(&'t Inventory, &'t T, &mut Stage<'t>) -> Result<(), ArrangeError>,
{
    fn arrange<'t>(&self, inventory: &'t Inventory, topology: &'t T, stage: &mut Stage<'t>) -> Result<(), ArrangeError> {
        self(inventory, topology, stage)
    }
}
