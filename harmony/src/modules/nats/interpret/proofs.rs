//! What is proven of a system that runs.

use crate::address::Address;
use crate::capability::Nats;
use crate::error::ArrangeError;
use crate::modules::nats::access::NatsAccess;
use crate::modules::nats::built::BuiltSystem;
use crate::modules::nats::permission::probes;
use crate::modules::nats::proof::{
    CredentialRefused, CredentialWorks, GatewaysReachEveryCluster, PermissionsHold, ServersAgree, SystemAccountHoldsNoData,
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
            let empty = SystemAccountHoldsNoData { system: name, access: access.clone() };
            stage.prove(home, "system-account", std::slice::from_ref(&ready), &empty)?;
        }
        system.ready.push(ready);
        for user in system.declared_users() {
            stage.on_behalf(&user.origin, |stage| arrange_credential_proofs(system, user, &access, home, stage))?;
        }
        Ok(())
    })
}

fn arrange_credential_proofs(
    system: &BuiltSystem,
    user: &UserSpec,
    operator: &NatsAccess,
    home: &dyn Nats,
    stage: &mut Stage<'_>,
) -> Result<(), ArrangeError> {
    let works = |sites| CredentialWorks { user: user.name.clone(), account: user.account.clone(), sites };
    let name = format!("credential/{}/{}", user.account, user.name);
    stage.prove(home, &name, &system.ready, &works(system.site_accesses(user)))?;
    let Some(secret) = system.secret(user) else { return Ok(()) };
    if let Some(next) = &secret.works {
        stage.prove(home, &format!("{name}/next"), &system.ready, &works(system.site_accesses_with(user, next)))?;
    }
    if let Some(former) = &secret.refused {
        let refused = CredentialRefused {
            user: user.name.clone(),
            account: user.account.clone(),
            sites: system.site_accesses_with(user, &former.credential),
            known_as: former.known_as.clone(),
            servers: system.servers.len(),
            operator: operator.clone(),
        };
        stage.prove(home, &format!("{name}/former"), &system.ready, &refused)?;
    }
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
    let holds = |sites| PermissionsHold {
        user: user.name.clone(),
        account: user.account.clone(),
        probes: probes(user, &system.spec),
        sites,
    };
    let name = format!("permissions/{}/{}", user.account, user.name);
    stage.prove(place, &name, gates, &holds(system.site_accesses(user)))?;
    if let Some(next) = system.secret(user).and_then(|secret| secret.works.as_ref()) {
        stage.prove(place, &format!("{name}/next"), gates, &holds(system.site_accesses_with(user, next)))?;
    }
    Ok(())
}
