//! What lives in a system: buckets, streams, and the contents of accounts as a whole.

use harmony_types::TimeSpan;

use super::proofs::arrange_permission_proofs;
use crate::address::Address;
use crate::capability::NatsJetstream;
use crate::error::ArrangeError;
use crate::modules::nats::access::NatsAccess;
use crate::modules::nats::assets::{AccountContents, AccountIdentity, MembershipIdentity, ServerMembership};
use crate::modules::nats::built::BuiltSystem;
use crate::modules::nats::proof::KvReachesEverySite;
use crate::modules::nats::spec::{AccountSpec, BucketSpec, UserRole};
use crate::stage::Stage;

/// A write was seen on every other site within 10 ms on one machine; between sites it takes their distance and, while a leader is
/// elected, up to 7 s.
const REACHES_WITHIN: TimeSpan = TimeSpan::seconds(10);

pub(super) fn arrange_assets(system: &BuiltSystem, place: &dyn NatsJetstream, stage: &mut Stage<'_>) -> Result<(), ArrangeError> {
    stage.within(system.spec.name().as_str(), |stage| {
        let members = arrange_memberships(system, place, stage)?;
        let mut gates = system.ready.clone();
        gates.extend(members.iter().cloned());
        for account in system.spec.accounts() {
            let Some(provisioner) = system.spec.user_of(&account.name, UserRole::Provisioner) else { continue };
            let access = system.access(provisioner, |_| true);
            gates.extend(arrange_account(system, account, (&access, &members), place, stage)?);
        }
        arrange_permission_proofs(system, &gates, place, stage)
    })
}

/// Each server's part in JetStream. It leans on all processes: what goes leaves before any of them is changed or stopped.
fn arrange_memberships(
    system: &BuiltSystem,
    place: &dyn NatsJetstream,
    stage: &mut Stage<'_>,
) -> Result<Vec<Address>, ArrangeError> {
    let Some(operator) = system.spec.users().find(|user| user.role == UserRole::Operator) else { return Ok(Vec::new()) };
    let access = system.access(operator, |_| true);
    let processes: Vec<Address> = system.servers.iter().map(|server| server.process.clone()).collect();
    let gates = [processes, system.ready.clone()].concat();
    let mut added = Vec::new();
    for server in &system.servers {
        let server = server.member.server.clone();
        let name = format!("member/{server}");
        let identity = MembershipIdentity { system: system.spec.name().clone(), server };
        let add = |stage: &mut Stage<'_>| stage.add_through(place, &access, &name, &ServerMembership { identity });
        added.push(stage.after(&gates, add)?.address().clone());
    }
    Ok(added)
}

fn arrange_account(
    system: &BuiltSystem,
    account: &AccountSpec,
    (access, members): (&NatsAccess, &[Address]),
    place: &dyn NatsJetstream,
    stage: &mut Stage<'_>,
) -> Result<Vec<Address>, ArrangeError> {
    let mut added = Vec::new();
    let identity = AccountIdentity { system: system.spec.name().clone(), account: account.name.clone() };
    let name = format!("account/{}", account.name);
    let add = |stage: &mut Stage<'_>| stage.add_through(place, access, &name, &AccountContents { identity });
    let contents = stage.after(&[&system.ready, members].concat(), add)?.address().clone();
    for bucket in system.spec.buckets().iter().filter(|bucket| bucket.bucket.identity.account == account.name) {
        let address = arrange_bucket(bucket, access, &contents, place, stage)?;
        added.push(address.clone());
        if bucket.is_for_proofs {
            arrange_reach(system, bucket, &address, place, stage)?;
        }
    }
    for stream in system.spec.streams().iter().filter(|stream| stream.stream.identity.account == account.name) {
        let add = |stage: &mut Stage<'_>| place.arrange_stream(access, &stream.stream, stage);
        added.push(stage.on_behalf(&stream.origin, |stage| {
            stage.after(std::slice::from_ref(&contents), |stage| allowing(stream.may_be_lost, add, stage))
        })?);
    }
    Ok(added)
}

fn arrange_bucket(
    bucket: &BucketSpec,
    access: &NatsAccess,
    contents: &Address,
    place: &dyn NatsJetstream,
    stage: &mut Stage<'_>,
) -> Result<Address, ArrangeError> {
    let add = |stage: &mut Stage<'_>| place.arrange_bucket(access, &bucket.bucket, stage);
    // What proofs have written is nobody's loss.
    let may_be_lost = bucket.may_be_lost || bucket.is_for_proofs;
    stage
        .on_behalf(&bucket.origin, |stage| stage.after(std::slice::from_ref(contents), |stage| allowing(may_be_lost, add, stage)))
}

fn allowing<'t, V>(
    may_be_lost: bool,
    write: impl FnOnce(&mut Stage<'t>) -> Result<V, ArrangeError>,
    stage: &mut Stage<'t>,
) -> Result<V, ArrangeError> {
    if may_be_lost { stage.allowing_loss(write) } else { write(stage) }
}

fn arrange_reach(
    system: &BuiltSystem,
    bucket: &BucketSpec,
    address: &Address,
    place: &dyn NatsJetstream,
    stage: &mut Stage<'_>,
) -> Result<(), ArrangeError> {
    let account = &bucket.bucket.identity.account;
    let Some(prover) = system.spec.user_of(account, UserRole::Prover) else { return Ok(()) };
    let reaches = KvReachesEverySite {
        system: system.spec.name().clone(),
        bucket: bucket.bucket.identity.bucket.clone(),
        within: REACHES_WITHIN,
        sites: system.site_accesses(prover),
    };
    stage.prove(place, &format!("proof/kv-reaches-every-site/{account}"), std::slice::from_ref(address), &reaches)?;
    Ok(())
}
