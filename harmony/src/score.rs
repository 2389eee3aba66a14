//! What should be true, as plain data.

use std::panic::Location;

use crate::error::ArrangeError;
use crate::interpret::Interpret;
use crate::inventory::Inventory;
use crate::origin::Origin;
use crate::procedure::Procedure;
use crate::stage::Stage;
use crate::topology::Topology;

/// Desired state, as plain data. The bound of its `impl` (`impl<T: Topology + Nats> Score<T> for …`) is the safety check: on a place
/// that cannot play it, the program does not compile.
pub trait Score<T: Topology + ?Sized>: Send + Sync {
    /// What to call it in plans and errors.
    fn name(&self) -> String;

    /// How it is played on `T`.
    fn create_interpret(&self) -> Box<dyn Interpret<T> + '_>;

    /// The operations that it offers beside its state. Default: none.
    fn procedures(&self) -> Vec<Procedure> {
        Vec::new()
    }
}

/// The Scores of a site program, each with the line that added it.
pub struct Scores<T: Topology + ?Sized> {
    pub(crate) scores: Vec<(Origin, Box<dyn Score<T>>)>,
}

impl<T: Topology + ?Sized> Default for Scores<T> {
    fn default() -> Self {
        Self { scores: Vec::new() }
    }
}

impl<T: Topology + ?Sized> Scores<T> {
    /// The same with one more Score; their order does not matter.
    #[must_use]
    #[track_caller]
    pub fn with(mut self, score: impl Score<T> + 'static) -> Self {
        let origin = Origin::at(&score.name(), Location::caller());
        self.scores.push((origin, Box::new(score)));
        self
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.scores.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.scores.is_empty()
    }

    /// Each Score's name and line, in the order they were added.
    pub fn origins(&self) -> impl Iterator<Item = &Origin> {
        self.scores.iter().map(|(origin, _)| origin)
    }

    /// The operations that the Scores offer, sorted by name and subject; what several offer is one.
    #[must_use]
    pub fn procedures(&self) -> Vec<Procedure> {
        let mut all: Vec<Procedure> = self.scores.iter().flat_map(|(_, score)| score.procedures()).collect();
        all.sort_by(|one, other| (&one.name, &one.subject).cmp(&(&other.name, &other.subject)));
        all.dedup_by(|one, other| one.title() == other.title());
        all
    }

    /// The same Scores for a place that holds the one they are for; `inside` finds it there.
    #[must_use]
    pub fn for_place_around<P>(self, inside: fn(&P) -> &T) -> Scores<P>
    where
        T: 'static,
        P: Topology + ?Sized + 'static,
    {
        let around = |(origin, score)| (origin, Box::new(Inside { score, inside }) as Box<dyn Score<P>>);
        Scores { scores: self.scores.into_iter().map(around).collect() }
    }

    /// The same Scores in another order: `order` holds each index once; other indices are passed over. For tests of order.
    #[must_use]
    pub fn reordered(self, order: &[usize]) -> Self {
        let mut slots: Vec<Option<_>> = self.scores.into_iter().map(Some).collect();
        let scores = order.iter().filter_map(|index| slots.get_mut(*index).and_then(Option::take)).collect();
        Self { scores }
    }
}

/// A Score for the place inside a place.
struct Inside<P: ?Sized, T: ?Sized> {
    score: Box<dyn Score<T>>,
    inside: fn(&P) -> &T,
}

impl<P: Topology + ?Sized, T: Topology + ?Sized + 'static> Score<P> for Inside<P, T> {
    fn name(&self) -> String {
        self.score.name()
    }

    fn create_interpret(&self) -> Box<dyn Interpret<P> + '_> {
        Box::new(InterpretInside { interpret: self.score.create_interpret(), inside: self.inside })
    }

    fn procedures(&self) -> Vec<Procedure> {
        self.score.procedures()
    }
}

struct InterpretInside<'s, P: ?Sized, T: ?Sized> {
    interpret: Box<dyn Interpret<T> + 's>,
    inside: fn(&P) -> &T,
}

impl<P: Topology + ?Sized, T: Topology + ?Sized + 'static> Interpret<P> for InterpretInside<'_, P, T> {
    fn arrange<'t>(&self, inventory: &'t Inventory, topology: &'t P, stage: &mut Stage<'t>) -> Result<(), ArrangeError> {
        self.interpret.arrange(inventory, (self.inside)(topology), stage)
    }
}
