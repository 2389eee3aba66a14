//! Scores from closures.

use std::fmt;
use std::marker::PhantomData;

use harmony::stage::Stage;
use harmony::topology::Topology;
use harmony::{ArrangeError, Interpret, Inventory, Score};

use crate::fake::FakePlace;

/// A Score whose Interpret is a closure.
pub struct ScoreOf<F, T = FakePlace> {
    name: String,
    arrange: F,
    place: PhantomData<fn(&T)>,
}

impl<F: Clone, T> Clone for ScoreOf<F, T> {
    fn clone(&self) -> Self {
        Self { name: self.name.clone(), arrange: self.arrange.clone(), place: PhantomData }
    }
}

impl<F, T> fmt::Debug for ScoreOf<F, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScoreOf").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A Score called `name` that writes what `arrange` writes on the fake place.
pub fn score<F>(name: &str, arrange: F) -> ScoreOf<F>
where
    F: for<'t> Fn(&'t Inventory, &'t FakePlace, &mut Stage<'t>) -> Result<(), ArrangeError> + Send + Sync,
{
    score_on(name, arrange)
}

/// The same on any place.
pub fn score_on<T, F>(name: &str, arrange: F) -> ScoreOf<F, T>
where
    F: for<'t> Fn(&'t Inventory, &'t T, &mut Stage<'t>) -> Result<(), ArrangeError> + Send + Sync,
{
    ScoreOf { name: name.to_owned(), arrange, place: PhantomData }
}

impl<T: Topology, F> Score<T> for ScoreOf<F, T>
where
    F: for<'t> Fn(&'t Inventory, &'t T, &mut Stage<'t>) -> Result<(), ArrangeError> + Send + Sync,
{
    fn name(&self) -> String {
        self.name.clone()
    }

    fn create_interpret(&self) -> Box<dyn Interpret<T> + '_> {
        Box::new(&self.arrange)
    }
}
