//! Lowering a system to servers, secrets and proofs.

use super::identity::{arrange_authorities, arrange_users};
use super::places::Places;
use super::proofs::{arrange_permission_proofs, arrange_system_proofs};
use super::servers::arrange_servers;
use crate::error::ArrangeError;
use crate::modules::nats::built::BuiltSystem;
use crate::modules::nats::spec::{NatsFragment, assemble};
use crate::stage::{Contribution, Stage};

/// Assembles the system that Scores speak of, and adds all that runs and proves it.
pub(super) fn build<'t>(
    name: &str,
    said: Vec<Contribution<NatsFragment>>,
    places: &Places<'t>,
    stage: &mut Stage<'t>,
) -> Result<BuiltSystem, ArrangeError> {
    let spec = assemble(name, said)?;
    for note in spec.notes() {
        stage.note(note.about.clone(), note.says.clone());
    }
    stage.within(name, |stage| {
        let authorities = arrange_authorities(&spec, places, stage)?;
        let users = arrange_users(&spec, places.home(), stage)?;
        let servers = arrange_servers(&spec, places, &authorities, &users, stage)?;
        let mut system = BuiltSystem { spec, trust: authorities.trust(), users, servers, ready: Vec::new() };
        arrange_system_proofs(&mut system, places.home(), stage)?;
        if system.spec.jetstream().is_none() {
            // With JetStream they wait for what it holds.
            arrange_permission_proofs(&system, &system.ready, places.home(), stage)?;
        }
        for place in places.all(system.spec.sites())? {
            for user in system.declared_users() {
                places.arrange_credential(place, &system.credential(user, place.name()), stage)?;
            }
        }
        Ok(system)
    })
}
