//! What a run takes before it looks at anything: the lock of this machine and, where state is shared, the lease.

use std::path::PathBuf;
use std::sync::Arc;

use harmony_io::{Io, IoError, Lock, LockError, Mode};
use schemars::JsonSchema;
use serde::Serialize;

use super::events::{Event, Observer};
pub use super::holder::Taken;
use super::holder::{Holder, Words};
use super::ledger::{Fence, LedgerError};
use crate::lease::{Held, Lease, LeaseError, Standing, WallTime};
use crate::topology::Site;

const LOCK: &str = "lock";

/// Another run that goes on, as data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Holding {
    /// Who it is, for people.
    pub by: String,
    /// Since when, by its own clock, in seconds of Unix time; unknown of a run that has not yet said it.
    pub since: Option<WallTime>,
    /// Until when unless it is renewed, by its own clock; `None` for a lock, which is held until its run ends.
    pub until: Option<WallTime>,
    /// Whether it is a process of this machine that is stopped (SIGSTOP).
    pub stopped: bool,
}

/// Why a run may not begin.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExclusionError {
    /// Another run of this machine holds the lock. It may be stopped, but it lives.
    #[error("the state in `{state}` is locked by {taken}")]
    Locked {
        /// The state directory.
        state: PathBuf,
        /// By whom.
        taken: Taken,
    },
    /// What a run writes there would be another user's, or could not be read by him.
    #[error("the state directory `{state}` belongs to user {owner}, and this program runs as another one")]
    NotOwn {
        /// The state directory.
        state: PathBuf,
        /// The number of its owner.
        owner: u32,
    },
    /// The lease is not held: another run of any machine has it, or its store cannot be used.
    #[error(transparent)]
    Lease(#[from] LeaseError),
    /// The Ledger cannot be claimed for this run.
    #[error(transparent)]
    Ledger(#[from] Box<LedgerError>),
    /// The lock's file could not be used.
    #[error(transparent)]
    Failed(#[from] IoError),
}

impl ExclusionError {
    /// The other run, if one goes on: this one may be tried again later.
    #[must_use]
    pub fn holding(&self) -> Option<Holding> {
        match self {
            Self::Locked { taken, .. } => {
                let Taken { by, since, stopped } = taken.clone();
                Some(Holding { by, since, until: None, stopped: stopped.is_some() })
            }
            Self::Lease(LeaseError::Held { holder, since, until, .. }) => {
                Some(Holding { by: holder.clone(), since: Some(*since), until: Some(*until), stopped: false })
            }
            _ => None,
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Locked { taken, .. } => Some(taken.hint()),
            Self::NotOwn { .. } => Some("run it as that user, or set `HARMONY_STATE_DIR` to a directory of your own".to_owned()),
            Self::Lease(error) => error.hint(),
            Self::Ledger(error) => error.hint(),
            Self::Failed(error) => error.hint().map(str::to_owned),
        }
    }
}

/// Who holds the lock of this machine now, without touching it; nobody, if that is not to be seen from here.
///
/// # Errors
/// [`IoError`] if the state directory or the kernel's list of locks cannot be read.
pub fn find_taken(site: &Site) -> Result<Option<Taken>, IoError> {
    let is_lock = |name: &str| name == LOCK || name.strip_prefix(LOCK).is_some_and(|host| host.starts_with('.'));
    for entry in site.io.list_directory(&site.state)? {
        let name = entry.path.file_name().unwrap_or_default().to_string_lossy();
        if is_lock(&name) && site.io.find_lock_holder(&entry.path)?.is_some() {
            let words = site.io.find_file(&entry.path)?.unwrap_or_default();
            return Ok(Some(Taken::read(&site.io, &String::from_utf8_lossy(&words))));
        }
    }
    Ok(None)
}

/// Why a run that changes something could not begin now: another one holds the lock of this machine, or the lease. Nothing is taken for that, and a
/// holder that has died a moment ago is still named.
///
/// # Errors
/// [`ExclusionError::Failed`] or [`ExclusionError::Lease`] if that is not to be seen.
pub async fn find_other_run(site: &Site) -> Result<Option<ExclusionError>, ExclusionError> {
    if let Some(taken) = find_taken(site)? {
        return Ok(Some(ExclusionError::Locked { state: site.state.clone(), taken }));
    }
    Ok(find_held(site).await?.map(ExclusionError::Lease))
}

/// Who holds the lease now, where state is shared by several machines.
///
/// # Errors
/// [`LeaseError::Store`] if that is not to be seen.
pub async fn find_held(site: &Site) -> Result<Option<LeaseError>, LeaseError> {
    match &site.lease {
        Some(lease) => lease.find_holder().await,
        None => Ok(None),
    }
}

/// The right to be the only run.
pub(super) struct Exclusion {
    lock: Option<Lock>,
    lease: Option<(Held, Fence)>,
    number: u64,
}

impl Exclusion {
    /// Takes the lock, which is not waited for, and the lease, whose holder is watched for a sign of life.
    pub(super) async fn take(site: &Site, observer: &Arc<dyn Observer>) -> Result<Self, ExclusionError> {
        site.io.ensure_directory(&site.state, Mode::Private)?;
        refuse_of_others(site)?;
        let holder = Holder::of_this_process(&site.io, site.lease.as_ref().and_then(Lease::host))?;
        let (lock, words) = take_lock(site, &holder)?;
        let Some(lease) = &site.lease else { return Ok(Self { lock: Some(lock), lease: None, number: words.fence }) };
        let store = site.ledger_store();
        let newest = store.find_newest().await.map_err(Box::new)?;
        let observer = Arc::clone(observer);
        let held = lease.take(&holder.to_string(), newest, Arc::new(move |says| observer.on(&Event::Remark { says }))).await?;
        let fence = Fence::new(&site.io, &held, words.text(), lease.duration());
        // From here on no run before this one can write the Ledger, and it can be read.
        if let Err(error) = store.claim(&fence).await {
            held.give_back().await;
            return Err(Box::new(error).into());
        }
        Ok(Self { lock: Some(lock), number: held.number(), lease: Some((held, fence)) })
    }

    /// The fencing number, and what it stands on.
    pub(super) fn number(&self) -> (u64, Option<Standing>) {
        (self.number, self.lease.as_ref().map(|(held, _)| held.standing().clone()))
    }

    /// By what writes of the Ledger are fenced.
    pub(super) fn fence(&self) -> Option<Fence> {
        self.lease.as_ref().map(|(_, fence)| fence.clone())
    }

    /// Lets other machines go on; the lock of this one is held until this is dropped.
    pub(super) async fn give_lease_back(&mut self) {
        if let Some((held, _)) = self.lease.take() {
            held.give_back().await;
        }
    }

    /// Frees the lock and removes its file.
    pub(super) fn remove_lock(&mut self, io: &Io) -> Result<(), IoError> {
        self.lock.take().map_or(Ok(()), |lock| lock.remove(io))
    }
}

/// Who may do everything (an administrator by mistake) would leave files there that their owner cannot read any more.
fn refuse_of_others(site: &Site) -> Result<(), ExclusionError> {
    match site.io.find_status(&site.state)? {
        Some(status) if !status.is_own => Err(ExclusionError::NotOwn { state: site.state.clone(), owner: status.owner }),
        _ => Ok(()),
    }
}

fn take_lock(site: &Site, holder: &Holder) -> Result<(Lock, Words), ExclusionError> {
    // Where state is shared the lease tells machines apart. A lock that a network file system passes on would hold them all up behind a
    // process that is stopped.
    let name = site.lease.as_ref().map_or_else(|| LOCK.to_owned(), |_| format!("{LOCK}.{}", as_file_name(holder.host())));
    let mut own = None;
    let taken = site.io.lock_as(&site.state.join(name), |before| own.insert(Words::now(holder, before)).text());
    match (taken, own) {
        (Ok(lock), Some(words)) => Ok((lock, words)),
        (Ok(lock), None) => Ok((lock, Words::now(holder, ""))),
        (Err(LockError::Failed(error)), _) => Err(error.into()),
        (Err(LockError::Held { holder, .. }), _) => Err(locked(site, &holder)),
        (Err(other), _) => Err(locked(site, &other.to_string())),
    }
}

fn locked(site: &Site, words: &str) -> ExclusionError {
    ExclusionError::Locked { state: site.state.clone(), taken: Taken::read(&site.io, words) }
}

fn as_file_name(host: &str) -> String {
    host.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect()
}
