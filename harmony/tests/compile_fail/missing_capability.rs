//! A Score that needs a capability which the place does not have.

use harmony::stage::Stage;
use harmony::topology::{Providers, Site, Topology};
use harmony::{ArrangeError, Interpret, Inventory, Score, Scores};
use harmony_types::PlaceName;

struct Moon;

impl Topology for Moon {
    fn name(&self) -> &PlaceName {
        unreachable!()
    }

    fn site(&self) -> &Site {
        unreachable!()
    }

    fn register(&self, _: &mut Providers) {}
}

/// Launches things into orbit.
#[diagnostic::on_unimplemented(message = "topology `{Self}` cannot launch into orbit", note = "choose one with a launch pad")]
trait LaunchPad: Topology {
    fn arrange_launch(&self, stage: &mut Stage<'_>) -> Result<(), ArrangeError>;
}

struct LaunchScore;

impl<T: Topology + LaunchPad> Score<T> for LaunchScore {
    fn name(&self) -> String {
        "launch".to_owned()
    }

    fn create_interpret(&self) -> Box<dyn Interpret<T> + '_> {
        Box::new(|_: &Inventory, place: &T, stage: &mut Stage<'_>| place.arrange_launch(stage))
    }
}

fn main() {
    let _: Scores<Moon> = Scores::default().with(LaunchScore);
}
