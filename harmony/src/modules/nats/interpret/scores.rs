//! Which places can play which Score.

use crate::capability::{Nats, NatsJetstream, NatsSupercluster};
use crate::error::ArrangeError;
use crate::interpret::Interpret;
use crate::inventory::Inventory;
use crate::modules::nats::rotation::rotation;
use crate::modules::nats::score::{
    CredentialsScore, JetstreamScore, KvBucketScore, NatsScore, NatsSuperclusterScore, StreamScore,
};
use crate::modules::nats::spec::{NatsFragment, NatsSystem};
use crate::procedure::Procedure;
use crate::score::Score;
use crate::stage::{Contribution, Stage};

use super::assets::arrange_assets;
use super::declare::build;
use super::places::Places;

/// Says of a system what a Score says; for Scores that add nothing of their own to the stage.
struct Contribute {
    system: String,
    fragment: NatsFragment,
}

impl<T: Nats> Interpret<T> for Contribute {
    fn arrange<'t>(&self, _: &'t Inventory, _: &'t T, stage: &mut Stage<'t>) -> Result<(), ArrangeError> {
        stage.contribute::<NatsSystem>(&self.system, self.fragment.clone());
        Ok(())
    }
}

impl<T: Nats> Score<T> for NatsScore {
    fn name(&self) -> String {
        format!("NatsScore {}", self.system)
    }

    fn create_interpret(&self) -> Box<dyn Interpret<T> + '_> {
        Box::new(Declare(self))
    }
}

struct Declare<'s, S>(&'s S);

impl<T: Nats> Interpret<T> for Declare<'_, NatsScore> {
    fn arrange<'t>(&self, _: &'t Inventory, place: &'t T, stage: &mut Stage<'t>) -> Result<(), ArrangeError> {
        declare(&self.0.system, self.0.clone().into(), Places::One(place), nothing_more, stage)
    }
}

impl<T: NatsSupercluster> Score<T> for NatsSuperclusterScore {
    fn name(&self) -> String {
        format!("NatsSuperclusterScore {}", self.system)
    }

    fn create_interpret(&self) -> Box<dyn Interpret<T> + '_> {
        Box::new(Declare(self))
    }
}

impl<T: NatsSupercluster> Interpret<T> for Declare<'_, NatsSuperclusterScore> {
    fn arrange<'t>(&self, _: &'t Inventory, place: &'t T, stage: &mut Stage<'t>) -> Result<(), ArrangeError> {
        declare(&self.0.system, self.0.clone().into(), Places::Several(place), nothing_more, stage)
    }
}

/// Declares a system on these places; `check` sees all that is said of it before anything is made of it.
pub(in crate::modules::nats) fn declare<'t>(
    system: &str,
    fragment: NatsFragment,
    places: Places<'t>,
    check: impl FnOnce(&[Contribution<NatsFragment>]) -> Result<(), ArrangeError> + 't,
    stage: &mut Stage<'t>,
) -> Result<(), ArrangeError> {
    let name = system.to_owned();
    stage.contribute::<NatsSystem>(system, fragment);
    stage.declare::<NatsSystem>(system, move |said, stage| {
        check(&said)?;
        build(&name, said, &places, stage)
    })
}

/// The model's own rules are all that has to hold.
fn nothing_more(_: &[Contribution<NatsFragment>]) -> Result<(), ArrangeError> {
    Ok(())
}

impl<T: NatsJetstream> Score<T> for JetstreamScore {
    fn name(&self) -> String {
        format!("JetstreamScore {}", self.system)
    }

    fn create_interpret(&self) -> Box<dyn Interpret<T> + '_> {
        Box::new(GiveJetstream(self))
    }
}

struct GiveJetstream<'s>(&'s JetstreamScore);

impl<T: NatsJetstream> Interpret<T> for GiveJetstream<'_> {
    fn arrange<'t>(&self, _: &'t Inventory, place: &'t T, stage: &mut Stage<'t>) -> Result<(), ArrangeError> {
        stage.contribute::<NatsSystem>(&self.0.system, self.0.clone().into());
        // Several Scores may speak of JetStream; what lives in it is arranged once.
        stage.follow_once::<NatsSystem>(&self.0.system, "assets", move |system, stage| arrange_assets(system, place, stage));
        Ok(())
    }
}

impl<T: Nats> Score<T> for CredentialsScore {
    fn name(&self) -> String {
        format!("CredentialsScore {}", self.label())
    }

    fn create_interpret(&self) -> Box<dyn Interpret<T> + '_> {
        Box::new(Contribute { system: self.system.clone(), fragment: self.clone().into() })
    }

    /// `rotate` for each of its users.
    fn procedures(&self) -> Vec<Procedure> {
        let users = self.accounts.iter().flat_map(|account| account.users.iter().map(move |user| (account, user)));
        users.map(|(account, user)| rotation(&self.system, &account.name, &user.name, user.authentication)).collect()
    }
}

macro_rules! contributes {
    ($($score:ident: $capability:ident;)*) => {
        $(impl<T: $capability> Score<T> for $score {
            fn name(&self) -> String {
                format!(concat!(stringify!($score), " {}"), self.label())
            }

            fn create_interpret(&self) -> Box<dyn Interpret<T> + '_> {
                Box::new(Contribute { system: self.system.clone(), fragment: self.clone().into() })
            }
        })*
    };
}

contributes! {
    KvBucketScore: NatsJetstream;
    StreamScore: NatsJetstream;
}
