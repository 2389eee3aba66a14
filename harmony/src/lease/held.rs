//! A lease that is held, and the task that renews it.

use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::record::{LeaseRecord, Stored, WallTime};
use super::standing::{Gained, Sent, Standing};
use super::take::Say;
use super::terms::{Counted, GIVING_BACK, Lease};
use crate::provider::{Failure, ProviderError};

/// A lease that is held and renewed. Dropping it gives it back in the background, if the program lives long enough for that.
pub(crate) struct Held {
    number: u64,
    standing: Standing,
    end: oneshot::Sender<()>,
    renewing: JoinHandle<()>,
}

impl Held {
    /// Renews the lease that has just been taken, by what was `sent` then.
    pub(super) fn keep(lease: Lease, (stored, gained): (Stored, Gained), sent: Sent, say: Say) -> Self {
        let standing = Standing::new(lease.usable(), gained, sent);
        let number = stored.record.number;
        let (end, ended) = oneshot::channel();
        let renewing = Renewing { _counted: lease.count(), lease, stored, standing: standing.clone(), say };
        Self { number, standing, end, renewing: tokio::spawn(renewing.carry_out(ended)) }
    }

    /// Its fencing number.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// Whether it is still held.
    pub(crate) fn standing(&self) -> &Standing {
        &self.standing
    }

    /// Gives it back, so that the next run need not wait.
    pub(crate) async fn give_back(self) {
        // The task has ended already if the lease is lost: then there is nothing to give back.
        let _ = self.end.send(());
        if timeout(GIVING_BACK, self.renewing).await.is_err() {
            log::debug!("a lease was not given back in time");
        }
    }
}

struct Renewing {
    lease: Lease,
    stored: Stored,
    standing: Standing,
    say: Say,
    _counted: Counted,
}

impl Renewing {
    async fn carry_out(mut self, mut ended: oneshot::Receiver<()>) {
        let mut pause = self.lease.interval();
        loop {
            // Both a message and a sender that is dropped mean the end.
            if timeout(pause.min(self.standing.remaining()), &mut ended).await.is_ok() {
                return self.give_back().await;
            }
            // A process that was stopped comes here late: what was lost meanwhile is not renewed.
            if self.says_that_it_is_lost() {
                return;
            }
            let sent = Sent::now();
            pause = match timeout(self.standing.remaining(), self.renew()).await {
                Ok(Ok(())) => {
                    self.standing.renewed(sent);
                    self.lease.interval()
                }
                Ok(Err(error)) => self.note(error.to_string()),
                Err(_) => self.note(format!("{} does not answer", self.lease.store().name())),
            };
            if self.says_that_it_is_lost() {
                return;
            }
        }
    }

    fn says_that_it_is_lost(&self) -> bool {
        let lost = self.standing.lost();
        if let Some(why) = &lost {
            (self.say)(format!("the lease of this run is lost: {why}; nothing new is begun"));
        }
        lost.is_some()
    }

    /// Says the first time that it could not be renewed; how long to wait before the next try.
    fn note(&self, why: String) -> Duration {
        if self.standing.not_renewed(why.clone()) && !self.standing.remaining().is_zero() {
            let left = self.standing.remaining().as_secs_f64();
            let name = self.lease.store().name();
            (self.say)(format!("{name} could not be renewed ({why}): if that goes on, nothing new is begun in {left:.1} s"));
        }
        self.lease.interval() / 4
    }

    async fn renew(&mut self) -> Result<(), ProviderError> {
        let record = LeaseRecord { renewed: WallTime::now(), ..self.stored.record.clone() };
        match self.swap(record).await {
            Err(ProviderError::Conflict(_)) => self.look_again().await,
            renewed => renewed,
        }
    }

    /// Either an answer was lost and what stands there is ours, or somebody has taken the lease.
    async fn look_again(&mut self) -> Result<(), ProviderError> {
        let found = self.lease.store().find().await?;
        let ours = |stored: &Stored| {
            let (there, record) = (&stored.record, &self.stored.record);
            (there.number, &there.holder, there.taken) == (record.number, &record.holder, record.taken)
        };
        match found {
            Some(stored) if ours(&stored) => {
                self.stored = stored;
                let record = LeaseRecord { renewed: WallTime::now(), ..self.stored.record.clone() };
                self.swap(record).await
            }
            taken => {
                let by = taken.and_then(|stored| stored.record.holder).unwrap_or_else(|| "a run that has ended".to_owned());
                let why = format!("it was taken over by {by}");
                self.standing.lose(why.clone());
                Err(ProviderError::Conflict(Failure::new("failed to renew the lease", why)))
            }
        }
    }

    async fn swap(&mut self, record: LeaseRecord) -> Result<(), ProviderError> {
        let version = self.lease.store().swap(Some(&self.stored.version), &record).await?;
        self.stored = Stored { version, record };
        Ok(())
    }

    /// The number stays, so that it does not begin again.
    async fn give_back(mut self) {
        let record = LeaseRecord { holder: None, ..self.stored.record.clone() };
        if let Err(error) = self.swap(record).await {
            log::debug!(error:%; "a lease was not given back");
        }
    }
}
