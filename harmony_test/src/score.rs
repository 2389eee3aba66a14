//! Scores from closures.

use std::fmt;

use harmony::stage::Stage;
use harmony::{ArrangeError, Interpret, Inventory, Score};

use crate::fake::FakePlace;

/// A Score whose Interpret is a closure.
#[derive(Clone)]
pub struct ScoreOf<F> {
    name: String,
    arrange: F,
}

impl<F> fmt::Debug for ScoreOf<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScoreOf").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A Score called `name` that writes what `arrange` writes.
pub fn score<F>(name: &str, arrange: F) -> ScoreOf<F>
where
    F: for<'t> Fn(&'t Inventory, &'t FakePlace, &mut Stage<'t>) -> Result<(), ArrangeError> + Send + Sync,
{
    ScoreOf { name: name.to_owned(), arrange }
}

impl<F> Score<FakePlace> for ScoreOf<F>
where
    F: for<'t> Fn(&'t Inventory, &'t FakePlace, &mut Stage<'t>) -> Result<(), ArrangeError> + Send + Sync,
{
    fn name(&self) -> String {
        self.name.clone()
    }

    fn create_interpret(&self) -> Box<dyn Interpret<FakePlace> + '_> {
        Box::new(&self.arrange)
    }
}
