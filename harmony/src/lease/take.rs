//! Taking a lease: at once if nobody holds it, after a whole duration without a sign of life if somebody does.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::error::LeaseError;
use super::held::Held;
use super::record::{LeaseRecord, Stored, Version, WallTime};
use super::standing::{Gained, Sent};
use super::terms::Lease;
use crate::provider::ProviderError;

/// Whom a lease tells what users should know.
pub(crate) type Say = Arc<dyn Fn(String) + Send + Sync>;

/// A holder that is watched.
struct Watched {
    version: Version,
    /// After the look that found it.
    since: Instant,
}

impl Lease {
    /// Takes the lease for `holder` with a number higher than `floor`, and renews it from now on. A holder that shows no sign of life is
    /// waited for; `say` is told.
    ///
    /// # Errors
    /// [`LeaseError::Held`] as soon as its holder shows a sign of life; [`LeaseError::Store`] if the store cannot be used.
    pub(crate) async fn take(&self, holder: &str, floor: u64, say: Say) -> Result<Held, LeaseError> {
        let mut watched: Option<Watched> = None;
        loop {
            let found = self.store().find().await.map_err(|source| self.failed(source))?;
            let looked = Instant::now();
            match (found.as_ref().and_then(holding), &watched) {
                (None, _) => {}
                (Some((stored, _)), Some(watched)) if watched.version == stored.version => {
                    let left = stored.record.duration.saturating_sub(watched.since.elapsed());
                    if !left.is_zero() {
                        pause(left.min(self.interval())).await;
                        continue;
                    }
                }
                (Some((stored, name)), None) => {
                    say(format!(
                        "{} is held by {name}: watching for {} s at most whether it still lives",
                        self.store().name(),
                        stored.record.duration.as_secs_f64().ceil(),
                    ));
                    watched = Some(Watched { version: stored.version.clone(), since: looked });
                    pause(self.interval().min(stored.record.duration)).await;
                    continue;
                }
                (Some((stored, name)), Some(_)) => return Err(self.held(stored, name)),
            }
            match self.swap(found.as_ref(), holder, floor).await {
                Ok((stored, sent)) => {
                    let gained = self.gained(found.as_ref(), &say);
                    return Ok(Held::keep(self.clone(), (stored, gained), sent, say));
                }
                Err(ProviderError::Conflict(_)) => watched = self.look_at_winner().await?,
                Err(source) => return Err(self.failed(source)),
            }
        }
    }

    /// Who holds it, as the reason for which another run could not begin; nobody, if it is free. It is not watched whether that run still lives.
    ///
    /// # Errors
    /// [`LeaseError::Store`] if the store cannot be used.
    pub(crate) async fn find_holder(&self) -> Result<Option<LeaseError>, LeaseError> {
        let found = self.store().find().await.map_err(|source| self.failed(source))?;
        Ok(found.as_ref().and_then(holding).map(|(stored, name)| self.held(stored, name)))
    }

    async fn swap(&self, found: Option<&Stored>, holder: &str, floor: u64) -> Result<(Stored, Sent), ProviderError> {
        let now = WallTime::now();
        let number = found.map_or(0, |found| found.record.number).max(floor) + 1;
        let record = LeaseRecord { holder: Some(holder.to_owned()), duration: self.duration(), number, taken: now, renewed: now };
        let sent = Sent::now();
        let version = self.store().swap(found.map(|found| &found.version), &record).await?;
        Ok((Stored { version, record }, sent))
    }

    fn gained(&self, before: Option<&Stored>, say: &Say) -> Gained {
        let Some((_, name)) = before.and_then(holding) else { return Gained::Free };
        say(format!(
            "took over {} from {name}: what that run had in flight may still be done, and is looked for by the next run too",
            self.store().name()
        ));
        Gained::TakenOver
    }

    /// Whoever was faster has just shown that it lives.
    async fn look_at_winner(&self) -> Result<Option<Watched>, LeaseError> {
        let found = self.store().find().await.map_err(|source| self.failed(source))?;
        match found.as_ref().and_then(holding) {
            Some((stored, name)) => Err(self.held(stored, name)),
            None => Ok(None),
        }
    }

    fn held(&self, stored: &Stored, holder: &str) -> LeaseError {
        LeaseError::Held {
            store: self.store().name(),
            holder: holder.to_owned(),
            since: stored.record.taken,
            until: stored.record.renewed.later_by(stored.record.duration),
        }
    }

    fn failed(&self, source: ProviderError) -> LeaseError {
        LeaseError::Store { store: self.store().name(), source }
    }
}

/// The record with its holder, if it has one.
fn holding(stored: &Stored) -> Option<(&Stored, &str)> {
    stored.record.holder.as_deref().map(|holder| (stored, holder))
}

async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}
