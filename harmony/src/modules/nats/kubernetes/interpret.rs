//! Which places can play it.

use super::check::{check, check_room};
use super::score::NatsK8sScore;
use crate::capability::NatsOnKubernetes;
use crate::error::ArrangeError;
use crate::interpret::Interpret;
use crate::inventory::Inventory;
use crate::modules::nats::interpret::{Places, declare};
use crate::score::Score;
use crate::stage::Stage;

impl<T: NatsOnKubernetes> Score<T> for NatsK8sScore {
    fn name(&self) -> String {
        format!("NatsK8sScore {}", self.nats.system)
    }

    fn create_interpret(&self) -> Box<dyn Interpret<T> + '_> {
        Box::new(Pods(self))
    }
}

struct Pods<'s>(&'s NatsK8sScore);

impl<T: NatsOnKubernetes> Interpret<T> for Pods<'_> {
    fn arrange<'t>(&self, _: &'t Inventory, place: &'t T, stage: &mut Stage<'t>) -> Result<(), ArrangeError> {
        let NatsK8sScore { nats, settings } = self.0;
        let (origin, settings) = (stage.origin().clone(), settings.clone());
        check(&settings, &origin)?;
        let places = Places::Pods(place, Box::new(settings.clone()));
        declare(&nats.system, nats.clone().into(), places, move |said| check_room(&settings, &origin, said), stage)
    }
}
