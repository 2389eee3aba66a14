//! What is proven of a system that runs.

use crate::address::Address;
use crate::capability::Nats;
use crate::error::ArrangeError;
use crate::modules::nats::built::BuiltSystem;
use crate::modules::nats::permission::probes;
use crate::modules::nats::proof::{
    CredentialWorks, GatewaysReachEveryCluster, PermissionsHold, ServersAgree, SystemAccountHoldsNoData,
};
use crate::modules::nats::spec::{UserRole, UserSpec};
use crate::stage::Stage;

/// Adds the proofs of the servers and of the credentials; what passes before the system can be used becomes its `ready`.
pub(super) fn arrange_system_proofs(
    system: &mut BuiltSystem,
    home: &dyn Nats,
    stage: &mut Stage<'_>,
) -> Result<(), ArrangeError> {
    let Some(operator) = system.spec.users().find(|user| user.role == UserRole::Operator) else { return Ok(()) };
    let access = system.access(operator, |_| true);
    let name = system.spec.name().clone();
    let processes: Vec<_> = system.servers.iter().map(|server| server.process.clone()).collect();
    let members = system.spec.members();
    stage.within("proof", |stage| {
        let agree = ServersAgree {
            system: name.clone(),
            members: members.clone(),
            meta_group: system.spec.meta_group(),
            access: access.clone(),
        };
        let ready = stage.prove(home, "servers-agree", &processes, &agree)?;
        if system.spec.is_supercluster() {
            let gateways = GatewaysReachEveryCluster { system: name.clone(), members, access: access.clone() };
            system.ready.push(stage.prove(home, "gateways", &processes, &gateways)?);
        }
        if system.spec.jetstream().is_some() {
            let empty = SystemAccountHoldsNoData { system: name, access };
            stage.prove(home, "system-account", std::slice::from_ref(&ready), &empty)?;
        }
        system.ready.push(ready);
        for user in system.declared_users() {
            stage.on_behalf(&user.origin, |stage| arrange_credential_proof(system, user, home, stage))?;
        }
        Ok(())
    })
}

fn arrange_credential_proof(
    system: &BuiltSystem,
    user: &UserSpec,
    home: &dyn Nats,
    stage: &mut Stage<'_>,
) -> Result<(), ArrangeError> {
    let works = CredentialWorks { user: user.name.clone(), account: user.account.clone(), sites: system.site_accesses(user) };
    let name = format!("credential/{}/{}", user.account, user.name);
    stage.prove(home, &name, &system.ready, &works)?;
    Ok(())
}

/// Adds the proofs of what users may do; `gates` is what they may do it to.
pub(super) fn arrange_permission_proofs(
    system: &BuiltSystem,
    gates: &[Address],
    place: &dyn Nats,
    stage: &mut Stage<'_>,
) -> Result<(), ArrangeError> {
    stage.within("proof", |stage| {
        for user in system.declared_users() {
            stage.on_behalf(&user.origin, |stage| arrange_permission_proof(system, user, gates, place, stage))?;
        }
        Ok(())
    })
}

fn arrange_permission_proof(
    system: &BuiltSystem,
    user: &UserSpec,
    gates: &[Address],
    place: &dyn Nats,
    stage: &mut Stage<'_>,
) -> Result<(), ArrangeError> {
    let holds = PermissionsHold {
        user: user.name.clone(),
        account: user.account.clone(),
        probes: probes(user, &system.spec),
        sites: system.site_accesses(user),
    };
    stage.prove(place, &format!("permissions/{}/{}", user.account, user.name), gates, &holds)?;
    Ok(())
}
