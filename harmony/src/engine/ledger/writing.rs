//! Writing the Ledger: what is intended, what was done, and the end of a run.

use std::sync::Arc;

use serde_json::Value as Json;
use tokio::time::Instant;

use super::contents::{Contents, FORMAT, Line};
use super::entry::{Entry, Key};
use super::error::LedgerError;
use super::record::Ledger;
use super::store::LedgerState;
use crate::address::Address;
use crate::procedure::Underway;
use crate::provider::ProviderError;

impl Ledger {
    /// Writes down where a procedure stands, before anything of that is done.
    ///
    /// # Errors
    /// [`LedgerError`]; then nothing of it may be done.
    pub(crate) async fn stand(&mut self, at: Underway) -> Result<(), LedgerError> {
        self.underway.retain(|other| other.title() != at.title());
        self.underway.push(at);
        self.serial += 1;
        self.save().await
    }

    /// Strikes out the procedures that `ended` says have ended.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub(crate) async fn end(&mut self, ended: impl Fn(&Underway) -> bool) -> Result<(), LedgerError> {
        self.underway.retain(|underway| !ended(underway));
        self.serial += 1;
        self.save().await
    }

    /// Writes down what a run is about to make and what it now knows of what stands, and forgets the proofs that do not count any more,
    /// before it does anything.
    ///
    /// # Errors
    /// [`LedgerError`]; then nothing may be made.
    pub(crate) async fn intend(&mut self, entries: Vec<Entry>, stands: impl Fn(&Address) -> bool) -> Result<(), LedgerError> {
        self.serial += 1;
        self.make_room(&entries);
        self.entries.extend(entries.into_iter().map(|entry| (entry.key.clone(), Arc::new(entry))));
        self.proofs.retain(|proof, _| stands(proof));
        self.save().await
    }

    /// Notes that a thing is there.
    ///
    /// # Errors
    /// [`LedgerError::Damaged`] if that cannot be said as JSON.
    pub(crate) fn made(&mut self, key: &Key, kept: Option<Json>, held: Option<String>) -> Result<(), LedgerError> {
        let held = self.entries.get(key).and_then(|entry| entry.remembered(held));
        self.note(&Line::Made { key: key.clone(), kept, held })
    }

    /// Notes that a thing is gone.
    ///
    /// # Errors
    /// As [`Ledger::made`].
    pub(crate) fn gone(&mut self, key: &Key) -> Result<(), LedgerError> {
        self.note(&Line::Gone { key: key.clone() })
    }

    /// Notes that a proof has passed.
    ///
    /// # Errors
    /// As [`Ledger::made`].
    pub(crate) fn proved(&mut self, proof: &Address, digest: &str) -> Result<(), LedgerError> {
        self.note(&Line::Proved { proof: proof.clone(), digest: digest.to_owned() })
    }

    /// Writes down what was noted, unless the store lets it wait for more. What is done at the same time is written together: that each line
    /// lasts costs more than many a step.
    ///
    /// # Errors
    /// [`LedgerError`]; then nothing more may be begun.
    pub(crate) async fn write_notes(&mut self) -> Result<(), LedgerError> {
        if !self.waiting.is_empty() && self.written.elapsed() >= self.store.pace() {
            self.write_lines().await?;
        }
        Ok(())
    }

    /// Strikes things out that nothing has been done to.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub(crate) async fn strike(&mut self, keys: &[Key]) -> Result<(), LedgerError> {
        self.serial += 1;
        keys.iter().for_each(|key| drop(self.entries.remove(key)));
        if self.entries.is_empty() {
            self.proofs.clear();
        }
        self.save().await?;
        self.close().await
    }

    /// Folds the journal into the whole; an empty Ledger leaves nothing. Writes nothing if nothing has changed.
    ///
    /// # Errors
    /// [`LedgerError`]; the journal still says what the whole does not.
    pub(crate) async fn close(&mut self) -> Result<(), LedgerError> {
        if self.entries.is_empty() && self.proofs.is_empty() {
            self.store.remove(&self.state, self.fence.as_ref()).await?;
            self.are_written(LedgerState::default());
        } else if self.journaled || self.moved {
            self.save().await?;
        }
        Ok(())
    }

    /// Which of the rights to write it are missing. What is not said shows when it is written.
    pub(crate) async fn missing_rights(&self) -> Vec<String> {
        self.store.missing_rights().await.unwrap_or_default()
    }

    async fn save(&mut self) -> Result<(), LedgerError> {
        let identity = self.identity.get_or_insert_with(|| format!("{:032x}", rand::random::<u128>())).clone();
        let contents = Contents {
            format: FORMAT,
            serial: self.serial,
            identity: Some(identity),
            home: self.home.clone(),
            entries: self.entries().collect::<Vec<_>>(),
            proofs: self.proofs.clone(),
            underway: self.underway.clone(),
        };
        let text = serde_json::to_vec_pretty(&contents).map_err(|source| self.damaged("memory", source))?;
        let state = self.store.save(&self.state, &text, self.fence.as_ref()).await?;
        self.are_written(state);
        Ok(())
    }

    fn are_written(&mut self, state: LedgerState) {
        self.state = state;
        self.waiting.clear();
        self.written = Instant::now();
        (self.journaled, self.moved) = (false, false);
    }

    fn note(&mut self, line: &Line) -> Result<(), LedgerError> {
        let text = serde_json::to_vec(line).map_err(|source| self.damaged("a new line", source))?;
        if !self.waiting.is_empty() {
            self.waiting.push(b'\n');
        }
        self.waiting.extend(text);
        self.journaled = true;
        self.apply(line);
        Ok(())
    }

    async fn write_lines(&mut self) -> Result<(), LedgerError> {
        match self.store.append(&self.state, &self.waiting, self.fence.as_ref()).await {
            Ok(state) => {
                self.state = state;
                self.waiting.clear();
            }
            // They go with the next ones: what they say is observed anyway, and a run must not fail for it.
            Err(LedgerError::Store(ProviderError::Unreachable(_) | ProviderError::RetryLater(_))) => {}
            Err(error) => return Err(error),
        }
        self.written = Instant::now();
        Ok(())
    }

    fn damaged(&self, place: &str, source: serde_json::Error) -> LedgerError {
        LedgerError::Damaged { ledger: self.store.name(), place: place.to_owned(), source }
    }
}
