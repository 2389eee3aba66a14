//! Accounts and users, from what all Scores say of them.

use std::collections::BTreeMap;

use harmony_types::{AccountName, ByteSize, UserName};

use super::agree::{agreed, unique};
use super::jetstream::above_zero;
use super::names::{OPERATOR, PROVER, PROVISIONER, SYSTEM_ACCOUNT, free_user, name};
use super::rule::Rule;
use super::subject::{is_application, is_key_prefix};
use super::system::{AccountLimits, AccountRole, AccountSpec, BucketSpec, StreamSpec, UserRole, UserSpec};
use crate::error::ArrangeError;
use crate::modules::nats::permission::{Right, inbox_prefix, permissions};
use crate::modules::nats::score::{AccountWish, Authentication, CredentialsScore, Grant, KvAccess, StreamAccess, UserWish};
use crate::origin::Origin;
use crate::stage::Contribution;

/// An account as all Scores together declare it, before what it holds is known.
pub(super) struct Declared {
    pub(super) name: AccountName,
    pub(super) limits: AccountLimits,
    pub(super) origins: Vec<Origin>,
    users: Vec<(UserName, Contribution<UserWish>)>,
}

/// What an account holds.
#[derive(Clone, Copy)]
pub(super) struct Holdings<'a> {
    pub(super) buckets: &'a [BucketSpec],
    pub(super) streams: &'a [StreamSpec],
}

/// The accounts that Scores declare, sorted by name; without the system account.
pub(super) fn declared(said: &[Contribution<CredentialsScore>]) -> Result<Vec<Declared>, ArrangeError> {
    let mut by_name: BTreeMap<AccountName, Vec<(&Origin, &AccountWish)>> = BTreeMap::new();
    for each in said {
        for wish in &each.fragment.accounts {
            let account: AccountName = name(&wish.name, &[&each.origin])?;
            if account.as_str() == SYSTEM_ACCOUNT {
                return Err(Rule::SystemAccountHoldsNothing.refuse(
                    format!("account {account} is the servers' own"),
                    &[&each.origin],
                    "declare another account for what applications use",
                ));
            }
            by_name.entry(account).or_default().push((&each.origin, wish));
        }
    }
    let accounts: Vec<Declared> = by_name.into_iter().map(|(name, said)| account(name, &said)).collect::<Result<_, _>>()?;
    check_passwords(&accounts)?;
    Ok(accounts)
}

fn account(account: AccountName, said: &[(&Origin, &AccountWish)]) -> Result<Declared, ArrangeError> {
    for (origin, wish) in said {
        let limits = [
            ("max_memory", wish.max_memory.map(ByteSize::as_bytes)),
            ("max_file", wish.max_file.map(ByteSize::as_bytes)),
            ("max_streams", wish.max_streams),
            ("max_consumers", wish.max_consumers),
        ];
        above_zero(&format!("account {account}"), limits, origin)?;
    }
    macro_rules! limit {
        ($limit:ident) => {
            agreed(
                &format!(concat!(stringify!($limit), " of account {}"), account),
                said.iter().map(|(origin, wish)| (*origin, wish.$limit)),
            )?
        };
    }
    let limits = AccountLimits {
        max_memory: limit!(max_memory),
        max_file: limit!(max_file),
        max_streams: limit!(max_streams),
        max_consumers: limit!(max_consumers),
    };
    let mut origins: Vec<Origin> = said.iter().map(|(origin, _)| (*origin).clone()).collect();
    origins.sort();
    origins.dedup();
    Ok(Declared { limits, origins, users: users(&account, said)?, name: account })
}

fn users(
    account: &AccountName,
    said: &[(&Origin, &AccountWish)],
) -> Result<Vec<(UserName, Contribution<UserWish>)>, ArrangeError> {
    let mut wishes = Vec::new();
    for (origin, wish) in said {
        for user in &wish.users {
            let mut user = user.clone();
            user.grants.sort();
            user.grants.dedup();
            wishes.push(Contribution { origin: (*origin).clone(), fragment: user });
        }
    }
    let unique = unique(wishes, |user| user.name.clone(), |user| format!("user {} of account {account}", user.name))?;
    unique
        .into_iter()
        .map(|user| {
            let named: UserName = name(&user.fragment.name, &[&user.origin])?;
            free_user(named.as_str(), &[&user.origin])?;
            Ok((named, user))
        })
        .collect()
}

/// The server tells users with passwords apart by their names alone, over all accounts.
fn check_passwords(accounts: &[Declared]) -> Result<(), ArrangeError> {
    let mut seen: BTreeMap<&UserName, (&AccountName, &Origin)> = BTreeMap::new();
    for account in accounts {
        for (name, user) in &account.users {
            if user.fragment.authentication != Authentication::Password {
                continue;
            }
            if let Some((first, origin)) = seen.insert(name, (&account.name, &user.origin)) {
                return Err(Rule::UserOnce.refuse(
                    format!("user {name} has a password in account {first} and in account {}", account.name),
                    &[origin, &user.origin],
                    "give one of them another name, or use NKeys",
                ));
            }
        }
    }
    Ok(())
}

/// The accounts with all their users, the system account among them, sorted by name.
pub(super) fn completed(
    declared: Vec<Declared>,
    holdings: Holdings<'_>,
    with_jetstream: bool,
    system_origin: &Origin,
) -> Result<Vec<AccountSpec>, ArrangeError> {
    let mut accounts = vec![system_account(system_origin)?];
    for account in declared {
        accounts.push(application_account(account, holdings, with_jetstream)?);
    }
    accounts.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(accounts)
}

fn system_account(origin: &Origin) -> Result<AccountSpec, ArrangeError> {
    let account: AccountName = name(SYSTEM_ACCOUNT, &[origin])?;
    let operator = own_user(OPERATOR, &account, UserRole::Operator, vec![Right::Operate], origin)?;
    Ok(AccountSpec {
        name: account,
        role: AccountRole::System,
        jetstream: None,
        users: vec![operator],
        origins: vec![origin.clone()],
    })
}

fn application_account(account: Declared, holdings: Holdings<'_>, with_jetstream: bool) -> Result<AccountSpec, ArrangeError> {
    let mut users = Vec::new();
    for (user, wish) in &account.users {
        let grants = wish.fragment.grants.iter();
        let rights = grants.map(|grant| right(grant, user, &account.name, holdings, &wish.origin)).collect::<Result<_, _>>()?;
        let known = (user.clone(), account.name.clone());
        users.push(user_spec(known, UserRole::Declared, wish.fragment.authentication, rights, &wish.origin));
    }
    let mut limits = account.limits;
    if with_jetstream && let Some(origin) = account.origins.first() {
        users.push(own_user(PROVISIONER, &account.name, UserRole::Provisioner, vec![Right::Provision], origin)?);
    }
    let of_account = |spec: &&BucketSpec| spec.bucket.identity.account == account.name;
    if let Some(proof) = holdings.buckets.iter().filter(of_account).find(|spec| spec.is_for_proofs) {
        let right = Right::Kv { bucket: proof.bucket.identity.bucket.clone(), access: KvAccess::ReadWrite, below: None };
        users.push(own_user(PROVER, &account.name, UserRole::Prover, vec![right], &proof.origin)?);
        limits = with_room(limits, proof);
    }
    users.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(AccountSpec {
        name: account.name,
        role: AccountRole::Application,
        jetstream: with_jetstream.then_some(limits),
        users,
        origins: account.origins,
    })
}

/// What a user says of its account's limits is for its own streams: the proof bucket comes on top.
fn with_room(limits: AccountLimits, proof: &BucketSpec) -> AccountLimits {
    let size = proof.bucket.max_size.map_or(0, ByteSize::as_bytes) * u64::from(proof.bucket.replicas.count());
    AccountLimits {
        max_file: limits.max_file.map(|limit| ByteSize::bytes(limit.as_bytes().saturating_add(size))),
        max_streams: limits.max_streams.map(|limit| limit.saturating_add(1)),
        ..limits
    }
}

fn own_user(
    text: &str,
    account: &AccountName,
    role: UserRole,
    rights: Vec<Right>,
    origin: &Origin,
) -> Result<UserSpec, ArrangeError> {
    let user: UserName = name(text, &[origin])?;
    Ok(user_spec((user, account.clone()), role, Authentication::Nkey, rights, origin))
}

fn user_spec(
    (name, account): (UserName, AccountName),
    role: UserRole,
    authentication: Authentication,
    rights: Vec<Right>,
    origin: &Origin,
) -> UserSpec {
    let permissions = permissions(&name, &rights);
    let inbox_prefix = inbox_prefix(&name);
    UserSpec { name, account, role, authentication, rights, permissions, inbox_prefix, origin: origin.clone() }
}

fn right(
    grant: &Grant,
    user: &UserName,
    account: &AccountName,
    holdings: Holdings<'_>,
    origin: &Origin,
) -> Result<Right, ArrangeError> {
    let subject = |subject: &String| application_subject(subject, user, account, origin);
    match grant {
        Grant::Publish { subject: text } => Ok(Right::Publish { subject: subject(text)? }),
        Grant::Subscribe { subject: text } => Ok(Right::Subscribe { subject: subject(text)? }),
        Grant::Kv { bucket, access, below } => {
            let spec = holdings.buckets.iter().filter(|spec| spec.bucket.identity.account == *account && !spec.is_for_proofs);
            let Some(spec) = spec.into_iter().find(|spec| spec.bucket.identity.bucket.as_str() == bucket) else {
                return Err(undeclared(&format!("bucket {bucket}"), user, account, origin));
            };
            if let Some(prefix) = below.as_ref().filter(|prefix| !is_key_prefix(prefix)) {
                return Err(Rule::KeyPrefix.refuse(
                    format!("user {user} is granted keys below `{prefix}` of bucket {bucket}"),
                    &[origin],
                    "write tokens of A-Z, a-z, 0-9, `-`, `_`, `/` and `=` with single dots between them",
                ));
            }
            Ok(Right::Kv { bucket: spec.bucket.identity.bucket.clone(), access: *access, below: below.clone() })
        }
        Grant::Stream { stream, access } => {
            let mut streams = holdings.streams.iter().filter(|spec| spec.stream.identity.account == *account);
            let Some(spec) = streams.find(|spec| spec.stream.identity.stream.as_str() == stream) else {
                return Err(undeclared(&format!("stream {stream}"), user, account, origin));
            };
            let stream = spec.stream.identity.stream.clone();
            Ok(match access {
                StreamAccess::Publish => Right::StreamPublish { stream, subjects: spec.stream.subjects.clone() },
                StreamAccess::Read => Right::StreamRead { stream },
                StreamAccess::Consume { durable } => Right::StreamConsume { stream, durable: name(durable, &[origin])? },
            })
        }
    }
}

fn undeclared(what: &str, user: &UserName, account: &AccountName, origin: &Origin) -> ArrangeError {
    Rule::GrantOnDeclared.refuse(
        format!("user {user} is granted {what}, which no Score declares in account {account}"),
        &[origin],
        "declare it in this account, or correct the name",
    )
}

fn application_subject(subject: &str, user: &UserName, account: &AccountName, origin: &Origin) -> Result<String, ArrangeError> {
    if is_application(subject) {
        return Ok(subject.to_owned());
    }
    Err(Rule::GrantSubject.refuse(
        format!("user {user} of account {account} is granted the subject `{subject}`"),
        &[origin],
        "grant buckets and streams by `Grant::kv` and `Grant::stream`; begin a subject of your own with a word, not with `$`, `_INBOX` or \
         a wildcard",
    ))
}
